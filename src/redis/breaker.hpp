// Keeps calls away from a server that does not answer: they cost nothing, and the server is not
// stormed when it comes back. A circuit breaker, without a clock of its own.
//
//   closed     all may ask
//   open       nobody may, for a span that doubles from failure to failure, of which a random share
//              is taken ("full jitter"), so that many clients do not come back at one time
//   half-open  the span is over: one may ask; its failure opens the circuit anew. One that has heard
//              nothing by its deadline, or for a second, has failed
//
// Any answer closes the circuit. A failure of what was asked before it opened says nothing new.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <random>

#include "ratelimit/error.hpp"
#include "redis/deadline.hpp"

namespace ratelimit::redis {

/// Thread safety: all methods may be called from any thread.
class Breaker {
 public:
  using Instant = Deadline::Clock::time_point;
  using Span = Deadline::Clock::duration;

  /// Opens after so many failures in a row; 0: never. `seed` must differ between processes.
  Breaker(std::int64_t failures_to_open, std::uint64_t seed);

  /// Whether a call that begins now and ends by `deadline` may ask the server.
  bool admits(Instant now, const Deadline& deadline) {
    const auto until = open_until_.load(std::memory_order_acquire);
    return until == 0 || (ticks(now) >= until && probe(until, now, deadline));
  }

  /// The server has answered.
  void succeed() {
    if (failures_.load(std::memory_order_relaxed) != 0) close();
  }

  /// It has not answered what it was asked at `asked_at`, for this reason.
  void fail(Errc why, Instant asked_at, Instant now);

  /// It does not let us in: that opens the circuit at once.
  void refuse(Instant asked_at, Instant now);

  /// As after construction: in the child of a fork. Requires: no other call at the same time.
  void start_over(std::uint64_t seed);

  /// How often it has opened, from being closed.
  [[nodiscard]] std::uint64_t openings() const { return openings_.load(std::memory_order_relaxed); }

 private:
  static std::int64_t ticks(Instant instant) { return instant.time_since_epoch().count(); }
  bool probe(std::int64_t until, Instant now, const Deadline& deadline);
  void close();
  void open(Errc why, Instant now);  // requires: mutex_ is held

  const std::int64_t failures_to_open_;
  std::atomic<std::int64_t> open_until_ = 0;  // in ticks of an Instant; 0: closed
  std::atomic<std::int64_t> failures_ = 0;    // in a row
  std::atomic<std::uint64_t> openings_ = 0;

  std::mutex mutex_;
  std::minstd_rand random_;  // guarded by mutex_
  Instant opened_at_;        // guarded by mutex_; the last time
};

}  // namespace ratelimit::redis
