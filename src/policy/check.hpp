// Checks of what users pass in. Each failure names the field, its value and the bound it broke.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ratelimit/error.hpp"
#include "ratelimit/time.hpp"

namespace ratelimit::policy {

/// The longest period or window.
inline constexpr Duration kLongestSpan = std::chrono::hours(366 * 24);

/// The longest limiter name, in characters.
inline constexpr std::size_t kLongestName = 255;

/// The most keys that a table in memory is made for.
inline constexpr std::int64_t kMostKeys = std::int64_t{1} << 40;

/// The least and the most memory for logs, in bytes.
inline constexpr std::int64_t kLeastLogBytes = 4096;
inline constexpr std::int64_t kMostLogBytes = std::int64_t{1} << 40;

Error invalid_argument(std::string message);

/// Keeps the first thing found wrong with the fields of one policy or option struct.
class Check {
 public:
  /// `owner` is put before the field's name, as in "TokenBucket.capacity".
  explicit Check(std::string_view owner) : owner_(owner) {}

  /// `low <= value <= high`.
  Check& range(std::string_view field, std::int64_t value, std::int64_t low, std::int64_t high);

  /// A text of at most `most` bytes.
  Check& size(std::string_view field, std::string_view value, std::size_t most);

  /// A count: at least 1, below 2^53.
  Check& count(std::string_view field, std::int64_t value);

  /// A span: at least 1 us, at most `longest`, which is a whole number of hours.
  Check& span(std::string_view field, Duration value, Duration longest = kLongestSpan);

  /// `field * factor` is below 2^53. `what` says in words what is multiplied; `nearest(v)`
  /// describes the policy with v, the largest value that fits, in place of the field's.
  template <class Nearest>
  Check& product(std::string_view what, std::int64_t value, std::int64_t factor, Nearest nearest) {
    if (!error_) {
      if (const auto fits = largest_factor(value, factor)) fail_product(what, nearest(*fits));
    }
    return *this;
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  static std::optional<std::int64_t> largest_factor(std::int64_t value, std::int64_t factor);
  void fail(std::string_view field, const std::string& problem);
  void fail_product(std::string_view what, const std::string& nearest);

  std::string_view owner_;
  std::optional<Error> error_;
};

/// A limiter's name: 1 to 255 printable ASCII characters.
std::optional<Error> check_name(std::string_view name);

/// `text` between quotes, with what is not printable ASCII as \xNN, cut after `most` characters.
std::string quoted(std::string_view text, std::size_t most = 64);

}  // namespace ratelimit::policy
