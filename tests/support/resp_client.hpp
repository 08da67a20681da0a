// A plain client for tests to look at a server with: one command, one reply, nothing of the library
// under test.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace ratelimit::testing {

/// What a server answered.
struct RespReply {
  enum class Type : std::uint8_t { text, error, integer, nil, list };
  Type type = Type::nil;
  std::string text;  // of text and error
  std::int64_t integer = 0;
  std::vector<RespReply> list;

  [[nodiscard]] bool is_error() const { return type == Type::error; }
  [[nodiscard]] bool is_nil() const { return type == Type::nil; }
};

/// One blocking connection. Whatever goes wrong with it throws std::runtime_error.
class RespClient {
 public:
  /// Connects to a loopback port, or to a unix socket.
  explicit RespClient(int port);
  explicit RespClient(const std::string& socket_path);
  ~RespClient();
  RespClient(const RespClient&) = delete;
  RespClient& operator=(const RespClient&) = delete;

  /// Sends one command and returns its reply, be it an error.
  RespReply command(const std::vector<std::string>& words);

  /// The same where an error reply is thrown too.
  RespReply expect(const std::vector<std::string>& words);

 private:
  void send(std::string_view bytes) const;
  char take_byte();
  std::string take_line();
  std::string take_bytes(std::size_t count);
  RespReply take_reply();

  int fd_ = -1;
  std::string buffer_;
  std::size_t read_ = 0;  // of buffer_
};

}  // namespace ratelimit::testing
