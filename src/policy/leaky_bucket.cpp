#include "policy/leaky_bucket.hpp"

#include "policy/share.hpp"

namespace ratelimit::policy {

LeakyBucket share_of(LeakyBucket policy, std::int64_t instances) {
  policy.capacity = share_of(policy.capacity, instances);
  divide_rate(policy.leak, policy.period, instances);
  return policy;
}

Result<LeakyBucketRule> compile(const LeakyBucket& policy, const LimiterOptions& /*options*/) {
  if (auto error =
          check_bucket("LeakyBucket", "leak", policy.capacity, policy.leak, policy.period)) {
    return *std::move(error);
  }
  return LeakyBucketRule(policy);
}

}  // namespace ratelimit::policy
