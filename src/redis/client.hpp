// A server as its callers see it: a bounded set of connections, opened when needed.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "redis/address.hpp"
#include "redis/connection.hpp"
#include "redis/deadline.hpp"
#include "redis/exchange.hpp"
#include "redis/failure.hpp"
#include "redis/url.hpp"

namespace ratelimit::redis {

/// Thread safety: all methods may be called from any thread.
/// After a fork the child opens connections of its own. Requires: no call is under way in another
/// thread while the process forks.
class Client {
 public:
  /// Requires: max_connections >= 1.
  Client(Endpoint endpoint, std::string client_name, std::size_t max_connections);

  /// Holds an exchange to its end on a connection of its own for that time.
  ///
  /// Blocks: until the deadline at most, over waiting for a connection, opening one and the
  /// exchange. Errors: as Connection::run; Errc::unreachable also where there was no connection to
  /// be had; whatever the handshake ended with. Throws std::bad_alloc, and then nothing was sent.
  Failure run(Exchange& exchange, const Deadline& deadline);

  /// Connections opened so far.
  [[nodiscard]] std::uint64_t connects() const { return connects_.load(std::memory_order_relaxed); }

 private:
  /// The right to one of the connections, and the connection while there is one.
  class Lease;

  void start_over_if_forked();  // requires: mutex_ is held
  Failure open(std::unique_ptr<Connection>& connection, const Deadline& deadline);
  Failure log_in(Connection& connection, const Deadline& deadline);

  const Endpoint endpoint_;
  const std::string client_name_;
  const std::size_t max_connections_;
  Resolver resolver_;
  std::atomic<std::uint64_t> connects_ = 0;
  std::atomic<std::size_t> good_address_ = 0;  // the one that worked last: where to begin

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_; the last used at the back
  std::size_t leased_ = 0;                         // guarded by mutex_
  pid_t pid_;                                      // guarded by mutex_; whose connections these are
};

}  // namespace ratelimit::redis
