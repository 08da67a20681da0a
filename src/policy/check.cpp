#include "policy/check.hpp"

#include <algorithm>

#include "base/instant.hpp"

namespace ratelimit::policy {
namespace {

bool is_printable(char c) { return c >= 0x20 && c <= 0x7e; }

}  // namespace

Error invalid_argument(std::string message) {
  return Error{Errc::invalid_argument, std::move(message)};
}

Check& Check::range(std::string_view field, std::int64_t value, std::int64_t low,
                    std::int64_t high) {
  if (value < low) {
    fail(field, "is " + std::to_string(value) + "; it must be at least " + std::to_string(low));
  } else if (value > high) {
    fail(field, "is " + std::to_string(value) + "; it must be at most " + std::to_string(high));
  }
  return *this;
}

Check& Check::size(std::string_view field, std::string_view value, std::size_t most) {
  if (value.size() > most) {
    fail(field, quoted(value) + " has " + std::to_string(value.size()) +
                    " bytes; it must have at most " + std::to_string(most));
  }
  return *this;
}

Check& Check::count(std::string_view field, std::int64_t value) {
  return range(field, value, 1, kExactBound - 1);
}

Check& Check::span(std::string_view field, Duration value, Duration longest) {
  if (value < Duration(1)) {
    fail(field, "is " + std::to_string(value.count()) + " us; it must be at least 1 us");
  } else if (value > longest) {
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(longest).count();
    fail(field, "is " + std::to_string(value.count()) + " us; it must be at most " +
                    (hours % 24 == 0 ? std::to_string(hours / 24) + " days"
                                     : std::to_string(hours) + " h") +
                    " (" + std::to_string(longest.count()) + " us)");
  }
  return *this;
}

std::optional<std::int64_t> Check::largest_factor(std::int64_t value, std::int64_t factor) {
  const std::int64_t fits = (kExactBound - 1) / factor;
  if (value <= fits) return std::nullopt;
  return fits;
}

void Check::fail(std::string_view field, const std::string& problem) {
  if (error_) return;
  error_ = invalid_argument(std::string(owner_) + "." + std::string(field) + " " + problem);
}

void Check::fail_product(std::string_view what, const std::string& nearest) {
  error_ = invalid_argument(std::string(owner_) + ": " + std::string(what) +
                            " must be below 2^53 (" + std::to_string(kExactBound) +
                            "); the nearest policy that fits is " + nearest);
}

std::optional<Error> check_name(std::string_view name) {
  if (name.empty()) return invalid_argument("name is empty; it must have at least 1 character");
  if (name.size() > kLongestName) {
    return invalid_argument("name " + quoted(name) + " has " + std::to_string(name.size()) +
                            " characters; it must have at most " + std::to_string(kLongestName));
  }
  if (!std::all_of(name.begin(), name.end(), is_printable)) {
    return invalid_argument("name " + quoted(name) +
                            " has a character that is not printable ASCII (0x20 to 0x7e)");
  }
  return std::nullopt;
}

std::string quoted(std::string_view text, std::size_t most) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text.substr(0, most)) {
    if (is_printable(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  if (text.size() > most) out += "...";
  return out + "\"";
}

}  // namespace ratelimit::policy
