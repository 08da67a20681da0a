// The five policies. A policy is plain data; what it means is computed exactly in integers, alike
// in memory and in Redis.
//
// How to choose: TokenBucket unless you know better. FixedWindow is the cheapest and lets up to
// twice the limit through around a window's edge. SlidingWindowLog is exact over every interval and
// keeps every admitted unit. SlidingWindowCounter estimates the same in O(1). LeakyBucket says how
// long to wait, to shape traffic rather than cut it.
//
// A limiter is refused (Errc::invalid_argument) when a count or span is not positive; a count, a
// bucket's capacity * num (see below) or a counter's limit * window in microseconds is not below
// 2^53; a period or window exceeds 366 days; or a log's limit exceeds `LimiterOptions::log_cap`.
#pragma once

#include <cstdint>
#include <variant>

#include "ratelimit/time.hpp"

namespace ratelimit {

/// A bucket of `capacity` tokens that gains `refill` tokens every `period`, continuously; a call
/// takes its cost in tokens.
///
/// Guarantee: any interval of length d admits at most capacity + d * refill / period.
/// State: one instant, when the bucket is full again. With g = gcd(refill, period in microseconds),
/// num = period / g and den = refill / g, a unit of cost owes num / den microseconds.
/// Source: the generic cell rate algorithm (GCRA), ITU-T I.371; the instant is its theoretical
/// arrival time.
struct TokenBucket {
  std::int64_t capacity;  ///< Largest burst, in units of cost.
  std::int64_t refill;    ///< Units gained in each period.
  Duration period;
};

/// A queue of at most `capacity` units that drains `leak` units every `period`, evenly; a call adds
/// its cost.
///
/// Decides as TokenBucket does and also reports `Decision::delay`: callers that wait it out leave
/// at most `leak` units per `period`, evenly spaced. Source: the leaky bucket as a queue (Turner,
/// 1986).
struct LeakyBucket {
  std::int64_t capacity;  ///< Most that may wait, in units of cost.
  std::int64_t leak;      ///< Units drained in each period.
  Duration period;
};

/// At most `limit` units in each window [k * window, (k + 1) * window) of Unix time.
struct FixedWindow {
  std::int64_t limit;
  Duration window;
};

/// At most `limit` units in every interval of length `window`, wherever it starts.
///
/// State: the time of every admitted unit, so memory grows with `limit`.
struct SlidingWindowLog {
  std::int64_t limit;
  Duration window;
};

/// At most `limit` units in the window that ends now, as estimated from two fixed windows: the
/// present one's count plus the part of the previous one's that still overlaps. The estimate is
/// exact, not floored.
struct SlidingWindowCounter {
  std::int64_t limit;
  Duration window;
};

using Policy =
    std::variant<TokenBucket, LeakyBucket, FixedWindow, SlidingWindowLog, SlidingWindowCounter>;

}  // namespace ratelimit
