// What becomes of a limit that several instances share without knowing of each other: each takes its
// part, rounded down, of 1 at least.
#pragma once

#include <algorithm>
#include <cstdint>

#include "policy/check.hpp"
#include "ratelimit/time.hpp"

namespace ratelimit::policy {

inline std::int64_t share_of(std::int64_t count, std::int64_t instances) {
  return std::max<std::int64_t>(1, count / instances);
}

/// Divides a rate of so much per period: exactly, by a longer period, where there may be one.
inline void divide_rate(std::int64_t& rate, Duration& period, std::int64_t instances) {
  if (period <= kLongestSpan / instances) {
    period *= instances;
  } else {
    rate = share_of(rate, instances);
  }
}

}  // namespace ratelimit::policy
