// The fast clock says what the system's clock says, from its first call on.
#include "base/unix_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

namespace ratelimit::testing {
namespace {

using std::chrono::system_clock;

std::int64_t system_now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             system_clock::now().time_since_epoch())
      .count();
}

// Over several of its settings, and whatever else the machine does: both readings of the system's
// clock lie around the one that they are compared with.
TEST(UnixClock, KeepsToTheSystemsClock) {
  constexpr std::int64_t kSlack = 50;  // us: a rate measured over 10 ms, and what that is late
  constexpr std::int64_t kLongEnough = 60'000;
  UnixClock& clock = UnixClock::shared();
  const std::int64_t start = system_now();
  for (std::int64_t after = start; after - start < kLongEnough;) {
    const std::int64_t before = system_now();
    const std::int64_t now = clock.now();
    after = system_now();
    ASSERT_GE(now, before - kSlack);
    ASSERT_LE(now, after + kSlack);
  }
}

}  // namespace
}  // namespace ratelimit::testing
