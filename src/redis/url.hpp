// Where a server is and who we are there, read from a URL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ratelimit/result.hpp"

namespace ratelimit::redis {

struct Endpoint {
  std::string host;  // a name or a numeric address; empty for a unix socket
  std::uint16_t port = 6379;
  std::string path;  // of a unix socket
  std::string user;
  std::string password;
  std::int64_t database = 0;
  bool tls = false;

  [[nodiscard]] bool is_unix() const { return !path.empty(); }

  /// For messages: "host:port" or the path, with no secret in it.
  [[nodiscard]] std::string name() const;
};

/// Reads redis://[user:password@]host[:port][/db], rediss:// with the same, which is by TLS, and
/// unix://[user:password@]path[?db=N].
///
/// Errors: Errc::invalid_argument; the text shows the URL with user and password struck out.
Result<Endpoint> parse_url(std::string_view url);

}  // namespace ratelimit::redis
