// What does a decision cost the Redis server, and how much of its memory does a key take?
//
// CPU time of the server's own process, by policy and outcome: the library's commands sent again by
// one thread, 16 together, on a unix socket; then Limiter::allow_many with 64 keys. Beside it INCR,
// PING, a script that does nothing, a token bucket in a hash as one would write it at home, and the
// scripts of others that the command line names (bench/compare.sh fetches some).
//
// Run: bench_redis_scripts [--help] [--seconds=0.25] [--rounds=5] [--pipeline=16] [--filter=REGEX]
//                          [--script=NAME=FILE:KEYS:ARGV...]...
// Starts a redis-server of its own (see tests/support/redis_server.hpp) and ends it. Takes about a
// minute.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "options.hpp"
#include "redis_script.hpp"
#include "redis_wire.hpp"
#include "support.hpp"
#include "usage.hpp"

namespace {

using namespace ratelimit;
using namespace ratelimit::bench;
using ratelimit::testing::RedisServer;
using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::string_view kUsage =
    "usage: bench_redis_scripts [--seconds=0.25] [--rounds=5] [--pipeline=16] [--filter=REGEX]\n"
    "                           [--script=NAME=FILE:KEYS:ARGV...]...\n"
    "  --seconds   how long each is measured in each round, up to 5\n"
    "  --rounds    how often; medians are printed\n"
    "  --pipeline  how many commands are sent together\n"
    "  --filter    only those in whose name it is found\n"
    "  --script    a Lua script, how many keys it takes, and its arguments\n";

struct Options {
  double seconds = 0.25;
  int rounds = 5;
  std::size_t pipeline = 16;
  std::string filter;
  std::vector<ForeignScript> scripts;
};

ForeignScript parsed_script(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) throw BadArgument("--script=" + text);
  std::istringstream rest(text.substr(equals + 1));
  std::vector<std::string> parts;
  for (std::string part; std::getline(rest, part, ':');) parts.push_back(part);
  if (parts.size() < 2) throw BadArgument("--script=" + text);
  std::ifstream file(parts[0]);
  if (!file) throw BadArgument("cannot read " + parts[0]);
  const Argument keys{"--script", parts[1]};
  return {text.substr(0, equals),
          {std::istreambuf_iterator<char>(file), {}},
          static_cast<std::size_t>(number(keys, {.least = 1, .most = 9})),
          {parts.begin() + 2, parts.end()}};
}

Options parsed(int argc, char** argv) {
  Options options;
  for (const Argument& argument : arguments(argc, argv)) {
    if (argument.name == "--seconds") {
      options.seconds = number(argument, {.least = 0.01, .most = 5});
    } else if (argument.name == "--rounds") {
      options.rounds = static_cast<int>(number(argument, {.least = 1, .most = 1000}));
    } else if (argument.name == "--pipeline") {
      options.pipeline = static_cast<std::size_t>(number(argument, {.least = 1, .most = 1024}));
    } else if (argument.name == "--filter") {
      options.filter = argument.value;
    } else if (argument.name == "--script") {
      options.scripts.push_back(parsed_script(argument.value));
    } else {
      throw BadArgument(argument.name);
    }
  }
  return options;
}

struct Cost {
  double server = 0;  // us of CPU time a decision
  double client = 0;
  double rate = 0;  // decisions a second
};

Cost measure(const Bench& bench, const Script& script, std::chrono::duration<double> span) {
  using Clock = std::chrono::steady_clock;
  bench.server.flush();
  const Step step = script.start();
  const auto run_for = [&](std::chrono::duration<double> some) {
    std::int64_t decisions = 0;
    for (const auto end = Clock::now() + some; Clock::now() < end;) decisions += step();
    return static_cast<double>(decisions);
  };
  const Meter meter(bench.server);
  (void)run_for(span / 5);
  const Usage before = meter.now();
  const double decisions = run_for(span);
  const Usage used = meter.now() - before;
  return {used.server / decisions * 1e6, used.client / decisions * 1e6, decisions / used.wall};
}

/// How long the server takes for so many calls that are logged.
Duration time_for(const Bench& bench, double calls) {
  const auto log =
      library_script(bench, "log", SlidingWindowLog{100'000, milliseconds(20)}, Outcome::allowed);
  const std::chrono::duration<double> time(calls / measure(bench, log, milliseconds(200)).rate);
  return std::chrono::duration_cast<Duration>(time);
}

struct NamedOutcome {
  Outcome outcome;
  const char* suffix;
};

constexpr std::array kOutcomes = {NamedOutcome{Outcome::allowed, ", allowed"},
                                  NamedOutcome{Outcome::denied, ", denied"}};

void add_library(std::vector<Script>& scripts, const Bench& bench) {
  // Its windows are short, so that what it keeps is what a limit holds, not what a benchmark sends.
  const auto all = subjects(milliseconds(20));
  const auto each = [&](auto add) {
    for (const Subject& subject : all) {
      if (subject.name == "sliding_window_counter") continue;  // the same script as the large one
      for (const auto& [outcome, suffix] : kOutcomes) {
        const bool allowed = outcome == Outcome::allowed;
        scripts.push_back(
            add(subject.name + suffix, allowed ? subject.roomy : subject.tight, outcome));
      }
    }
  };
  each([&](const std::string& name, const Policy& policy, Outcome outcome) {
    return library_script(bench, name, policy, outcome);
  });
  scripts.push_back(library_script(bench, "token_bucket, fractions of a us, allowed",
                                   TokenBucket{1'000'000, 3, std::chrono::seconds(31)},
                                   Outcome::allowed));
  scripts.push_back(deep_script(bench, "sliding_window_log, long, allowed",
                                SlidingWindowLog{100'000, time_for(bench, 10'000)},
                                Outcome::allowed, 10'000));
  scripts.push_back(deep_script(bench, "sliding_window_log, long, denied",
                                SlidingWindowLog{10'000, hours(24)}, Outcome::denied, 10'000));
  each([&](const std::string& name, const Policy& policy, Outcome outcome) {
    return many_script(bench, "64 keys: " + name, policy, outcome);
  });
}

std::vector<Script> scripts_for(const Bench& bench, const Options& options) {
  std::vector<Script> scripts;
  add_library(scripts, bench);
  for (const auto& [outcome, suffix] : kOutcomes) {
    ForeignScript rival = hash_bucket(outcome);
    rival.name += suffix;
    scripts.push_back(foreign_script(bench, rival));
  }
  for (const ForeignScript& foreign : options.scripts) {
    scripts.push_back(foreign_script(bench, foreign));
  }
  scripts.push_back(foreign_script(bench, {"script that does nothing", "return 1", 1, {}}));
  scripts.push_back(command_script(bench, "INCR", {"INCR", "KEY"}));
  scripts.push_back(command_script(bench, "PING", {"PING", "KEY"}));
  const std::regex wanted(options.filter);
  std::erase_if(scripts,
                [&](const Script& script) { return !std::regex_search(script.name, wanted); });
  return scripts;
}

struct Row {
  Script script;
  std::vector<double> server;
  std::vector<double> client;
  std::vector<double> ratio;  // of the server's time to that of the first in the same round
  std::string remark;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void measure_time(const Bench& bench, std::vector<Row>& rows, const Options& options) {
  for (int round = 0; round < options.rounds; ++round) {
    for (Row& row : rows) {
      const Cost cost = measure(bench, row.script, std::chrono::duration<double>(options.seconds));
      row.server.push_back(cost.server);
      row.client.push_back(cost.client);
      row.ratio.push_back(cost.server / rows.front().server.back());
      if (row.script.remark) row.remark = row.script.remark();
    }
  }
  std::printf("%-46s%14s%10s%10s%14s\n", "CPU time a decision, medians", "server, us", "x first",
              "least", "client, us");
  for (const Row& row : rows) {
    std::printf("%-46s%14.2f%10.2f%10.2f%14.2f  %s\n", row.script.name.c_str(), median(row.server),
                median(row.ratio), std::ranges::min(row.server), median(row.client),
                row.remark.c_str());
  }
}

void measure_memory(const Bench& bench, const std::vector<Row>& rows) {
  constexpr std::size_t kKeys = 50'000;
  std::printf("\n%-46s%14s%14s\n", "bytes a key whose name has 24", "MEMORY USAGE", "in all");
  for (const auto& [script, server, client, ratio, remark] : rows) {
    if (!script.fill) continue;
    bench.server.flush();
    const double before = server_info(bench.server, "memory", "used_memory");
    script.fill(kKeys);
    const double after = server_info(bench.server, "memory", "used_memory");
    // Some keep none, and states that are soon over may have gone meanwhile.
    if (bench.server.command({"DBSIZE"}).integer != std::int64_t{kKeys}) continue;
    const std::string key = bench.server.command({"RANDOMKEY"}).text;
    const auto usage = bench.server.command({"MEMORY", "USAGE", key}).integer;
    std::printf("%-46s%14lld%14.0f\n", script.name.c_str(), static_cast<long long>(usage),
                (after - before) / static_cast<double>(kKeys));
  }
}

}  // namespace

int main(int argc, char** argv) {
  return run_main(kUsage, [&] {
    const Options options = parsed(argc, argv);
    RedisServer server;
    Wire wire(unix_route(server));
    const Bench bench{server, wire, options.pipeline};
    std::vector<Row> rows;
    for (Script& script : scripts_for(bench, options))
      rows.push_back({.script = std::move(script)});
    if (rows.empty()) throw BadArgument("--filter leaves nothing");
    measure_time(bench, rows, options);
    measure_memory(bench, rows);
    return 0;
  });
}
