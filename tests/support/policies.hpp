// What tests want to know of a policy, whatever its kind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ratelimit/policy.hpp"
#include "ratelimit/time.hpp"

namespace ratelimit::testing {

/// Its name in traces, such as "token_bucket".
std::string kind_of(const Policy& policy);

/// All fields, for messages of failed tests.
std::string describe(const Policy& policy);

/// The most that fits: the capacity or the limit.
std::int64_t limit_of(const Policy& policy);

/// The same policy with `limit` in place of what `limit_of` gives.
Policy with_limit(const Policy& policy, std::int64_t limit);

/// The same policy with `span` as its period or window.
Policy with_span(const Policy& policy, Duration span);

/// How long a state of it matters without a clock that steps: a bucket's time to fill, rounded up,
/// or the window.
Duration span_of(const Policy& policy);

/// One of each kind, all of limit 10 and this span.
std::vector<Policy> policies_of_ten_in(Duration span);

inline std::vector<Policy> policies_of_ten_a_minute() {
  return policies_of_ten_in(std::chrono::minutes(1));
}

/// For tests by a server's clock, whatever it shows: hardly ever does a window end in them.
inline std::vector<Policy> policies_of_ten_a_year() {
  return policies_of_ten_in(std::chrono::hours(366 * 24));
}

/// The five kinds with limits and spans from tiny to as large as they may be.
std::vector<Policy> policies_of_all_sizes();

}  // namespace ratelimit::testing
