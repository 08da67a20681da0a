#include "policy/leaky_bucket.hpp"

namespace ratelimit::policy {

Decision LeakyBucketRule::decide(const View& view, const Call& call) const {
  Decision decision = Bucket::decide(view, call);
  if (decision.allowed) decision.delay = Duration(time_to_drain(view.debt));
  return decision;
}

Result<LeakyBucketRule> compile(const LeakyBucket& policy, const LimiterOptions& /*options*/) {
  if (auto error =
          check_bucket("LeakyBucket", "leak", policy.capacity, policy.leak, policy.period)) {
    return *std::move(error);
  }
  return LeakyBucketRule(policy);
}

}  // namespace ratelimit::policy
