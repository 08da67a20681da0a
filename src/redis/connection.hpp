// One connection to a server: the thin room where exchanges meet a socket.
#pragma once

#include <string_view>
#include <utility>

#include "redis/deadline.hpp"
#include "redis/exchange.hpp"
#include "redis/failure.hpp"
#include "redis/reply_reader.hpp"
#include "redis/socket.hpp"

namespace ratelimit::redis {

/// Thread safety: one thread at a time.
class Connection {
 public:
  explicit Connection(Socket socket) : socket_(std::move(socket)) {}

  /// Holds an exchange to its end.
  ///
  /// Errors: Errc::unreachable where not everything was sent, so that nothing was charged;
  /// Errc::timeout, connection_lost or protocol_error where it was. After any of them the
  /// connection must be dropped: an answer may still come, and must not be taken for another one's.
  Failure run(Exchange& exchange, const Deadline& deadline);

  /// Whether the last exchange left nothing behind.
  [[nodiscard]] bool ended_well() const { return ended_well_; }

  /// Whether the peer is still there and has said nothing unasked. Does not block.
  [[nodiscard]] bool is_quiet() const { return socket_.is_quiet(); }

 private:
  Failure converse(Exchange& exchange, Exchange::Step& step, const Deadline& deadline);
  Failure send(std::string_view bytes, const Deadline& deadline);
  Failure receive(Reply& reply, const Deadline& deadline);

  Socket socket_;
  ReplyReader reader_;
  bool ended_well_ = true;
};

}  // namespace ratelimit::redis
