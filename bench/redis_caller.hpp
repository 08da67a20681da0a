// The callers of bench_redis_callers: each asks for decisions in its own way, and waits for them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "keys.hpp"
#include "ratelimit/ratelimit.hpp"
#include "redis_wire.hpp"

namespace ratelimit::bench {

/// The answers that one step brought.
struct Answers {
  std::int64_t asked = 0;
  std::int64_t allowed = 0;
  std::chrono::steady_clock::time_point since;  // when the questions were sent
};

/// The keys of one caller, which come in turn: 16 or 1,024 that nobody else asks for, or the one
/// that all ask for.
enum class Keys : std::uint8_t { few, many, hot };

class KeyRing {
 public:
  KeyRing(Keys keys, int caller);

  std::string_view next() { return texts_[at_++ % texts_.size()].view(); }

  /// The key that came first, and how often it has come.
  [[nodiscard]] std::string_view first() const { return texts_.front().view(); }
  [[nodiscard]] std::int64_t count_of_first() const {
    return static_cast<std::int64_t>((at_ + texts_.size() - 1) / texts_.size());
  }

 private:
  std::vector<KeyText> texts_;
  std::size_t at_ = 0;
};

class Caller {
 public:
  explicit Caller(KeyRing keys) : keys_(std::move(keys)) {}
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  virtual ~Caller() = default;

  /// Asks, and waits. Throws std::runtime_error.
  virtual Answers step() = 0;

  /// Waits for what is still on its way.
  virtual void finish() {}

  [[nodiscard]] const KeyRing& keys() const { return keys_; }

 protected:
  KeyRing keys_;
};

/// So many callers, who share what they are meant to share.
using Callers = std::vector<std::unique_ptr<Caller>>;

/// What is asked, and where.
struct Ground {
  Route route;
  Recorded limiter;
  Command decide;  // what the library sends
  Command incr;
};

Ground make_ground(const testing::RedisServer& server, Route route, const Policy& policy);

/// A limiter of a backend of its own.
std::shared_ptr<Limiter> limiter_on(const Ground& ground, std::int64_t connections);

Callers library_callers(const Ground& ground, std::int64_t connections, int count, Keys keys);

/// hiredis, a connection each, and the library's command.
Callers blocking_callers(const Ground& ground, int count, Keys keys);

/// send(2) and recv(2) on one socket, and the library's command.
Callers raw_caller(const Ground& ground);

/// One that keeps two windows of commands in flight.
Callers pipelining_caller(const Ground& ground, const Command& command, std::size_t window);

}  // namespace ratelimit::bench
