// Decision: the answer to "may this key spend this cost now?".
#pragma once

#include <cstdint>

#include "ratelimit/error.hpp"
#include "ratelimit/time.hpp"

namespace ratelimit {

/// The answer of a limiter. Trivially copyable; both backends give the same one, field by field,
/// for the same clock.
///
/// A degraded decision (`error != Errc::ok`) was made without the backend. Under OnError::local all
/// fields are those of the local limiter; otherwise only `allowed`, `error` and `limit` say
/// anything and the rest is zero.
struct [[nodiscard]] Decision {
  bool allowed = false;
  Errc error = Errc::ok;

  /// The most that fits: the policy's capacity or limit, in units of cost.
  std::int64_t limit = 0;

  /// The largest cost that would be allowed at this very instant, after this decision. A
  /// SlidingWindowCounter whose clock stepped back, or whose limit was lowered, may estimate more
  /// than its limit; it then reports by how much, as a negative number.
  std::int64_t remaining = 0;

  /// 0 if allowed; else the least wait after which the same cost is allowed if nobody else asks.
  /// Tight: one microsecond earlier it is still denied. `never` when the cost exceeds the limit.
  Duration retry_after{0};

  /// The least wait after which `remaining == limit` if nobody else asks.
  Duration reset_after{0};

  /// LeakyBucket, allowed: how long this caller should wait for the work ahead of it to drain. Else
  /// 0.
  Duration delay{0};

  explicit operator bool() const noexcept { return allowed; }

  /// Whether the backend could not be asked, so that `on_error` (or a bad argument) answered.
  [[nodiscard]] bool degraded() const noexcept { return error != Errc::ok; }
};

}  // namespace ratelimit
