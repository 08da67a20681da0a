#include "redis/socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace ratelimit::redis {
namespace {

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

/// A full backlog of a unix socket cannot be waited for, only asked again.
IoResult pause_briefly(const Deadline& deadline) {
  constexpr timespec kPause{0, 200'000};
  const timespec left = deadline.left();
  if (left.tv_sec == 0 && left.tv_nsec == 0) return {.error = ETIMEDOUT};
  const bool is_short = left.tv_sec == 0 && left.tv_nsec < kPause.tv_nsec;
  (void)ppoll(nullptr, 0, is_short ? &left : &kPause, nullptr);
  return {};
}

}  // namespace

std::string IoResult::text() const { return std::generic_category().message(error); }

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

IoResult Socket::connect(const Address& address, const Deadline& deadline) {
  fd_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return {.error = errno};
  if (address.storage.ss_family != AF_UNIX) {
    const int on = 1;
    (void)::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  while (::connect(fd_, address.get(), address.size) != 0) {
    if (would_block(errno)) {
      if (const auto paused = pause_briefly(deadline); !paused.ok()) return paused;
      continue;
    }
    // After EINTR the connection is being made all the same.
    if (errno != EINPROGRESS && errno != EINTR) return {.error = errno};
    if (const auto ready = wait_for(POLLOUT, deadline); !ready.ok()) return ready;
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    return {.error = error};
  }
  return {};
}

IoResult Socket::send(std::string_view bytes, const Deadline& deadline) {
  IoResult result;
  while (result.bytes < bytes.size()) {
    const auto rest = bytes.substr(result.bytes);
    const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      result.bytes += static_cast<std::size_t>(sent);
    } else if (would_block(errno)) {
      if (const auto ready = wait_for(POLLOUT, deadline); !ready.ok()) return ready;
    } else if (errno != EINTR) {
      return {.error = errno, .bytes = result.bytes};
    }
  }
  return result;
}

IoResult Socket::receive(char* buffer, std::size_t size, const Deadline& deadline) {
  for (;;) {
    const ssize_t received = ::recv(fd_, buffer, size, 0);
    if (received >= 0) return {.bytes = static_cast<std::size_t>(received)};
    if (would_block(errno)) {
      if (const auto ready = wait_for(POLLIN, deadline); !ready.ok()) return ready;
    } else if (errno != EINTR) {
      return {.error = errno};
    }
  }
}

bool Socket::is_quiet() const {
  char byte = 0;
  return ::recv(fd_, &byte, 1, MSG_PEEK) < 0 && would_block(errno);
}

IoResult Socket::wait_for(short events, const Deadline& deadline) const {
  pollfd wanted{fd_, events, 0};
  for (;;) {
    const timespec left = deadline.left();
    const int ready = ::ppoll(&wanted, 1, &left, nullptr);
    if (ready > 0) return {};  // an error or hang-up shows in the next transfer
    if (ready == 0) return {.error = ETIMEDOUT};
    if (errno != EINTR) return {.error = errno};
  }
}

}  // namespace ratelimit::redis
