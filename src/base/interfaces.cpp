// The destructors of the public interfaces: defined once here, so that each class's table of
// virtual functions is in the library and nowhere else. And what an interface does by default.
#include <algorithm>

#include "ratelimit/backend.hpp"
#include "ratelimit/clock.hpp"
#include "ratelimit/limiter.hpp"

namespace ratelimit {

Clock::~Clock() = default;
ManualClock::~ManualClock() = default;
Limiter::~Limiter() = default;
Backend::~Backend() = default;

Decision Limiter::allow_at(std::string_view key, TimePoint /*now*/, std::int64_t cost) noexcept {
  return allow(key, cost);
}

Decision Limiter::peek_at(std::string_view key, TimePoint /*now*/, std::int64_t cost) noexcept {
  return peek(key, cost);
}

void Limiter::allow_many(const Request* requests, std::size_t count, Decision* decisions) noexcept {
  std::transform(requests, requests + count, decisions,
                 [this](const Request& request) { return allow(request.key, request.cost); });
}

}  // namespace ratelimit
