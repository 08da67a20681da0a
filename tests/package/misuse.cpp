// What must not compile, a macro for each; see misuse.cmake. What is outside the macros must.
#include <chrono>

#include "ratelimit/ratelimit.hpp"

int main() {
  using namespace std::chrono_literals;

  ratelimit::ManualClock clock(ratelimit::TimePoint{});
#ifdef COPIED_CLOCK
  ratelimit::ManualClock copy = clock;
#endif

  ratelimit::TokenBucket bucket{10, 10, 60s};
#ifdef SPAN_WITHOUT_UNIT
  bucket = ratelimit::TokenBucket{10, 10, 60};
#endif
#ifdef SPAN_OF_FRACTIONS
  bucket = ratelimit::TokenBucket{10, 10, std::chrono::duration<double>(1.5)};
#endif

#ifdef IGNORED_RESULT
  ratelimit::make_memory_backend();
#endif
  // A Result may be used unchecked; who does so says that it cannot fail.
  const auto backend = *ratelimit::make_memory_backend();
  const auto limiter = *backend->make_limiter("misuse", bucket);

#ifdef IGNORED_DECISION
  limiter->allow("key");
#endif
  const ratelimit::Decision decision = limiter->allow("key");
#ifdef DECISION_AS_NUMBER
  const int number = decision;
#endif
  return decision ? 0 : 1;
}
