#include "support/scripted_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace ratelimit::testing {
namespace {

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

sockaddr_in loopback(const std::string& text, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1) {
    throw std::invalid_argument("not an address: " + text);
  }
  return address;
}

struct Listener {
  int fd;
  int port;
};

Listener listen_on(const std::string& text, int port, int backlog) {
  const int fd = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address = loopback(text, port);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  checked(::bind(fd, any, sizeof address), "bind");
  checked(::listen(fd, backlog), "listen");
  socklen_t size = sizeof address;
  checked(::getsockname(fd, any, &size), "getsockname");
  return {fd, ntohs(address.sin_port)};
}

}  // namespace

Peer::Wait Peer::wait_for(short events, int milliseconds) const {
  std::array<pollfd, 2> wanted{{{fd_, events, 0}, {stop_fd_, POLLIN, 0}}};
  const int ready = ::poll(wanted.data(), wanted.size(), milliseconds);
  if (ready == 0 || (ready < 0 && errno == EINTR)) return Wait::quiet;
  if (wanted[1].revents != 0 || (wanted[0].revents & (POLLERR | POLLHUP)) != 0) return Wait::over;
  return wanted[0].revents != 0 ? Wait::ready : Wait::quiet;
}

bool Peer::listen() {
  std::array<char, 4096> buffer;
  while (wait_for(POLLIN, -1) == Wait::ready) {
    const auto got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    heard_.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }
  return false;
}

bool Peer::say(std::string_view bytes) {
  while (!bytes.empty()) {
    if (wait_for(POLLOUT, -1) != Wait::ready) return false;
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Peer::drip(std::string_view bytes, std::chrono::milliseconds pause) {
  for (const char& byte : bytes) {
    if (wait_for(0, static_cast<int>(pause.count())) == Wait::over) return;
    if (!say({&byte, 1})) return;
  }
}

void Peer::flood(std::string_view bytes, std::size_t total) {
  for (std::size_t sent = 0; sent < total; sent += bytes.size()) {
    if (!say(bytes)) return;
  }
}

void Peer::hang() {
  while (listen()) {
  }
}

void Peer::ignore() const {
  pollfd wanted{stop_fd_, POLLIN, 0};
  while (::poll(&wanted, 1, -1) < 0) {
  }
}

void Peer::reset() const {
  const linger at_once{1, 0};
  (void)::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

ScriptedServer::ScriptedServer(Script script, const std::string& address, int port)
    : script_(std::move(script)) {
  const Listener listener = listen_on(address, port, 128);
  listener_ = listener.fd;
  port_ = listener.port;
  stop_fd_ = checked(::eventfd(0, EFD_CLOEXEC), "eventfd");
  acceptor_ = std::thread([this] { accept_all(); });
}

void ScriptedServer::accept_all() {
  std::array<pollfd, 2> wanted{{{listener_, POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
  for (;;) {
    if (::poll(wanted.data(), wanted.size(), -1) < 0) continue;
    if (wanted[1].revents != 0) return;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++accepted_;
    conversations_.emplace_back([this, fd] {
      Peer peer(fd, stop_fd_);
      script_(peer);
      ::close(fd);
    });
  }
}

ScriptedServer::~ScriptedServer() {
  const std::uint64_t one = 1;
  (void)!::write(stop_fd_, &one, sizeof one);
  acceptor_.join();
  for (auto& conversation : conversations_) conversation.join();
  ::close(listener_);
  ::close(stop_fd_);
}

std::string refused_url() {
  const Listener listener = listen_on("127.0.0.1", 0, 1);
  ::close(listener.fd);
  return "redis://127.0.0.1:" + std::to_string(listener.port);
}

FullBacklog::FullBacklog(const std::string& address) {
  const Listener listener = listen_on(address, 0, 0);
  listener_ = listener.fd;
  port_ = listener.port;
  const sockaddr_in target = loopback(address, port_);
  for (int i = 0; i < 8; ++i) {
    const int fd =
        checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
    (void)::connect(fd, reinterpret_cast<const sockaddr*>(&target), sizeof target);
    waiting_.push_back(fd);
  }
}

FullBacklog::~FullBacklog() {
  for (const int fd : waiting_) ::close(fd);
  ::close(listener_);
}

}  // namespace ratelimit::testing
