// What each field of a decision promises, over random schedules: the same policy is asked again at
// the instant, or with the cost, that the decision named.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "support/policies.hpp"
#include "support/pure.hpp"
#include "unit/generators.hpp"
#include "unit/kinds.hpp"

namespace ratelimit::testing {
namespace {

template <class Kind>
class PolicyDecision : public ::testing::Test {};
TYPED_TEST_SUITE(PolicyDecision, AllKinds, KindNames);

/// One answered call: the key before and after it.
struct Moment {
  const PureKey& before;
  const PureKey& after;
  const Question& question;
  const Decision& decision;
  std::int64_t limit;

  [[nodiscard]] bool may_write() const {
    return question.op == TraceOp::allow && question.cost > 0;
  }

  /// What would be answered a while later, if nobody else asked.
  [[nodiscard]] Decision later(Duration wait, std::int64_t cost) const {
    PureKey key = after;
    return key.ask({question.now + wait, TraceOp::peek, cost});
  }

  /// Whether the answer supposes that a state is healed which a peek leaves as it is: then it
  /// holds only once a call with a cost has come.
  [[nodiscard]] bool supposes_healing() const { return after.healed() && !may_write(); }
};

/// Runs random schedules of a policy of `Kind` and shows `expect` every call in them.
template <class Kind, class Expect>
bool holds_at_every_call(Expect expect) {
  return rc::check([&] {
    const Policy policy = *any_policy<Kind>();
    Walk walk(policy, *any_start());
    PureKey key(policy);
    for (const Step& step : *any_schedule()) {
      const Question question = walk.next(step);
      const PureKey before = key;
      const Decision decision = key.ask(question);
      walk.heard(question, decision);
      if (question.op == TraceOp::reset) continue;
      RC_LOG() << describe(question) << ": " << describe(decision) << "\n";
      expect(Moment{before, key, question, decision, limit_of(policy)});
    }
  });
}

TYPED_TEST(PolicyDecision, IsAllowedIffThereIsNothingToWaitFor) {
  EXPECT_TRUE(holds_at_every_call<TypeParam>([](const Moment& m) {
    RC_ASSERT(m.decision.limit == m.limit);
    RC_ASSERT(m.decision.error == Errc::ok);
    RC_ASSERT(m.decision.allowed == (m.decision.retry_after == Duration(0)));
    RC_ASSERT((m.decision.retry_after == never) == (m.question.cost > m.limit));
    if (m.question.cost == 0) RC_ASSERT(m.decision.allowed);
  }));
}

TYPED_TEST(PolicyDecision, RetryAfterIsTight) {
  EXPECT_TRUE(holds_at_every_call<TypeParam>([](const Moment& m) {
    if (m.decision.allowed || m.question.cost > m.limit || m.supposes_healing()) return;
    const Duration wait = m.decision.retry_after;
    RC_ASSERT(m.later(wait, m.question.cost).allowed);
    RC_ASSERT(!m.later(wait - Duration(1), m.question.cost).allowed);
  }));
}

TYPED_TEST(PolicyDecision, ResetAfterIsTight) {
  EXPECT_TRUE(holds_at_every_call<TypeParam>([](const Moment& m) {
    if (m.supposes_healing()) return;
    const Duration wait = m.decision.reset_after;
    RC_ASSERT(wait >= Duration(0));
    RC_ASSERT(m.later(wait, 0).remaining == m.limit);
    if (wait > Duration(0)) RC_ASSERT(m.later(wait - Duration(1), 0).remaining < m.limit);
  }));
}

TYPED_TEST(PolicyDecision, RemainingIsExact) {
  EXPECT_TRUE(holds_at_every_call<TypeParam>([](const Moment& m) {
    const std::int64_t left = m.decision.remaining;
    RC_ASSERT(left <= m.limit);
    RC_ASSERT(m.later(Duration(0), std::max<std::int64_t>(0, left)).allowed);
    RC_ASSERT(!m.later(Duration(0), std::max<std::int64_t>(0, left) + 1).allowed);
  }));
}

TYPED_TEST(PolicyDecision, WhatChargesNothingChangesNothing) {
  EXPECT_TRUE(holds_at_every_call<TypeParam>([](const Moment& m) {
    if (m.may_write() && m.decision.allowed) {
      RC_ASSERT(m.before.fields() != m.after.fields());
      return;
    }
    constexpr bool kIsBucket =
        std::is_same_v<TypeParam, TokenBucket> || std::is_same_v<TypeParam, LeakyBucket>;
    if (kIsBucket && m.may_write() && m.after.healed()) {
      // A denied call stored that the bucket has no tokens left now, and so it is sane again.
      PureKey key = m.after;
      const Decision now = key.ask({m.question.now, TraceOp::peek, 1});
      RC_ASSERT(!key.healed());
      RC_ASSERT(now.remaining == 0);
      RC_ASSERT(now.reset_after == m.decision.reset_after);
      return;
    }
    RC_ASSERT(m.before.fields() == m.after.fields());
  }));
}

TYPED_TEST(PolicyDecision, PeekDecidesAsAllowDoes) {
  EXPECT_TRUE(holds_at_every_call<TypeParam>([](const Moment& m) {
    PureKey key = m.before;
    const Decision peeked = key.ask({m.question.now, TraceOp::peek, m.question.cost});
    RC_ASSERT(peeked.allowed == m.decision.allowed);
    RC_ASSERT(peeked.retry_after == m.decision.retry_after);
    RC_ASSERT(peeked.delay == m.decision.delay);
    const Decision as_it_is = key.ask({m.question.now, TraceOp::peek, 0});
    RC_ASSERT(peeked.remaining == as_it_is.remaining);
    RC_ASSERT(peeked.reset_after == as_it_is.reset_after);
  }));
}

TYPED_TEST(PolicyDecision, OnlyAnAllowedCallOfALeakyBucketHasADelay) {
  EXPECT_TRUE(holds_at_every_call<TypeParam>([](const Moment& m) {
    if (!std::is_same_v<TypeParam, LeakyBucket> || !m.decision.allowed) {
      RC_ASSERT(m.decision.delay == Duration(0));
      return;
    }
    PureKey key = m.before;
    RC_ASSERT(m.decision.delay == key.ask({m.question.now, TraceOp::peek, 0}).reset_after);
  }));
}

}  // namespace
}  // namespace ratelimit::testing
