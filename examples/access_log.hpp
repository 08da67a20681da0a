// Reads a web server's access log, in Common or Combined Log Format:
//
//   client ident user [01/Jul/1995:00:00:01 -0400] "request" status size ...
//
// Total: every sequence of bytes is either read or refused with the reason; nothing is fatal. Only
// the client and the time are kept; the rest is checked for its form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

#include "ratelimit/result.hpp"
#include "ratelimit/time.hpp"

namespace examples {

/// What one line says. `client` points into the line.
struct LogLine {
  std::string_view client;
  ratelimit::TimePoint time;
};

/// Reads one line, without its line feed; a carriage return at its end is ignored.
///
/// The client is any 1 to 255 printable bytes (a host name, IPv4 or IPv6), any time zone counts,
/// and quotes inside the request need no escape. Errors: what is wrong with the line.
ratelimit::Result<LogLine> read_log_line(std::string_view line);

/// A log, read as a whole.
struct AccessLog {
  struct Request {
    std::size_t client;  // index into `clients`
    ratelimit::TimePoint time;
  };
  struct BadLine {
    std::uint64_t number;  // in the log, from 1
    std::string reason;
    std::string text;  // its beginning
  };

  std::vector<std::string> clients;  // each once, in order of appearance
  std::vector<Request> requests;     // in the order of the log
  std::uint64_t bad_lines = 0;
  std::vector<BadLine> first_bad_lines;  // at most 5
};

/// The longest line that is read, in bytes. Servers that bound a request's fields stay well below.
inline constexpr std::size_t kLongestLine = std::size_t{1} << 20;

/// Reads the log to its end; afterwards `in.bad()` tells whether that was a failure to read.
///
/// Memory: 16 bytes a request, and each client twice.
AccessLog read_access_log(std::istream& in);

/// `text` with every byte that could disturb a terminal as \xHH.
std::string printable(std::string_view text);

}  // namespace examples
