// From an endpoint to addresses, within a deadline.
#pragma once

#include <memory>
#include <vector>

#include "ratelimit/result.hpp"
#include "redis/deadline.hpp"
#include "redis/socket.hpp"
#include "redis/url.hpp"

namespace ratelimit::redis {

using Addresses = std::vector<Address>;

/// Thread safety: `resolve` and `distrust` may be called from any thread.
class Resolver {
 public:
  explicit Resolver(const Endpoint& endpoint);

  /// Returns at least one address. A unix path and a numeric host need no lookup. What a name was
  /// last found to be is returned at once, for as long as it takes to find it anew.
  ///
  /// The system's lookup cannot be bounded, so it runs on a thread of its own, at most one at a
  /// time. Who gives up waiting for the first one leaves it to the next caller.
  /// Errors: Errc::unreachable. Throws std::bad_alloc.
  Result<Addresses> resolve(const Deadline& deadline);

  /// Says that no address worked: the next call has the name looked up anew.
  void distrust();

  /// To be called in the child of a fork, where the thread that looks up is no more. Requires: no
  /// other call at the same time.
  void start_over();

 private:
  struct Lookup;

  Endpoint endpoint_;
  std::shared_ptr<Lookup> lookup_;  // shared with the thread that looks up
};

}  // namespace ratelimit::redis
