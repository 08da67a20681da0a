// A stream socket that never blocks but where it is told to wait, by a deadline. Never raises
// SIGPIPE, survives any signal, is closed on exec.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "redis/deadline.hpp"
#include "redis/transport.hpp"

namespace ratelimit::redis {

/// Where to connect to.
struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

class Socket final : public Transport {
 public:
  /// How far a connection has come.
  struct [[nodiscard]] Connecting {
    enum class Status : std::uint8_t {
      done,
      pending,  // wait until it may be written to, then `finish_connect`
      busy,     // the peer's queue is full, which cannot be waited for: start again in a while
      failed,
    };
    Status status = Status::done;
    int error = 0;  // an errno, where it failed
  };

  Socket() = default;
  ~Socket() override { close(); }

  /// Opens a connection, in place of the one that was open.
  Connecting start_connect(const Address& address);
  Connecting finish_connect();

  void close();

  IoStep open() override { return {}; }
  IoStep send(std::string_view bytes) override;
  IoStep receive(char* buffer, std::size_t size) override;

  /// Waits until one of `events` (POLLIN, POLLOUT; none: for the deadline) is there. Returns what
  /// is; 0 where nothing was by the deadline.
  [[nodiscard]] short wait_for(short events, const Deadline& deadline) const;

  /// Negative where it is closed. For others to build on: stays this object's.
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

/// What an errno means.
std::string error_text(int error);

}  // namespace ratelimit::redis
