#include "redis_report.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>

namespace ratelimit::bench {
namespace {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

bool is_quiet(const Round& round) { return round.others <= kMostOthers; }

/// The rounds that count: the quiet ones, if they are half of all; else all.
template <class IsQuiet>
std::vector<std::size_t> counted(std::size_t rounds, IsQuiet quiet) {
  std::vector<std::size_t> some;
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < rounds; ++i) {
    all.push_back(i);
    if (quiet(i)) some.push_back(i);
  }
  return some.size() * 2 >= rounds ? some : all;
}

double median_of(const Rounds& result, Figure figure) {
  const auto quiet = [&](std::size_t i) { return is_quiet(result.rounds[i]); };
  std::vector<double> values;
  for (const std::size_t i : counted(result.rounds.size(), quiet)) {
    values.push_back(result.rounds[i][figure]);
  }
  return median(std::move(values));
}

double median_ratio(const Rounds& result, const Rounds& rival, Figure figure) {
  const auto quiet = [&](std::size_t i) {
    return is_quiet(result.rounds[i]) && is_quiet(rival.rounds[i]);
  };
  std::vector<double> values;
  for (const std::size_t i : counted(std::min(result.rounds.size(), rival.rounds.size()), quiet)) {
    const double below = rival.rounds[i][figure];
    if (below > 0) values.push_back(result.rounds[i][figure] / below);
  }
  return median(std::move(values));
}

const std::string* failure_of(const Rounds& result) {
  for (const Round& round : result.rounds) {
    if (!round.failure.empty()) return &round.failure;
  }
  return nullptr;
}

void print_head() {
  std::printf("%-34s%11s%9s%9s%9s%9s%8s%8s%7s%9s  | %6s %6s %6s %6s\n", "", "decisions", "p50",
              "p99", "p99.9", "worst", "client", "server", "conns", "allowed", "rate", "p50", "p99",
              "server");
  std::printf("%-34s%11s%9s%9s%9s%9s%8s%8s%7s%9s  | %s\n", "medians of the rounds", "a second",
              "us", "us", "us", "us", "CPU us", "CPU us", "", "", "x of the rival in its round");
}

void print_row(const Rounds& result, const Rounds& rival) {
  const Round& busiest = std::ranges::max(result.rounds, {}, &Round::connections);
  std::printf("  %-32s%11.0f%9.1f%9.1f%9.1f%9.1f%8.2f%8.2f%7lld%9.4f  |", result.one.name.c_str(),
              median_of(result, rate), median_of(result, p50), median_of(result, p99),
              median_of(result, p999), median_of(result, worst), median_of(result, client_cpu),
              median_of(result, server_cpu), static_cast<long long>(busiest.connections),
              std::ranges::min(result.rounds, {}, &Round::allowed).allowed);
  for (const Figure figure : {rate, p50, p99, server_cpu}) {
    std::printf(" %6.2f", median_ratio(result, rival, figure));
  }
  const auto disturbed = std::ranges::count_if(result.rounds, std::not_fn(is_quiet));
  if (disturbed > 0) std::printf("  %lld disturbed", static_cast<long long>(disturbed));
}

/// The cases of one group.
bool print_group(std::span<const Rounds> group) {
  bool good = true;
  std::printf("%s\n", group.front().one.group.c_str());
  const auto floor =
      std::ranges::find(group, Role::floor, [](const Rounds& r) { return r.one.role; });
  for (const Rounds& rounds : group) {
    if (const std::string* failure = failure_of(rounds)) {
      std::printf("  %-32s FAILED: %s\n", rounds.one.name.c_str(), failure->c_str());
      good = false;
      continue;
    }
    print_row(rounds, group.back());
    if (floor != group.end() && rounds.one.role != Role::floor) {
      std::printf("  p50 %.2f x of %s", median_ratio(rounds, *floor, p50), floor->one.name.c_str());
    }
    std::printf("\n");
  }
  return good;
}

}  // namespace

bool print_report(std::span<const Rounds> results) {
  bool good = true;
  print_head();
  while (!results.empty()) {
    const auto in_group = [&](const Rounds& rounds) {
      return rounds.one.group == results.front().one.group;
    };
    const auto end = std::ranges::find_if_not(results, in_group);
    const auto size = static_cast<std::size_t>(end - results.begin());
    good &= print_group(results.first(size));
    results = results.subspan(size);
  }
  std::printf(
      "The rival is the last case of each group. Where other processes took more than %.2f core a "
      "round is\ndisturbed: it is left out where at least half of a case's rounds are left.\n",
      kMostOthers);
  return good;
}

}  // namespace ratelimit::bench
