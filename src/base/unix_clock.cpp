#include "base/unix_clock.hpp"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace ratelimit {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::int64_t kMillisecond = 1'000'000;  // in ns
constexpr std::int64_t kSetEvery = 10 * kMillisecond;

/// Whether the processor's counter runs at one rate on every core, asleep or awake, and the kernel
/// trusts it.
bool has_steady_ticks() {
#if defined(__x86_64__)
  constexpr unsigned kAdvancedPowerManagement = 0x80000007;
  constexpr unsigned kInvariant = 1U << 8;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid(kAdvancedPowerManagement, &eax, &ebx, &ecx, &edx) == 0) return false;
  if ((edx & kInvariant) == 0) return false;
  std::string source;
  std::ifstream("/sys/devices/system/clocksource/clocksource0/current_clocksource") >> source;
  return source == "tsc";
#else
  return false;
#endif
}

std::int64_t nanoseconds(clockid_t clock) {
  timespec now{};
  (void)::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

Micros as_instant(std::int64_t unix_ns) {
  return std::clamp<Micros>(unix_ns / 1000, 0, kLatestInstant);
}

}  // namespace

struct UnixClock::Reading {
  std::uint64_t steady_ticks, unix_ticks;
  std::int64_t steady_ns, unix_ns;

  static Reading take() {
    Reading best{};
    std::uint64_t least = ~std::uint64_t{0};
    for (int i = 0; i < 3; ++i) {  // the one that was interrupted least
      const std::uint64_t start = ticks();
      const std::int64_t steady_ns = nanoseconds(CLOCK_MONOTONIC);
      const std::uint64_t middle = ticks();
      const std::int64_t unix_ns = nanoseconds(CLOCK_REALTIME);
      const std::uint64_t end = ticks();
      if (end - start >= least) continue;
      least = end - start;
      best = {start + (middle - start) / 2, middle + (end - middle) / 2, steady_ns, unix_ns};
    }
    return best;
  }
};

UnixClock& UnixClock::shared() {
  static UnixClock clock;
  return clock;
}

UnixClock::UnixClock() : has_steady_ticks_(has_steady_ticks()) {}

Micros UnixClock::read_system_clock() noexcept {
  // While one caller sets it anew the others go on without waiting.
  if (has_steady_ticks_ && !is_being_set_.exchange(true, std::memory_order_acquire)) {
    const Reading reading = Reading::take();
    set_anew(reading);
    is_being_set_.store(false, std::memory_order_release);
    return as_instant(reading.unix_ns);
  }
  return as_instant(nanoseconds(CLOCK_REALTIME));
}

void UnixClock::set_anew(const Reading& reading) noexcept {
  const std::uint64_t passed_ticks = reading.steady_ticks - measured_ticks_;
  const std::int64_t passed_ns = reading.steady_ns - measured_ns_;
  const std::uint64_t old_rate = rate_.load(std::memory_order_relaxed);
  if (measured_ticks_ != 0 && passed_ns < kSetEvery) {
    // Too soon to measure. With a rate known: this core's counter is behind, or readers just met.
    if (old_rate != 0) publish(reading, old_rate, horizon_.load(std::memory_order_relaxed));
    return;
  }
  const bool is_plausible = measured_ticks_ != 0 && passed_ns < std::int64_t{1} << 55 &&
                            passed_ticks > static_cast<std::uint64_t>(passed_ns) / 2 &&
                            passed_ticks < static_cast<std::uint64_t>(passed_ns) * 16;
  measured_ticks_ = reading.steady_ticks;
  measured_ns_ = reading.steady_ns;
  if (!is_plausible) return publish(reading, 0, 0);
  // ns * 256 / 1000 a tick, times 2^64.
  const auto rate = static_cast<std::uint64_t>((Wide(static_cast<std::uint64_t>(passed_ns)) << 72) /
                                               1000 / passed_ticks);
  // A rate that jumped was measured over a sleep or a move to another machine.
  const std::uint64_t jump = rate > old_rate ? rate - old_rate : old_rate - rate;
  if (old_rate != 0 && jump > old_rate / 1000) return publish(reading, 0, 0);
  publish(reading, rate,
          static_cast<std::uint64_t>(Wide(passed_ticks) * kSetEvery /
                                     static_cast<std::uint64_t>(passed_ns)));
}

void UnixClock::publish(const Reading& reading, std::uint64_t rate,
                        std::uint64_t horizon) noexcept {
  const std::uint32_t version = version_.load(std::memory_order_relaxed);
  version_.store(version + 1, std::memory_order_relaxed);
  // So far below the latest instant that none until the next time is above it.
  constexpr std::int64_t kLatest = (kLatestInstant - 60'000'000) * 1000;
  const auto unix_ns =
      static_cast<std::uint64_t>(std::clamp<std::int64_t>(reading.unix_ns, 0, kLatest));
  base_ticks_.store(reading.unix_ticks, std::memory_order_release);
  base_time_.store(static_cast<Fixed>(Wide(unix_ns) * 256 / 1000), std::memory_order_release);
  rate_.store(rate, std::memory_order_release);
  horizon_.store(horizon, std::memory_order_release);
  version_.store(version + 2, std::memory_order_release);
}

}  // namespace ratelimit
