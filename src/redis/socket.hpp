// A stream socket whose every wait ends by a deadline. Never raises SIGPIPE, survives any signal,
// is closed on exec.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "redis/deadline.hpp"

namespace ratelimit::redis {

/// Where to connect to.
struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// How a wait or a transfer ended: 0, or an errno. ETIMEDOUT stands for the deadline as well.
struct [[nodiscard]] IoResult {
  int error = 0;
  std::size_t bytes = 0;  // transferred

  [[nodiscard]] bool ok() const { return error == 0; }
  [[nodiscard]] std::string text() const;
};

class Socket {
 public:
  Socket() = default;
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket();

  /// Opens a connection.
  IoResult connect(const Address& address, const Deadline& deadline);

  /// Sends all of `bytes`. Where it fails, the peer has not got all of them.
  IoResult send(std::string_view bytes, const Deadline& deadline);

  /// Receives what there is, at least one byte; 0 bytes and no error: the peer has closed.
  IoResult receive(char* buffer, std::size_t size, const Deadline& deadline);

  /// Whether the connection is open and nothing has arrived. Does not block.
  [[nodiscard]] bool is_quiet() const;

 private:
  IoResult wait_for(short events, const Deadline& deadline) const;

  int fd_ = -1;
};

}  // namespace ratelimit::redis
