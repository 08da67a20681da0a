// The units of time. All time in this library is whole microseconds; nothing is ever rounded
// through floating point. See clock.hpp for where "now" comes from.
#pragma once

#include <chrono>

namespace ratelimit {

/// A span of time in whole microseconds.
using Duration = std::chrono::microseconds;

/// An instant in whole microseconds of Unix time. Instants before 1970 and after 2112 (2^52 us) are
/// read as these bounds.
using TimePoint = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// The wait that does not end: `Decision::retry_after` of a cost that no wait makes fit.
inline constexpr Duration never = Duration::max();

}  // namespace ratelimit
