#include "redis_wire.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "support/scripted_server.hpp"

namespace ratelimit::bench {
namespace {

using testing::Peer;
using testing::ScriptedServer;

constexpr std::size_t kIncomplete = std::string_view::npos;

/// Where the reply, or the command, that starts at `at` ends.
std::size_t end_of_one(std::string_view bytes, std::size_t at) {
  const std::size_t line_end = bytes.find('\n', at);
  if (line_end == kIncomplete) return kIncomplete;
  const std::size_t next = line_end + 1;
  const char type = bytes[at];
  if (type != '$' && type != '*') return next;
  std::int64_t size = 0;
  std::from_chars(bytes.data() + at + 1, bytes.data() + line_end, size);
  if (size < 0) return next;
  const auto count = static_cast<std::size_t>(size);
  if (type == '$') return bytes.size() < next + count + 2 ? kIncomplete : next + count + 2;
  std::size_t end = next;
  for (std::size_t i = 0; i < count && end != kIncomplete; ++i) end = end_of_one(bytes, end);
  return end;
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

template <class Address>
int connected(const Address& address) {
  const auto* const raw = reinterpret_cast<const sockaddr*>(&address);
  const int fd = ::socket(raw->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  if (::connect(fd, raw, sizeof address) == 0) return fd;
  const int why = errno;
  ::close(fd);
  errno = why;
  fail("connecting to the server");
}

int connected_by_tcp(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = connected(address);
  const int on = 1;
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

int connected_by_unix_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long: " + path);
  std::copy(path.begin(), path.end(), std::begin(address.sun_path));
  return connected(address);
}

/// Hands on what the client says, and what the server answers, until the client has gone.
void forward(Peer& peer, const Route& to) {
  Wire server(to);
  std::size_t handed_on = 0;
  while (peer.listen()) {
    const std::string_view heard = peer.heard();
    std::size_t commands = 0;
    std::size_t end = handed_on;
    for (std::size_t next = end; end < heard.size(); end = next, ++commands) {
      next = end_of_one(heard, end);
      if (next == kIncomplete) break;
    }
    server.send(heard.substr(handed_on, end - handed_on));
    handed_on = end;
    peer.say(server.receive(commands));
  }
}

/// The last command that holds `key`.
std::string_view last_with(std::string_view key, std::string_view conversation) {
  std::string_view found;
  for (std::size_t at = 0, end = 0; at < conversation.size(); at = end) {
    end = end_of_one(conversation, at);
    if (end == kIncomplete) break;
    const std::string_view command = conversation.substr(at, end - at);
    if (command.find(key) != std::string_view::npos) found = command;
  }
  return found;
}

}  // namespace

Route unix_route(const testing::RedisServer& server) {
  return {.url = server.unix_url(), .socket_path = server.socket_path()};
}

Route tcp_route(const testing::RedisServer& server) {
  return {.url = server.url(), .port = server.port()};
}

Wire::Wire(const Route& route)
    : fd_(route.socket_path.empty() ? connected_by_tcp(route.port)
                                    : connected_by_unix_socket(route.socket_path)) {}

Wire::~Wire() { ::close(fd_); }

void Wire::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) fail("sending to the server");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string_view Wire::receive(std::size_t count) {
  buffer_.erase(0, taken_);
  taken_ = 0;
  while (count > 0) {
    const std::size_t end = end_of_one(buffer_, taken_);
    if (end == kIncomplete) {
      fill();
      continue;
    }
    if (buffer_[taken_] == '-') ++errors_;
    taken_ = end;
    --count;
  }
  return {buffer_.data(), taken_};
}

void Wire::fill() {
  std::array<char, 65536> chunk;
  const auto received = ::recv(fd_, chunk.data(), chunk.size(), 0);
  if (received < 0 && errno == EINTR) return;
  if (received < 0) fail("receiving from the server");
  if (received == 0) throw std::runtime_error("the server closed the connection");
  buffer_.append(chunk.data(), static_cast<std::size_t>(received));
}

Command::Command(std::string_view bytes, std::string_view key) {
  std::size_t at = bytes.find(key);
  if (at == std::string_view::npos) {
    throw std::runtime_error("a command does not hold its key: " + std::string(bytes));
  }
  before_ = bytes.substr(0, at);
  while (at != std::string_view::npos) {
    const std::size_t start = at + key.size();
    at = bytes.find(key, start);
    after_.emplace_back(bytes.substr(start, at - start));  // to the end where there is no other
  }
}

std::string encoded(const std::vector<std::string>& words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    out.append("$").append(std::to_string(word.size())).append("\r\n");
    out.append(word).append("\r\n");
  }
  return out;
}

Command record(const testing::RedisServer& server, const Recorded& limiter, std::string_view key) {
  std::mutex mutex;
  std::string heard;
  {
    ScriptedServer proxy([&, route = unix_route(server)](Peer& peer) {
      forward(peer, route);
      const std::lock_guard lock(mutex);
      heard += peer.heard();
    });
    const auto backend = make_redis_backend({.url = proxy.url(),
                                             .timeout = std::chrono::seconds(5),
                                             .prefix = limiter.prefix,
                                             .max_connections = 1})
                             .value();
    const auto made = backend->make_limiter(limiter.name, limiter.policy).value();
    for (int call = 0; call < 2; ++call) {  // the first may bring the script
      if (made->allow(key).degraded()) throw std::runtime_error("the server was not reached");
    }
  }
  return {last_with(key, heard), key};
}

}  // namespace ratelimit::bench
