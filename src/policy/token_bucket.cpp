#include "policy/token_bucket.hpp"

#include "policy/share.hpp"

namespace ratelimit::policy {

TokenBucket share_of(TokenBucket policy, std::int64_t instances) {
  policy.capacity = share_of(policy.capacity, instances);
  divide_rate(policy.refill, policy.period, instances);
  return policy;
}

Result<TokenBucketRule> compile(const TokenBucket& policy, const LimiterOptions& /*options*/) {
  if (auto error =
          check_bucket("TokenBucket", "refill", policy.capacity, policy.refill, policy.period)) {
    return *std::move(error);
  }
  return TokenBucketRule(policy);
}

}  // namespace ratelimit::policy
