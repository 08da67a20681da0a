// One deadline for a whole call: made where the call begins and handed down to each wait in it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>

#include "ratelimit/time.hpp"

namespace ratelimit::redis {

class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Deadline(Duration from_now) : at_(Clock::now() + from_now) {}

  [[nodiscard]] Clock::time_point at() const { return at_; }

  [[nodiscard]] bool passed() const { return Clock::now() >= at_; }

  /// The one that passes first.
  [[nodiscard]] Deadline or_sooner(const Deadline& other) const {
    return other.at_ < at_ ? other : *this;
  }

  /// A nearer one: at an equal share of the time that is left, of `shares`.
  [[nodiscard]] Deadline share(std::size_t shares) const {
    const auto now = Clock::now();
    Deadline nearer = *this;
    if (at_ > now) nearer.at_ = now + (at_ - now) / static_cast<Clock::rep>(shares);
    return nearer;
  }

  /// What is left, as ppoll wants it; 0 once it has passed.
  [[nodiscard]] timespec left() const {
    return as_timespec(std::max(Clock::duration::zero(), at_ - Clock::now()));
  }

  /// The instant, as CLOCK_MONOTONIC tells it.
  [[nodiscard]] timespec monotonic() const { return as_timespec(at_.time_since_epoch()); }

 private:
  static timespec as_timespec(Clock::duration span) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(span);
    return {static_cast<time_t>(seconds.count()), static_cast<long>((span - seconds).count())};
  }

  Clock::time_point at_;
};

}  // namespace ratelimit::redis
