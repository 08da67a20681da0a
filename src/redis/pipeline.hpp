// The talk on one connection, without I/O: exchanges speak one after the other without waiting for
// each other, and each hears the replies to its own commands, which come in their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "redis/exchange.hpp"
#include "redis/reply_reader.hpp"

namespace ratelimit::redis {

/// Keeps references to its exchanges until they have ended, or until it is destroyed itself.
class Pipeline {
 public:
  enum class Status : std::uint8_t {
    incomplete,  // feed more bytes
    ended,       // an exchange has
    broken,      // what came is no reply: of no more use
  };

  /// Lets an exchange open its talk. Returns whether there was anything to say: otherwise it has
  /// ended. Throws std::bad_alloc, and then has changed nothing.
  bool ask(Exchange& exchange);

  /// What is to be sent next, and that so much of it was.
  [[nodiscard]] std::string_view unsent() const {
    return std::string_view(out_.bytes).substr(sent_);
  }
  void mark_sent(std::size_t bytes);

  /// Takes bytes as they come in. Throws std::bad_alloc.
  void feed(std::string_view bytes) { reader_.feed(bytes); }

  /// Hands out replies until an exchange has ended, which is put into `ended`. Throws
  /// std::bad_alloc.
  Status next(Exchange*& ended);

  /// Whether all that an exchange has said so far has been sent: the server may have done it.
  [[nodiscard]] bool has_sent(const Exchange& exchange) const;

  /// Whether replies are due.
  [[nodiscard]] bool awaits() const { return !awaited_.empty(); }

  /// Whether the connection may be kept, once no reply is due: no exchange has left it, and no more
  /// has come than was asked for, which would answer the next exchange.
  [[nodiscard]] bool ended_well() const { return !left_ && !reader_.has_leftover(); }

 private:
  /// Takes what was said since the last time as `exchange`'s.
  void await_replies(Exchange& exchange);

  struct Awaited {
    Exchange* exchange;
    std::uint64_t end;  // of the command, counted over all that was ever said
  };

  Commands out_;
  std::size_t sent_ = 0;           // of out_.bytes
  std::uint64_t sent_before_ = 0;  // bytes that out_ held before and that were sent
  std::deque<Awaited> awaited_;    // whose the next replies are
  ReplyReader reader_;
  bool left_ = false;
};

}  // namespace ratelimit::redis
