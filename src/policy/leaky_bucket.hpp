// LeakyBucket, made ready to decide: a TokenBucket that also says how long to wait in the queue.
// See policy/bucket.hpp for the arithmetic.
#pragma once

#include <string_view>

#include "policy/bucket.hpp"
#include "ratelimit/limiter.hpp"
#include "ratelimit/policy.hpp"
#include "ratelimit/result.hpp"

namespace ratelimit::policy {

class LeakyBucketRule : public Bucket {
 public:
  static constexpr std::string_view kStateTag = "l2";

  struct State : Bucket::State {};  // a type of its own, so that AnyState can tell it

  explicit LeakyBucketRule(const LeakyBucket& policy)
      : Bucket(policy.capacity, policy.leak, policy.period) {}

  [[nodiscard, gnu::always_inline]] Decision decide(const View& view, const Verdict& verdict,
                                                    const Call& call) const {
    Decision decision = Bucket::decide(view, verdict, call);
    if (verdict.allowed) decision.delay = Duration(view.debt.rounded_up());
    return decision;
  }
};

LeakyBucket share_of(LeakyBucket policy, std::int64_t instances);

Result<LeakyBucketRule> compile(const LeakyBucket& policy, const LimiterOptions& options);

}  // namespace ratelimit::policy
