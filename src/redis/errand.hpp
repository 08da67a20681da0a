// What callers wait for together: exchanges that one connection carries, in order.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "redis/exchange.hpp"
#include "redis/failure.hpp"

namespace ratelimit::redis {

struct Lane;

struct Errand {
  enum State : std::uint32_t {
    pending,  // in the queue, or on a lane that one of those who wait drives
    vacant,   // on a lane that nobody drives: whoever waits for this errand may
    done,     // there is an answer
  };

  struct Part {
    std::unique_ptr<Exchange> exchange;
    bool ended = false;
  };

  std::atomic<std::uint32_t> state = pending;  // callers sleep on it (see redis/futex.hpp)

  // Under the client's lock:
  bool sent = false;                        // whether the server may have heard of it
  std::size_t waiting = 0;                  // callers
  Lane* lane = nullptr;                     // that carries it; null: it is in the queue
  std::shared_ptr<Errand>* open = nullptr;  // where more callers find it while it is in the queue

  // In the queue, under the client's lock; then, on a lane, whoever drives that; then, once done,
  // all who waited for it may read:
  std::vector<Part> parts;
  bool is_shared = false;  // whether more than one caller has waited for it
  int flights = 0;         // that have carried it
  Failure failure;         // of the parts that have not ended
};

}  // namespace ratelimit::redis
