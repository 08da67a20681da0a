// One round of bench_redis_callers: threads that ask in a closed loop for a span of time, and what
// that took.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "redis_caller.hpp"
#include "support/redis_server.hpp"
#include "usage.hpp"

namespace ratelimit::bench {

/// What a round measures; times in microseconds, CPU time a decision.
enum Figure : std::size_t { rate, p50, p99, p999, worst, client_cpu, server_cpu };
inline constexpr std::size_t kFigures = 7;

struct Round {
  std::array<double, kFigures> figures{};
  double others = 0;             // cores that other processes took
  std::int64_t connections = 0;  // that the server saw
  double allowed = 0;            // the share of the calls
  std::string failure;           // empty: none

  [[nodiscard]] double operator[](Figure figure) const { return figures[figure]; }
};

/// How it is found out whether the server charged each call.
enum class Check : std::uint8_t { none, charges };

/// What a case is to the others of its group: the last one is their rival.
enum class Role : std::uint8_t { subject, floor };

/// What is run again and again.
struct Case {
  std::string group;  // of cases that are compared
  std::string name;
  std::function<Callers()> make;
  Check check = Check::charges;
  Role role = Role::subject;
};

/// Runs a case on keys that nobody has seen, for so many seconds after a fifth of that to warm up.
Round run_round(const Case& one, testing::RedisServer& server, Limiter& checker, double seconds);

}  // namespace ratelimit::bench
