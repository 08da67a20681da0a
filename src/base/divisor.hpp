// Exact division by a number that is known long before: a multiplication in place of the
// instruction, which costs as much as all the rest of a decision.
#pragma once

#include <cstdint>

namespace ratelimit {

class Divisor {
 public:
  /// Requires: divisor >= 1.
  explicit Divisor(std::int64_t divisor)
      : divisor_(static_cast<std::uint64_t>(divisor)), reciprocal_(~std::uint64_t{0} / divisor_) {}

  [[nodiscard]] std::int64_t value() const { return static_cast<std::int64_t>(divisor_); }

  /// floor(n / divisor). Requires: n >= 0.
  [[nodiscard, gnu::always_inline]] std::int64_t quotient(std::int64_t n) const {
    // 2^64 / divisor - reciprocal is in (0, 1], so for n < 2^63 the estimate is right or one short.
    __extension__ using Product = unsigned __int128;
    const auto dividend = static_cast<std::uint64_t>(n);
    const auto estimate = static_cast<std::uint64_t>((Product{dividend} * reciprocal_) >> 64);
    const bool is_short = dividend - estimate * divisor_ >= divisor_;
    return static_cast<std::int64_t>(estimate + (is_short ? 1 : 0));
  }

  /// ceil(n / divisor). Requires: n >= 0.
  [[nodiscard, gnu::always_inline]] std::int64_t quotient_up(std::int64_t n) const {
    const std::int64_t down = quotient(n);
    return down + (n != down * value());
  }

  /// The largest multiple of the divisor that is not above n. For n < 0, which may be seen where
  /// what is seen is not used: any number.
  [[nodiscard, gnu::always_inline]] std::int64_t floor(std::int64_t n) const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(quotient(n)) * divisor_);
  }

  /// floor(n) where `likely`, a multiple, is likely it: then without waiting for a multiplication.
  [[nodiscard, gnu::always_inline]] std::int64_t floor(std::int64_t n, std::int64_t likely) const {
    return likely <= n && n - likely < value() ? likely : floor(n);
  }

 private:
  std::uint64_t divisor_;
  std::uint64_t reciprocal_;
};

}  // namespace ratelimit
