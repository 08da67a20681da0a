// What the benchmarks of the Redis backend send without the library: bytes over a socket, and the
// library's own commands, recorded and sent again.
//
// They are recorded from a limiter that is asked through a proxy, so nothing here knows what the
// library says to its scripts, or how it names its keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ratelimit/ratelimit.hpp"
#include "support/redis_server.hpp"

namespace ratelimit::bench {

/// How a server is reached.
struct Route {
  std::string url;
  std::string socket_path;  // empty: by TCP
  int port = 0;
};

Route unix_route(const testing::RedisServer& server);
Route tcp_route(const testing::RedisServer& server);

/// One blocking connection. Whatever goes wrong with it throws std::runtime_error.
class Wire {
 public:
  explicit Wire(const Route& route);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void send(std::string_view bytes) const;

  /// Waits for `count` replies. Returns their bytes, good until the next call.
  std::string_view receive(std::size_t count);

  /// How many of the replies so far were errors.
  [[nodiscard]] std::int64_t errors() const { return errors_; }

 private:
  void fill();

  int fd_ = -1;
  std::string buffer_;
  std::size_t taken_ = 0;  // of buffer_
  std::int64_t errors_ = 0;
};

/// A command whose key is to be filled in.
class Command {
 public:
  /// `bytes` as they are sent for `key`, which they hold at least once.
  Command(std::string_view bytes, std::string_view key);

  /// Appends the bytes for another key of the same size.
  void append_to(std::string& out, std::string_view key) const {
    out.append(before_);
    for (const std::string& part : after_) out.append(key).append(part);
  }

 private:
  std::string before_;              // the first key
  std::vector<std::string> after_;  // each key
};

/// The bytes of a command.
std::string encoded(const std::vector<std::string>& words);

/// The limiter whose commands are recorded.
struct Recorded {
  std::string prefix = RedisOptions{}.prefix;
  std::string name = "bench";
  Policy policy;
};

/// What the library sends for one `allow` of `key`. Charges it; the server has the script then.
Command record(const testing::RedisServer& server, const Recorded& limiter, std::string_view key);

}  // namespace ratelimit::bench
