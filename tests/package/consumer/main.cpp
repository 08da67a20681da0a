// A program outside the tree, in C++17, with or without exceptions: decides in memory by a clock
// set by hand, and, where Redis is part of the package (CONSUMER_REDIS), sees a bad URL refused.
#include <chrono>
#include <cstdio>
#include <memory>

#include "ratelimit/ratelimit.hpp"

namespace {

using namespace std::chrono_literals;

int failures = 0;

void check(bool holds, const char* what) {
  if (holds) return;
  std::printf("does not hold: %s\n", what);
  ++failures;
}

void decide(ratelimit::ManualClock& clock, ratelimit::Limiter& limiter) {
  const auto first = limiter.allow("user");
  check(first.allowed && first.limit == 2 && first.remaining == 1, "the first of two is allowed");
  check(first.reset_after == 1s, "one token comes back in a second");
  const auto second = limiter.allow("user");
  check(second.allowed && second.remaining == 0, "the second of two is allowed");
  const auto third = limiter.allow("user");
  check(!third.allowed && third.retry_after == 1s && third.reset_after == 2s,
        "the third is denied for a second");
  check(limiter.allow("other").allowed, "another key has its own two");
  check(limiter.peek("user", 3).retry_after == ratelimit::never, "three never fit");

  clock.advance(1s);
  check(limiter.allow("user").allowed, "a second later one is allowed");
  check(limiter.reset("user") == ratelimit::Errc::ok, "a key can be forgotten");
  check(limiter.peek("user").remaining == 2, "a forgotten key is as if never seen");
}

void decide_in_memory() {
  const auto clock = std::make_shared<ratelimit::ManualClock>(ratelimit::TimePoint(1'700'000'000s));
  ratelimit::MemoryOptions options;
  options.clock = clock;
  const auto backend = ratelimit::make_memory_backend(options);
  check(backend.has_value(), "a backend is made");
  if (!backend) return;
  const auto limiter = (*backend)->make_limiter("consumer", ratelimit::TokenBucket{2, 1, 1s});
  check(limiter.has_value(), "a limiter is made");
  if (limiter) decide(*clock, *limiter.value());
}

void see_bad_options_refused() {
  using ratelimit::Errc;
  ratelimit::MemoryOptions options;
  options.max_keys = 0;
  const auto refused = ratelimit::make_memory_backend(options);
  check(!refused && refused.error().code == Errc::invalid_argument, "no room for keys is refused");
  check(ratelimit::charged(refused.error().code) == ratelimit::Charged::no, "nothing was charged");
#if defined(__cpp_exceptions)
  bool caught = false;
  try {
    (void)refused.value();
  } catch (const ratelimit::BadResultAccess& error) {
    caught = error.code() == Errc::invalid_argument;
  }
  check(caught, "what the library throws can be caught outside it");
#endif
#if defined(CONSUMER_REDIS)
  ratelimit::RedisOptions redis;
  redis.url = "http://127.0.0.1";
  const auto bad = ratelimit::make_redis_backend(redis);
  check(!bad && bad.error().code == Errc::invalid_argument, "a URL of another scheme is refused");
  redis.url = "redis://127.0.0.1:1";  // nobody is asked: a backend connects when it must
  check(ratelimit::make_redis_backend(redis).has_value(), "a server need not be there");
#endif
}

}  // namespace

int main() {
  decide_in_memory();
  see_bad_options_refused();
  return failures == 0 ? 0 : 1;
}
