// The one thing that differs between the conformance programs: which backend they hold to account.
// Each program links one *_under_test.cpp.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "ratelimit/backend.hpp"
#include "ratelimit/clock.hpp"
#include "ratelimit/limiter.hpp"
#include "ratelimit/policy.hpp"
#include "support/schedule.hpp"

namespace ratelimit::testing {

/// A backend that knows no keys yet and takes its time from `clock`.
std::shared_ptr<Backend> fresh_backend(const std::shared_ptr<const Clock>& clock);

/// How many decisions the random tests ask of it, unless RATELIMIT_DECISIONS says otherwise.
std::int64_t usual_decisions();

/// A whole minute of Unix time, and 123,457 us: a long way from any edge of a second or minute.
inline constexpr TimePoint kStart(Duration(1'700'000'040'123'457));

/// A fresh backend and its clock.
class WithBackend {
 protected:
  std::shared_ptr<Limiter> limiter(const Policy& policy, std::string_view name = "test",
                                   LimiterOptions options = {}) {
    return backend_->make_limiter(name, policy, options).value();
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>(kStart);
  std::shared_ptr<Backend> backend_ = fresh_backend(clock_);
};

/// For tests of what holds for every kind of policy.
class Conformance : public WithBackend, public ::testing::TestWithParam<Policy> {};

/// Puts a question to a limiter. A reset must succeed, and has no answer.
inline Decision ask(Limiter& limiter, ManualClock& clock, std::string_view key,
                    const Question& question) {
  clock.set(question.now);
  switch (question.op) {
    case TraceOp::allow:
      return limiter.allow(key, question.cost);
    case TraceOp::peek:
      return limiter.peek(key, question.cost);
    case TraceOp::reset:
      EXPECT_EQ(limiter.reset(key), Errc::ok);
      return {};
  }
  return {};
}

}  // namespace ratelimit::testing
