// Instants as the policies compute with them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ratelimit/clock.hpp"

namespace ratelimit {

/// Microseconds: a span, or an instant of Unix time.
using Micros = std::int64_t;

/// Every count and every product that decides is below this, so that Lua's numbers hold it exactly.
inline constexpr std::int64_t kExactBound = std::int64_t{1} << 53;

/// Instants are read as [0, kLatestInstant]: 1970 to 2112. With any span a policy may have added
/// they stay exact in int64, and in Lua (see lua/bucket.lua).
inline constexpr Micros kLatestInstant = std::int64_t{1} << 52;

inline Micros instant_of(TimePoint time) noexcept {
  return std::clamp<Micros>(time.time_since_epoch().count(), 0, kLatestInstant);
}

}  // namespace ratelimit
