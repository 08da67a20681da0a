#include "access_log.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>

namespace examples {
namespace {

constexpr std::size_t kLongestClient = 255;  // a host name has at most 253
constexpr std::size_t kBadLinesKept = 5;
constexpr std::size_t kBadTextKept = 80;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_printable(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f;
}

/// Removes `prefix` from the front of `rest`, if it is there.
bool skip(std::string_view& rest, std::string_view prefix) {
  if (!rest.starts_with(prefix)) return false;
  rest.remove_prefix(prefix.size());
  return true;
}

/// Removes a field and the one space after it; empty if there is no such.
std::string_view take_field(std::string_view& rest) {
  const std::size_t end = rest.find(' ');
  if (end == std::string_view::npos) return {};
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return field;
}

/// Whether `stamp` is like "01/Jul/1995:00:00:01 -0400", digit for digit.
bool has_shape_of_time(std::string_view stamp) {
  constexpr std::string_view kShape = "00/aaa/0000:00:00:00 +0000";
  return std::equal(stamp.begin(), stamp.end(), kShape.begin(), kShape.end(), [](char c, char as) {
    if (as == '0') return is_digit(c);
    if (as == '+') return c == '+' || c == '-';
    return as == 'a' || c == as;
  });
}

std::optional<std::chrono::month> read_month(std::string_view name) {
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto* const found = std::find(kMonths.begin(), kMonths.end(), name);
  if (found == kMonths.end()) return std::nullopt;
  return std::chrono::month(static_cast<unsigned>(found - kMonths.begin()) + 1);
}

std::optional<ratelimit::TimePoint> read_time(std::string_view stamp) {
  namespace chrono = std::chrono;
  if (!has_shape_of_time(stamp)) return std::nullopt;
  const auto number = [stamp](std::size_t at, std::size_t digits) {
    int value = 0;
    for (const char c : stamp.substr(at, digits)) value = value * 10 + (c - '0');
    return value;
  };
  const auto month = read_month(stamp.substr(3, 3));
  if (!month) return std::nullopt;
  const chrono::year_month_day date(chrono::year(number(7, 4)), *month,
                                    chrono::day(static_cast<unsigned>(number(0, 2))));
  const chrono::hours hour(number(12, 2));
  const chrono::minutes minute(number(15, 2));
  const chrono::seconds second(number(18, 2));
  const chrono::hours zone_hour(number(22, 2));
  const chrono::minutes zone_minute(number(24, 2));
  if (!date.ok() || hour.count() > 23 || minute.count() > 59 || second.count() > 60 ||
      zone_hour.count() > 23 || zone_minute.count() > 59) {
    return std::nullopt;
  }
  const chrono::seconds zone = zone_hour + zone_minute;
  const chrono::sys_seconds time =
      chrono::sys_days(date) + hour + minute + second + (stamp[21] == '-' ? zone : -zone);
  // A 60th second is a leap second, and these end a day of UTC. Unix time gives it to the next day.
  if (second.count() == 60 && time != chrono::floor<chrono::days>(time)) return std::nullopt;
  return time;
}

/// Whether `rest` goes on as after the request's closing quote: a status and a size, then perhaps
/// more.
bool is_status_and_size(std::string_view rest) {
  if (!skip(rest, " ")) return false;
  const std::string_view status = take_field(rest);
  const std::string_view size = rest.substr(0, rest.find(' '));
  return status.size() == 3 && std::all_of(status.begin(), status.end(), is_digit) &&
         (size == "-" || (!size.empty() && std::all_of(size.begin(), size.end(), is_digit)));
}

/// Whether `rest` is a quoted request with its status and size. Old servers put the client's own
/// quotes into the request as they are, so the closing one is known by what follows it.
bool is_request(std::string_view rest) {
  if (!skip(rest, "\"")) return false;
  for (std::size_t quote = rest.find('"'); quote != std::string_view::npos;
       quote = rest.find('"', quote + 1)) {
    if (is_status_and_size(rest.substr(quote + 1))) return true;
  }
  return false;
}

ratelimit::Error bad(const char* reason) { return {ratelimit::Errc::invalid_argument, reason}; }

/// Gives each client its index.
class ClientNumbers {
 public:
  explicit ClientNumbers(std::vector<std::string>& clients) : clients_(clients) {}

  std::size_t operator[](std::string_view client) {
    const auto [place, is_new] = numbers_.try_emplace(std::string(client), clients_.size());
    if (is_new) clients_.push_back(place->first);
    return place->second;
  }

 private:
  std::vector<std::string>& clients_;
  std::unordered_map<std::string, std::size_t> numbers_;
};

}  // namespace

ratelimit::Result<LogLine> read_log_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return bad("empty");
  std::string_view rest = line;
  const std::string_view client = take_field(rest);
  if (client.empty() || !std::all_of(client.begin(), client.end(), is_printable)) {
    return bad("no client at its start");
  }
  if (client.size() > kLongestClient) return bad("client longer than 255 bytes");
  if (take_field(rest).empty() || take_field(rest).empty() || !skip(rest, "[")) {
    return bad("no \"ident user [time]\" after the client");
  }
  const std::size_t end = rest.find(']');
  const auto time = read_time(rest.substr(0, end));
  if (!time || end == std::string_view::npos)
    return bad("no time like [01/Jul/1995:00:00:01 -0400]");
  rest.remove_prefix(end + 1);
  if (!skip(rest, " ") || !is_request(rest)) {
    return bad("no \"request\" with status and size after the time");
  }
  return LogLine{client, *time};
}

AccessLog read_access_log(std::istream& in) {
  AccessLog log;
  ClientNumbers numbers(log.clients);
  std::vector<char> buffer(kLongestLine + 1);
  for (std::uint64_t number = 1;; ++number) {
    // Into a buffer of fixed size: a file that holds no line feed must not take all the memory.
    in.getline(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    auto length = static_cast<std::size_t>(in.gcount());
    if (in.bad() || (length == 0 && in.fail())) return log;
    const bool too_long = in.fail();
    if (too_long) {
      in.clear();
      in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    } else if (!in.eof()) {
      --length;  // the line feed
    }
    const std::string_view text(buffer.data(), length);
    const auto line = too_long ? bad("longer than 1 MiB") : read_log_line(text);
    if (line) {
      log.requests.push_back({numbers[line->client], line->time});
    } else if (++log.bad_lines <= kBadLinesKept) {
      log.first_bad_lines.push_back(
          {number, line.error().message, std::string(text.substr(0, kBadTextKept))});
    }
  }
}

std::string printable(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      result += c;
    } else {
      result += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return result;
}

}  // namespace examples
