#include "policy/token_bucket.hpp"

namespace ratelimit::policy {

Result<TokenBucketRule> compile(const TokenBucket& policy, const LimiterOptions& /*options*/) {
  if (auto error =
          check_bucket("TokenBucket", "refill", policy.capacity, policy.refill, policy.period)) {
    return *std::move(error);
  }
  return TokenBucketRule(policy);
}

}  // namespace ratelimit::policy
