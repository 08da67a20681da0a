#include "redis/connection.hpp"

#include <array>
#include <cerrno>
#include <new>
#include <string_view>

namespace ratelimit::redis {

Failure Connection::run(Exchange& exchange, const Deadline& deadline) {
  ended_well_ = false;
  if (deadline.passed()) return Error{Errc::unreachable, "no time was left to ask"};
  std::string out;
  auto step = exchange.start(out);
  if (step == Exchange::Step::listen) {
    if (auto failure = send(out, deadline)) return failure;
    if (auto failure = converse(exchange, step, deadline)) return failure;
  }
  // A server that answers more than it was asked would answer the next call with it.
  ended_well_ = step == Exchange::Step::done && !reader_.has_leftover();
  return std::nullopt;
}

Failure Connection::converse(Exchange& exchange, Exchange::Step& step,
                             const Deadline& deadline) try {
  std::string out;
  while (step == Exchange::Step::listen) {
    Reply reply;
    if (auto failure = receive(reply, deadline)) return failure;
    step = exchange.hear(reply, out);
    if (out.empty()) continue;
    if (auto failure = send(out, deadline)) return failure;
    out.clear();
  }
  return std::nullopt;
} catch (const std::bad_alloc&) {
  // Something was sent: not out_of_memory, which means that nothing was charged.
  return Error{Errc::connection_lost, {}};
}

Failure Connection::send(std::string_view bytes, const Deadline& deadline) {
  const auto sent = socket_.send(bytes, deadline);
  if (sent.ok()) return std::nullopt;
  return Error{Errc::unreachable, "sending: " + sent.text()};
}

Failure Connection::receive(Reply& reply, const Deadline& deadline) {
  std::array<char, 4096> buffer;
  for (;;) {
    switch (reader_.next(reply)) {
      case ReplyReader::Status::complete:
        return std::nullopt;
      case ReplyReader::Status::broken:
        return Error{Errc::protocol_error, "the server sent what is no reply, or too large a one"};
      case ReplyReader::Status::incomplete:
        break;
    }
    const auto received = socket_.receive(buffer.data(), buffer.size(), deadline);
    if (received.error == ETIMEDOUT) return Error{Errc::timeout, "no answer within the timeout"};
    if (!received.ok()) return Error{Errc::connection_lost, "receiving: " + received.text()};
    if (received.bytes == 0) {
      return Error{Errc::connection_lost, "the server closed the connection"};
    }
    reader_.feed(std::string_view(buffer.data(), received.bytes));
  }
}

}  // namespace ratelimit::redis
