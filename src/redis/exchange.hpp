// A conversation with a server, as a state machine without I/O: what to say, given what was heard.
//
// Whoever owns a connection (see redis/connection.hpp) sends what an exchange says and hands it the
// replies, one by one. Tests do the same with no server at all.
#pragma once

#include <cstdint>
#include <string>

#include "redis/reply.hpp"

namespace ratelimit::redis {

class Exchange {
 public:
  enum class Step : std::uint8_t {
    listen,  // another reply is due; first send what was appended, if anything
    done,
    leave,  // done, and the server is not the one to ask: the connection is of no more use
  };

  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;

  /// Appends the opening commands to `out`. Returns Step::done where there is nothing to say.
  virtual Step start(std::string& out) = 0;

  /// Takes the next reply; appends to `out` what is to be said to it.
  virtual Step hear(const Reply& reply, std::string& out) = 0;
};

}  // namespace ratelimit::redis
