// TokenBucket, made ready to decide. See policy/bucket.hpp for the arithmetic.
#pragma once

#include <string_view>

#include "policy/bucket.hpp"
#include "ratelimit/limiter.hpp"
#include "ratelimit/policy.hpp"
#include "ratelimit/result.hpp"

namespace ratelimit::policy {

class TokenBucketRule : public Bucket {
 public:
  static constexpr std::string_view kStateTag = "t2";

  struct State : Bucket::State {};  // a type of its own, so that AnyState can tell it

  explicit TokenBucketRule(const TokenBucket& policy)
      : Bucket(policy.capacity, policy.refill, policy.period) {}

  /// While a bucket owes what it owed before, a charge now or later makes the same debt.
  [[nodiscard]] Micros lease_span(const View& view) const { return view.debt.whole; }
};

TokenBucket share_of(TokenBucket policy, std::int64_t instances);

Result<TokenBucketRule> compile(const TokenBucket& policy, const LimiterOptions& options);

}  // namespace ratelimit::policy
