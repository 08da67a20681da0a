// How bytes get to a server and back, without ever blocking.
//
// Whoever opens the connection owns its socket, which outlives the transport over it, and does the
// waiting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ratelimit::redis {

/// How one step ended.
struct [[nodiscard]] IoStep {
  enum class Status : std::uint8_t {
    done,
    want_read,   ///< Nothing was done: once more when the socket can be read from.
    want_write,  ///< Nothing was done: once more when the socket can be written to.
    closed,      ///< The peer has closed the connection.
    failed,      ///< The connection is of no more use, and every later step fails like this one.
  };

  Status status = Status::done;
  std::size_t bytes = 0;  ///< Transferred, where done.
  /// Why, where failed; where `open` wants more, what to say if that does not come in time. Holds
  /// nothing that the peer has made up.
  std::string text;
};

/// Any step, a send too, may want to read or to write. Steps throw std::bad_alloc.
/// Thread safety: one step at a time, from any thread.
class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  /// Tells the peer nothing: the same connection may be in use in a process that this one is a fork
  /// of.
  virtual ~Transport() = default;

  /// Goes on with what must be settled before the first byte, such as a TLS handshake. Done: once
  /// it is. Requires: no other step before that.
  virtual IoStep open() = 0;

  /// Sends some of `bytes`. Where that was not done, the next send begins with the same bytes, at
  /// least as many, which may have moved.
  virtual IoStep send(std::string_view bytes) = 0;

  /// Receives some bytes; closed: no more will come. What has come may be held here, where polling
  /// the socket does not show it: wait for the socket only once this has said what it wants.
  /// Requires: size > 0.
  virtual IoStep receive(char* buffer, std::size_t size) = 0;
};

}  // namespace ratelimit::redis
