#include "redis/socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace ratelimit::redis {
namespace {

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

IoStep failed_with(int error) {
  return {.status = IoStep::Status::failed, .text = error_text(error)};
}

}  // namespace

std::string error_text(int error) { return std::generic_category().message(error); }

void Socket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Socket::Connecting Socket::start_connect(const Address& address) {
  using Status = Connecting::Status;
  close();
  fd_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return {.status = Status::failed, .error = errno};
  if (address.storage.ss_family != AF_UNIX) {
    const int on = 1;
    (void)::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (::connect(fd_, address.get(), address.size) == 0) return {};
  if (would_block(errno)) return {.status = Status::busy};
  // After EINTR the connection is being made all the same.
  if (errno == EINPROGRESS || errno == EINTR) return {.status = Status::pending};
  return {.status = Status::failed, .error = errno};
}

Socket::Connecting Socket::finish_connect() {
  using Status = Connecting::Status;
  pollfd wanted{fd_, POLLOUT, 0};
  if (::poll(&wanted, 1, 0) <= 0) return {.status = Status::pending};
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  return {.status = error == 0 ? Status::done : Status::failed, .error = error};
}

IoStep Socket::send(std::string_view bytes) {
  for (;;) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return {.bytes = static_cast<std::size_t>(sent)};
    if (would_block(errno)) return {.status = IoStep::Status::want_write};
    if (errno != EINTR) return failed_with(errno);
  }
}

IoStep Socket::receive(char* buffer, std::size_t size) {
  for (;;) {
    const ssize_t received = ::recv(fd_, buffer, size, 0);
    if (received > 0) return {.bytes = static_cast<std::size_t>(received)};
    if (received == 0) return {.status = IoStep::Status::closed};
    if (would_block(errno)) return {.status = IoStep::Status::want_read};
    if (errno != EINTR) return failed_with(errno);
  }
}

short Socket::wait_for(short events, const Deadline& deadline) const {
  pollfd wanted{events == 0 ? -1 : fd_, events, 0};
  for (;;) {
    const timespec left = deadline.left();
    const int ready = ::ppoll(&wanted, 1, &left, nullptr);
    if (ready > 0) return wanted.revents;  // an error or hang-up shows in the next transfer
    if (ready == 0 || errno != EINTR) return 0;
  }
}

}  // namespace ratelimit::redis
