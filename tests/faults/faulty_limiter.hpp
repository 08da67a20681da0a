// A limiter on a misbehaving server, for each way of answering in its stead.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "ratelimit/ratelimit.hpp"

namespace ratelimit::testing {

inline constexpr Duration kDeadline = std::chrono::milliseconds(100);

/// Every call asks: the breaker has tests of its own.
inline std::shared_ptr<Backend> backend_on(const std::string& url, Duration timeout = kDeadline) {
  return make_redis_backend({.url = url, .timeout = timeout, .failures_to_open = 0}).value();
}

inline std::shared_ptr<Limiter> limiter_on(Backend& backend, OnError on_error) {
  const TokenBucket policy{3, 1, std::chrono::hours(1)};
  return backend.make_limiter("login", policy, {.on_error = on_error}).value();
}

/// How long a call took, and what it answered.
struct Timed {
  Decision decision;
  std::chrono::steady_clock::duration took;
};

inline Timed timed_allow(Limiter& limiter) {
  const auto start = std::chrono::steady_clock::now();
  const Decision decision = limiter.allow("alice");
  return {decision, std::chrono::steady_clock::now() - start};
}

/// Asks a server that can never answer, in every mode: each call ends with `error`, and is answered
/// as the mode says.
inline void expect_all_modes(const std::string& url, Errc error, Duration timeout = kDeadline) {
  const auto backend = backend_on(url, timeout);
  const auto allowing = limiter_on(*backend, OnError::allow);
  const auto denying = limiter_on(*backend, OnError::deny);
  const auto local = limiter_on(*backend, OnError::local);

  const Decision allowed = allowing->allow("alice");
  EXPECT_TRUE(allowed.allowed);
  EXPECT_EQ(to_string(allowed.error), to_string(error)) << backend->statistics().last_error;

  const Decision denied = denying->allow("alice");
  EXPECT_FALSE(denied.allowed);
  EXPECT_EQ(to_string(denied.error), to_string(error));

  // The same policy goes on in this process: it admits its capacity and no more.
  for (std::int64_t left = 2; left >= 0; --left) {
    const Decision decision = local->allow("alice");
    EXPECT_TRUE(decision.allowed);
    EXPECT_EQ(decision.remaining, left);
    EXPECT_EQ(to_string(decision.error), to_string(error));
  }
  const Decision spent = local->allow("alice");
  EXPECT_FALSE(spent.allowed);
  EXPECT_GT(spent.retry_after, Duration(0));

  const Statistics statistics = backend->statistics();
  EXPECT_EQ(statistics.errors, 6U);
  EXPECT_EQ(statistics.last_error.rfind(std::string(to_string(error)) + ": ", 0), 0U)
      << statistics.last_error;
}

}  // namespace ratelimit::testing
