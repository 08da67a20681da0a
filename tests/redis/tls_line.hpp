// A transport driven to the end of each step: what an engine does, in the plainest way, bounded.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "redis/tls.hpp"

namespace ratelimit::testing {

using redis::IoStep;
using Status = IoStep::Status;

/// Connected to a port of 127.0.0.1. Throws std::system_error.
inline int connected_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* const any = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(fd, any, sizeof address) == 0) return fd;
  const int why = errno;
  ::close(fd);
  throw std::system_error(why, std::generic_category(), "connect");
}

class TlsLine {
 public:
  TlsLine(const redis::TlsContext& context, int port, const std::string& host)
      : fd_(connected_to(port)) {
    (void)::fcntl(fd_, F_SETFL, O_NONBLOCK);
    transport_ = context.over(fd_, host);
  }
  ~TlsLine() {
    transport_.reset();
    ::close(fd_);
  }
  TlsLine(const TlsLine&) = delete;
  TlsLine& operator=(const TlsLine&) = delete;

  redis::Transport& transport() { return *transport_; }

  IoStep open() {
    return finish([this] { return transport_->open(); });
  }

  /// All of `bytes`; each attempt from another place in memory.
  IoStep send(std::string_view bytes) {
    IoStep step;
    while (!bytes.empty() && step.status == Status::done) {
      step = finish([&] { return transport_->send(std::string(bytes)); });
      if (step.status == Status::done) bytes.remove_prefix(step.bytes);
    }
    return step;
  }

  /// Receives until `size` bytes have come, `at_once` at a time at most, and keeps them in `heard`.
  IoStep receive(std::size_t size, std::size_t at_once = 4096) {
    IoStep step;
    std::string piece(at_once, '\0');
    heard.clear();
    while (heard.size() < size && step.status == Status::done) {
      step = finish([&] { return transport_->receive(piece.data(), piece.size()); });
      if (step.status == Status::done) heard.append(piece, 0, step.bytes);
    }
    return step;
  }

  /// Opens the session and asks for a PONG. Returns why there is none; empty where it came.
  std::string ping() {
    constexpr std::string_view kPong = "+PONG\r\n";
    IoStep step = open();
    if (step.status == Status::done) step = send("PING\r\n");
    if (step.status == Status::done) step = receive(kPong.size());
    if (step.status == Status::closed) return "closed";
    if (step.status == Status::failed) return step.text;
    return heard == kPong ? "" : "an answer other than PONG: " + heard;
  }

  std::string heard;
  std::chrono::milliseconds patience = std::chrono::seconds(20);  // for one step

 private:
  template <class Step>
  IoStep finish(Step take) {
    using std::chrono::steady_clock;
    const auto deadline = steady_clock::now() + patience;
    for (;;) {
      IoStep step = take();
      const bool reads = step.status == Status::want_read;
      if (!reads && step.status != Status::want_write) return step;
      pollfd wanted{fd_, static_cast<short>(reads ? POLLIN : POLLOUT), 0};
      const bool ready = ::poll(&wanted, 1, 100) > 0;
      if (!ready && steady_clock::now() > deadline) {
        return {.status = Status::failed, .text = "out of patience: " + step.text};
      }
    }
  }

  int fd_;
  std::unique_ptr<redis::Transport> transport_;
};

}  // namespace ratelimit::testing
