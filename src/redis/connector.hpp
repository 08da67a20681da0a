// From a site to a connected socket, as steps that do not block: its name is looked up, then its
// addresses are tried one after the other.
#pragma once

#include <cstddef>
#include <optional>

#include "redis/deadline.hpp"
#include "redis/failure.hpp"
#include "redis/site.hpp"
#include "redis/socket.hpp"

namespace ratelimit::redis {

/// Keeps a reference to its site.
class Connector {
 public:
  explicit Connector(Site& site) : site_(site) {}

  /// Goes on connecting `socket`. Only the first look-up of a name is waited for, until the
  /// deadline. The addresses share the time that is left when each is first tried.
  ///
  /// Failure: Errc::unreachable; no address has worked. Throws std::bad_alloc.
  Failure advance(Socket& socket, const Deadline& deadline);

  [[nodiscard]] bool is_done() const { return is_done_; }

  /// What to wait for, and for how long, before it is worth while to advance.
  [[nodiscard]] short events() const { return events_; }
  [[nodiscard]] const Deadline& until() const { return *until_; }

 private:
  using Status = Socket::Connecting::Status;

  Failure resolve(const Deadline& deadline);
  Status try_address(Socket& socket, const Deadline& deadline);

  Site& site_;
  Addresses addresses_;  // empty before they are known
  std::size_t first_ = 0;
  std::size_t tried_ = 0;            // how many, from the first, came to nothing
  std::optional<Deadline> attempt_;  // until when the present one is given time
  bool is_pending_ = false;
  bool is_done_ = false;
  int trouble_ = 0;  // the last errno
  short events_ = 0;
  std::optional<Deadline> until_;
};

}  // namespace ratelimit::redis
