// A conversation with a server, as a state machine without I/O: what to say, given what was heard.
//
// A pipeline (see redis/pipeline.hpp) says what exchanges say and hands them the replies, one by
// one. Tests do the same with no server at all.
#pragma once

#include <cstdint>

#include "redis/command.hpp"
#include "redis/failure.hpp"
#include "redis/reply.hpp"

namespace ratelimit::redis {

class Exchange {
 public:
  enum class Step : std::uint8_t {
    listen,  // another reply is due
    done,
    leave,  // done, and the server is not the one to ask: the connection is of no more use
  };

  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;

  /// Appends the opening commands to `out`. Returns Step::done where there is nothing to say.
  virtual Step start(Commands& out) = 0;

  /// Takes the next reply; appends to `out` what is to be said to it.
  virtual Step hear(const Reply& reply, Commands& out) = 0;

  /// Why the server did not do what was asked, or a part of it that says most about the server; to be
  /// read when done.
  [[nodiscard]] virtual const Failure& trouble() const = 0;

  /// Whether the server has said that nothing was done and that another one is to be asked; to be
  /// read when done. It may then be started once more.
  [[nodiscard]] virtual bool may_be_repeated() const = 0;
};

}  // namespace ratelimit::redis
