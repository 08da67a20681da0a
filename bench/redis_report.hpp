// The table of bench_redis_callers.
#pragma once

#include <span>
#include <vector>

#include "redis_round.hpp"

namespace ratelimit::bench {

/// A round in which other processes took more cores than this is disturbed.
inline constexpr double kMostOthers = 0.12;

/// A case and its rounds, of which the n-th was run beside the n-th of all others.
struct Rounds {
  Case one;
  std::vector<Round> rounds;
};

/// Prints medians, and medians of the ratios to the last case of the same group, the rival. Rounds
/// that were disturbed are left out where at least half are left. Returns whether no case failed.
bool print_report(std::span<const Rounds> results);

}  // namespace ratelimit::bench
