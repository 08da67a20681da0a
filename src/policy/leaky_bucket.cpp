#include "policy/leaky_bucket.hpp"

namespace ratelimit::policy {

Result<LeakyBucketRule> compile(const LeakyBucket& policy, const LimiterOptions& /*options*/) {
  if (auto error =
          check_bucket("LeakyBucket", "leak", policy.capacity, policy.leak, policy.period)) {
    return *std::move(error);
  }
  return LeakyBucketRule(policy);
}

}  // namespace ratelimit::policy
