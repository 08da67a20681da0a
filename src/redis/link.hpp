// One connection to a server, from looking up its name to the last reply, as steps that do not
// block: whoever drives it waits in between, and another may go on where one has left off.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "redis/connector.hpp"
#include "redis/deadline.hpp"
#include "redis/failure.hpp"
#include "redis/handshake.hpp"
#include "redis/pipeline.hpp"
#include "redis/site.hpp"
#include "redis/socket.hpp"

namespace ratelimit::redis {

/// Thread safety: one thread at a time. Keeps a reference to its site.
class Link {
 public:
  explicit Link(Site& site);

  struct Progress {
    enum class Status : std::uint8_t {
      waiting,  // for the server: call `wait`, then `advance` again
      ready,    // the connection stands: ask
      ended,    // an exchange has; there may be more
      idle,     // all have, and the connection may be kept
      over,     // all have, and the connection must be dropped
      failed,   // those that have not ended never will, and the connection must be dropped
    };
    Status status = Status::waiting;
    Exchange* exchange = nullptr;  // that ended
    Failure failure;
  };

  /// Has an exchange speak, which has something to say. It must live until it has ended, or the link
  /// is no more. Requires: is_ready(). Throws std::bad_alloc, and then has changed nothing.
  void ask(Exchange& exchange) { pipeline_.ask(exchange); }

  /// Goes on as far as it can, one thing at a time. Blocks only as Connector::advance does.
  ///
  /// Failures: Errc::unreachable where there is no connection; what the server did not let us in
  /// with; Errc::connection_lost or protocol_error once it stood. A link that has failed must be
  /// dropped: an answer may still come, and must not be taken for another one's.
  /// Throws std::bad_alloc, and must then be dropped as well.
  Progress advance(const Deadline& deadline);

  /// Sends what was asked, where the connection stands, as far as the peer takes it now. What goes
  /// wrong shows when it is advanced.
  void push();

  /// Waits until it is worth while to advance, or until the deadline.
  void wait(const Deadline& deadline);

  [[nodiscard]] bool is_ready() const { return state_ == State::ready; }

  /// Whether the server may have heard an exchange that has not ended.
  [[nodiscard]] bool has_sent(const Exchange& exchange) const;

  /// What it waits for, as a text for those who can wait no longer. Throws std::bad_alloc.
  [[nodiscard]] std::string awaited() const;

  /// Whether the peer is still there, and has said nothing unasked. Requires: is_ready().
  [[nodiscard]] bool is_quiet();

 private:
  enum class State : std::uint8_t { connecting, opening, logging_in, ready };

  Progress connect(const Deadline& deadline);
  Progress open();
  Progress talk();
  Progress end_login();
  Failure send();
  Failure receive();
  [[nodiscard]] Error error(Errc code, std::string message) const;
  [[nodiscard]] Transport& transport() { return session_ ? *session_ : socket_; }

  Site& site_;
  State state_ = State::connecting;
  Socket socket_;
  std::unique_ptr<Transport> session_;  // over the socket; null: none is needed
  std::string opening_;                 // what that waits for, while it is opened
  Connector connector_;
  Handshake handshake_;
  Pipeline pipeline_;
  short events_ = 0;         // what is waited for
  short send_waits_ = 0;     // what sending waits for, of it; 0: it need not wait
  short receive_waits_ = 0;  // what receiving waits for; 0: something may have come
};

}  // namespace ratelimit::redis
