// Unix time for a hot path: as right as the system's clock, at the price of reading the
// processor's.
//
// Where the processor's time stamp counter runs at one rate on every core (it says so, and the
// kernel keeps time by it), an instant is the last one read from the system's clock plus the ticks
// since. Every 10 ms some caller reads the system's clock again and measures the rate anew, so a
// step of the wall clock is followed within that time and a slewed one within a few microseconds.
// Elsewhere every call reads the system's clock.
//
// It may step back: by a few microseconds where it is set anew, by more where the wall clock is. It
// makes no system call where the system's clock makes none.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/instant.hpp"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace ratelimit {

class UnixClock {
 public:
  /// The one of this process. Throws std::bad_alloc.
  static UnixClock& shared();

  Micros now() noexcept {
    const Micros instant = now_at_once();
    return instant >= 0 ? instant : read_system_clock();
  }

  /// The same, or a negative number where the system's clock has to be read: for callers that keep
  /// the rare case out of a hot path.
  [[nodiscard]] Micros now_at_once() const noexcept;

 private:
  /// Microseconds in 56.8 bits.
  using Fixed = std::uint64_t;

  /// Both clocks, each with the ticks at which it was read.
  struct Reading;

  UnixClock();
  Micros read_system_clock() noexcept;
  void set_anew(const Reading& reading) noexcept;
  void publish(const Reading& reading, std::uint64_t rate, std::uint64_t horizon) noexcept;

  static std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
    return __rdtsc();
#else
    return 0;
#endif
  }

  /// What readers need, valid while `version` is even and the same before and after. A reader's
  /// loads acquire and the writer's stores release: a value of a new version seen in between makes
  /// the change of `version` seen as well.
  std::atomic<std::uint32_t> version_ = 0;
  std::atomic<std::uint64_t> base_ticks_ = 0;
  std::atomic<Fixed> base_time_ = 0;
  std::atomic<std::uint64_t> rate_ = 0;     // Fixed in a tick, times 2^64
  std::atomic<std::uint64_t> horizon_ = 0;  // the ticks after which to set it anew; 0: never read

  const bool has_steady_ticks_;
  std::atomic<bool> is_being_set_ = false;
  // Where the measurement of the rate starts. Only whoever set `is_being_set_` looks at these.
  std::uint64_t measured_ticks_ = 0;
  std::int64_t measured_ns_ = 0;
};

[[gnu::always_inline]] inline Micros UnixClock::now_at_once() const noexcept {
  const std::uint32_t version = version_.load(std::memory_order_acquire);
  const std::uint64_t base_ticks = base_ticks_.load(std::memory_order_acquire);
  const Fixed base_time = base_time_.load(std::memory_order_acquire);
  const std::uint64_t rate = rate_.load(std::memory_order_acquire);
  const std::uint64_t horizon = horizon_.load(std::memory_order_acquire);
  // Neither odd nor changed, in one comparison.
  const bool is_whole = version_.load(std::memory_order_relaxed) == (version & ~1U);
  // Another core's counter may be behind the base: that makes a huge difference, and a slow read.
  const std::uint64_t passed = ticks() - base_ticks;
  if (is_whole && passed < horizon) [[likely]] {
    __extension__ using Product = unsigned __int128;
    const auto fixed = base_time + static_cast<Fixed>((Product{passed} * rate) >> 64);
    return static_cast<Micros>(fixed >> 8);
  }
  return -1;
}

}  // namespace ratelimit
