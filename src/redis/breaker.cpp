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
bool Breaker::probe(std::int64_t until, Instant now, const Deadline& deadline) {
  constexpr auto kLongestProbe = seconds(1);
  const auto given_up_at = ticks(std::min(deadline.at(), now + kLongestProbe));
  return open_until_.compare_exchange_strong(until, given_up_at, std::memory_order_acq_rel) ||
         until == 0;
}

void Breaker::fail(Errc why, Instant asked_at, Instant now) {
  const std::lock_guard lock(mutex_);
  if (open_until_.load(std::memory_order_relaxed) != 0 && asked_at < opened_at_) return;
  const std::int64_t failures = failures_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (failures >= failures_to_open_) open(why, now);
}

void Breaker::refuse(Instant asked_at, Instant now) {
  const std::lock_guard lock(mutex_);
  if (open_until_.load(std::memory_order_relaxed) != 0 && asked_at < opened_at_) return;
  failures_.fetch_add(1, std::memory_order_relaxed);
  open(Errc::access_denied, now);
}

void Breaker::open(Errc why, Instant now) {
  if (failures_to_open_ == 0) return;
  const auto& [first, longest] = why == Errc::access_denied ? kRefused : kAbsent;
  const auto doublings = std::clamp<std::int64_t>(
      failures_.load(std::memory_order_relaxed) - failures_to_open_, 0, 10);
  const Span most = std::min(longest, first * (std::int64_t{1} << doublings));
  const Span wait(std::uniform_int_distribution<Span::rep>(0, most.count())(random_));
  opened_at_ = now;
  const auto before = open_until_.exchange(ticks(now + wait), std::memory_order_acq_rel);
  if (before == 0) openings_.fetch_add(1, std::memory_order_relaxed);
}

void Breaker::close() {
  const std::lock_guard lock(mutex_);
  failures_.store(0, std::memory_order_relaxed);
  open_until_.store(0, std::memory_order_release);
}

void Breaker::start_over(std::uint64_t seed) {
  close();
  random_.seed(static_cast<std::uint32_t>(seed));
}

}  // namespace ratelimit::redis
