// What does a decision cost N threads that block for it, on a Redis server on the same machine? N
// is 1, 4, 16, 64, 100 and 1,000; a token bucket, a closed loop, keys of each caller's own, and one
// hot key for 100.
//
// Beside it, in the same rounds: hiredis as one would write it, a connection for each thread, with
// the very same command (the rival of each group); what a lone caller cannot beat, send(2) and
// recv(2) on one socket; and what the server cannot beat, one thread that keeps two windows of
// commands in flight.
//
// Run: bench_redis_callers [--help] [--seconds=0.5] [--rounds=5] [--filter=REGEX] [--tcp]
// Starts a redis-server of its own (see tests/support/redis_server.hpp) and ends it. Takes about a
// minute and a half. All keys are flushed before each case; a case fails if a call was denied, or
// if the server did not charge it once.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "options.hpp"
#include "redis_report.hpp"
#include "redis_round.hpp"

namespace {

using namespace ratelimit;
using namespace ratelimit::bench;
using ratelimit::testing::RedisServer;
using std::chrono::seconds;

constexpr std::string_view kUsage =
    "usage: bench_redis_callers [--seconds=0.5] [--rounds=5] [--filter=REGEX] [--tcp]\n"
    "  --seconds  how long a case is measured in each round, up to 5\n"
    "  --rounds   how often; medians are printed\n"
    "  --filter   only cases whose \"group/name\" it is found in\n"
    "  --tcp      by TCP instead of a unix socket\n";

/// Room for the calls of a case at one key, and so slow that none of them drains meanwhile.
Policy slow_bucket() { return TokenBucket{3'000'000, 1, seconds(10)}; }

struct Options {
  double seconds = 0.5;
  int rounds = 5;
  std::string filter;
  bool tcp = false;
};

Options parsed(int argc, char** argv) {
  Options options;
  for (const Argument& argument : arguments(argc, argv)) {
    if (argument.name == "--seconds") {
      options.seconds = number(argument, {.least = 0.01, .most = 5});
    } else if (argument.name == "--rounds") {
      options.rounds = static_cast<int>(number(argument, {.least = 1, .most = 1000}));
    } else if (argument.name == "--filter") {
      options.filter = argument.value;
    } else if (argument.name == "--tcp") {
      options.tcp = true;
    } else {
      throw BadArgument(argument.name);
    }
  }
  return options;
}

void add_group(std::vector<Case>& cases, const Ground& ground, int count, Keys keys) {
  const std::string group = std::to_string(count) + (count == 1 ? " caller" : " callers") +
                            (keys == Keys::hot ? ", one hot key" : "");
  if (count == 1) {
    cases.push_back({group, "raw send and receive", [&] { return raw_caller(ground); },
                     Check::charges, Role::floor});
  }
  for (const int connections : {4, 1}) {
    const std::string name = "ours, " + std::to_string(connections) +
                             (connections == 1 ? " connection" : " connections");
    cases.push_back({group, name, [&ground, connections, count, keys] {
                       return library_callers(ground, connections, count, keys);
                     }});
  }
  cases.push_back({group, "hiredis, a connection each",
                   [&ground, count, keys] { return blocking_callers(ground, count, keys); }});
}

void add_pipelines(std::vector<Case>& cases, const Ground& ground) {
  for (const std::size_t window : {std::size_t{64}, std::size_t{256}}) {
    const std::string group = "1 thread, 2 windows of " + std::to_string(window);
    cases.push_back({group, "INCR",
                     [&, window] { return pipelining_caller(ground, ground.incr, window); },
                     Check::none});
    cases.push_back({group, "the script",
                     [&, window] { return pipelining_caller(ground, ground.decide, window); }});
  }
}

std::vector<Case> cases_on(const Ground& ground, const std::string& filter) {
  std::vector<Case> cases;
  for (const int count : {1, 4, 16, 64, 100}) add_group(cases, ground, count, Keys::few);
  add_group(cases, ground, 100, Keys::hot);
  add_group(cases, ground, 1000, Keys::few);
  add_pipelines(cases, ground);
  const std::regex wanted(filter);
  std::erase_if(cases, [&](const Case& one) {
    return !std::regex_search(one.group + "/" + one.name, wanted);
  });
  return cases;
}

bool measure(const Options& options) {
  RedisServer server({"--tcp-backlog", "2048"});
  const Ground ground =
      make_ground(server, options.tcp ? tcp_route(server) : unix_route(server), slow_bucket());
  const auto checker = limiter_on(ground, 1);
  std::vector<Rounds> results;
  for (Case& one : cases_on(ground, options.filter)) results.push_back({std::move(one), {}});
  for (int round = 1; round <= options.rounds; ++round) {
    for (Rounds& result : results) {
      if (::isatty(STDERR_FILENO) != 0) {
        std::fprintf(stderr, "\r\033[Kround %d of %d: %s: %s", round, options.rounds,
                     result.one.group.c_str(), result.one.name.c_str());
      }
      result.rounds.push_back(run_round(result.one, server, *checker, options.seconds));
    }
  }
  if (::isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "\r\033[K");
  return print_report(results);
}

/// 1,000 connections need as many descriptors, here and at the server.
void allow_many_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  return run_main(kUsage, [&] {
    const Options options = parsed(argc, argv);
    allow_many_descriptors();
    return measure(options) ? 0 : 1;
  });
}
