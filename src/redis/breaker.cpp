#include "redis/breaker.hpp"

#include <algorithm>
#include <chrono>

namespace ratelimit::redis {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct BackOff {
  Breaker::Span first;
  Breaker::Span longest;
};

/// A server that refuses us will do so until somebody has done something about it.
constexpr BackOff kRefused{seconds(1), seconds(10)};
constexpr BackOff kAbsent{milliseconds(10), milliseconds(200)};

}  // namespace

Breaker::Breaker(std::int64_t failures_to_open, std::uint64_t seed)
    : failures_to_open_(failures_to_open), random_(static_cast<std::uint32_t>(seed)) {}

/// Whether this call is the one that may try the server, now that the span until `until` is over.
bool Breaker::probe(std::int64_t until, const Deadline& deadline) {
  return open_until_.compare_exchange_strong(until, ticks(deadline.at()),
                                             std::memory_order_acq_rel) ||
         until == 0;
}

void Breaker::fail(Errc why, Instant now) {
  const std::lock_guard lock(mutex_);
  const std::int64_t failures = failures_.fetch_add(1, std::memory_order_relaxed) + 1;
  const bool is_refused = why == Errc::access_denied;
  if (failures_to_open_ == 0 || (failures < failures_to_open_ && !is_refused)) return;
  const auto& [first, longest] = is_refused ? kRefused : kAbsent;
  const auto doublings = std::clamp<std::int64_t>(failures - failures_to_open_, 0, 10);
  const Span most = std::min(longest, first * (std::int64_t{1} << doublings));
  const Span wait(std::uniform_int_distribution<Span::rep>(0, most.count())(random_));
  const auto before = open_until_.exchange(ticks(now + wait), std::memory_order_acq_rel);
  if (before == 0) openings_.fetch_add(1, std::memory_order_relaxed);
}

void Breaker::close() {
  const std::lock_guard lock(mutex_);
  failures_.store(0, std::memory_order_relaxed);
  open_until_.store(0, std::memory_order_release);
}

}  // namespace ratelimit::redis
