// Where "now" comes from, and a clock that tests set by hand.
//
// A backend that is given no clock reads the system's (in memory) or the server's (Redis). Pass a
// ManualClock to test a service against exact times without waiting.
#pragma once

#include <atomic>

#include "ratelimit/export.hpp"
#include "ratelimit/time.hpp"

namespace ratelimit {

/// A source of Unix time.
///
/// Thread safety: `now` is called from every thread that uses a limiter. It may step back or jump
/// ahead; decisions then get stricter, never looser, and no key waits more than one span of its
/// policy longer than it would have without the step.
class RATELIMIT_API Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock();

  /// Returns the present instant.
  [[nodiscard]] virtual TimePoint now() const noexcept = 0;
};

/// A clock that stands still until it is moved. For tests, simulations and replays.
///
/// Thread safety: all methods may be called from any thread.
class RATELIMIT_API ManualClock final : public Clock {
 public:
  explicit ManualClock(TimePoint start) noexcept : now_(start.time_since_epoch().count()) {}
  ~ManualClock() override;

  [[nodiscard]] TimePoint now() const noexcept override {
    return TimePoint(Duration(now_.load(std::memory_order_relaxed)));
  }

  /// Moves the clock to `to`, ahead or back.
  void set(TimePoint to) noexcept {
    now_.store(to.time_since_epoch().count(), std::memory_order_relaxed);
  }

  /// Moves the clock by `by`, which may be negative.
  void advance(Duration by) noexcept { now_.fetch_add(by.count(), std::memory_order_relaxed); }

 private:
  std::atomic<Duration::rep> now_;  // relaxed: an instant publishes nothing but itself
};

}  // namespace ratelimit
