#include "support/resp_client.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace ratelimit::testing {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

template <class Address>
int connected(const Address& address) {
  const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  if (::connect(fd, address.pointer(), address.size()) != 0) {
    const int why = errno;
    ::close(fd);
    errno = why;
    fail("connecting to the test's server");
  }
  return fd;
}

template <class Raw>
struct Address {
  Raw raw{};
  [[nodiscard]] int family() const { return reinterpret_cast<const sockaddr*>(&raw)->sa_family; }
  [[nodiscard]] const sockaddr* pointer() const { return reinterpret_cast<const sockaddr*>(&raw); }
  [[nodiscard]] socklen_t size() const { return sizeof raw; }
};

}  // namespace

RespClient::RespClient(int port) {
  Address<sockaddr_in> address;
  address.raw.sin_family = AF_INET;
  address.raw.sin_port = htons(static_cast<std::uint16_t>(port));
  address.raw.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  fd_ = connected(address);
}

RespClient::RespClient(const std::string& socket_path) {
  Address<sockaddr_un> address;
  address.raw.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.raw.sun_path) {
    throw std::runtime_error("too long for a unix socket: " + socket_path);
  }
  std::memcpy(address.raw.sun_path, socket_path.data(), socket_path.size());
  fd_ = connected(address);
}

RespClient::~RespClient() { ::close(fd_); }

RespReply RespClient::command(const std::vector<std::string>& words) {
  std::string out;
  out.append("*").append(std::to_string(words.size())).append("\r\n");
  for (const std::string& word : words) {
    out.append("$").append(std::to_string(word.size())).append("\r\n");
    out.append(word).append("\r\n");
  }
  send(out);
  return take_reply();
}

RespReply RespClient::expect(const std::vector<std::string>& words) {
  RespReply reply = command(words);
  if (reply.is_error()) throw std::runtime_error(words.at(0) + ": " + reply.text);
  return reply;
}

void RespClient::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) fail("sending to the test's server");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

char RespClient::take_byte() {
  while (read_ == buffer_.size()) {
    std::array<char, 65536> chunk;
    const auto received = ::recv(fd_, chunk.data(), chunk.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) fail("receiving from the test's server");
    if (received == 0) throw std::runtime_error("the test's server closed the connection");
    buffer_.assign(chunk.data(), static_cast<std::size_t>(received));
    read_ = 0;
  }
  return buffer_[read_++];
}

std::string RespClient::take_line() {
  std::string line;
  for (char c = take_byte(); c != '\n'; c = take_byte()) line += c;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

std::string RespClient::take_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (char& c : bytes) c = take_byte();
  return bytes;
}

RespReply RespClient::take_reply() {
  RespReply reply;
  const std::string line = take_line();
  const std::string rest = line.empty() ? line : line.substr(1);
  switch (line.empty() ? '\0' : line[0]) {
    case '+':
      reply.type = RespReply::Type::text;
      reply.text = rest;
      return reply;
    case '-':
      reply.type = RespReply::Type::error;
      reply.text = rest;
      return reply;
    case ':':
      reply.type = RespReply::Type::integer;
      reply.integer = std::stoll(rest);
      return reply;
    case '$':
      if (rest == "-1") return reply;
      reply.type = RespReply::Type::text;
      reply.text = take_bytes(std::stoul(rest));
      (void)take_line();
      return reply;
    case '*':
      if (rest == "-1") return reply;
      reply.type = RespReply::Type::list;
      for (auto left = std::stoul(rest); left > 0; --left) reply.list.push_back(take_reply());
      return reply;
    default:
      throw std::runtime_error("the test's server sent no reply: " + line);
  }
}

}  // namespace ratelimit::testing
