// What a call sees once others like it were made at the same instant is the same in one step as one
// by one.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <limits>
#include <type_traits>
#include <variant>

#include "support/policies.hpp"
#include "support/pure.hpp"
#include "support/trace.hpp"
#include "unit/generators.hpp"
#include "unit/kinds.hpp"

namespace ratelimit::testing {
namespace {

template <class Kind>
class PolicyAfter : public ::testing::Test {};
TYPED_TEST_SUITE(PolicyAfter, AllKinds, KindNames);

policy::Call call_of(const Question& question) {
  return {question.op == TraceOp::peek ? policy::Op::peek : policy::Op::charge,
          question.now.time_since_epoch().count(), question.cost};
}

/// The view of a key, as a script tells it: a log's wait is that of the first of `times` calls that
/// does not fit.
template <class Rule>
typename Rule::View view_of(const Rule& rule, const PureKey& key, const Question& question,
                            std::int64_t times) {
  const policy::Call call = call_of(question);
  auto view = rule.look(std::get<typename Rule::State>(key.state()), call);
  if constexpr (std::is_same_v<Rule, policy::SlidingWindowLogRule>) {
    PureKey later = key;
    for (std::int64_t i = 0; i < times && view.retry_in == 0; ++i) {
      view.retry_in = rule.look(std::get<typename Rule::State>(later.state()), call).retry_in;
      (void)later.ask(question);
    }
  }
  return view;
}

/// Runs random schedules of a policy of `Kind` and shows `expect` the rule and the key before every
/// call in them.
template <class Kind, class Expect>
bool holds_before_every_call(Expect expect) {
  return rc::check([&] {
    const Policy policy = *any_policy<Kind>();
    Walk walk(policy, *any_start());
    PureKey key(policy);
    for (const Step& step : *any_schedule()) {
      const Question question = walk.next(step);
      if (question.op != TraceOp::reset) {
        RC_LOG() << describe(question) << "\n";
        std::visit([&](const auto& rule) { expect(rule, key, question); }, key.rule());
      }
      walk.heard(question, key.ask(question));
    }
  });
}

TYPED_TEST(PolicyAfter, IsTheSameAsOneByOne) {
  EXPECT_TRUE(holds_before_every_call<TypeParam>([](const auto& rule, PureKey key,
                                                    const Question& question) {
    constexpr std::int64_t kTimes = 5;
    const policy::Call call = call_of(question);
    const auto view = view_of(rule, key, question, kTimes);
    for (std::int64_t i = 0; i < kTimes; ++i) {
      const auto seen = rule.after(view, call, i);
      RC_ASSERT(seen.healed == (i == 0 && view.healed));
      const Decision decision = policy::decide(rule, seen, call);
      const Decision expected = key.ask(question);
      RC_LOG() << i << ": " << describe(decision) << ", expected " << describe(expected) << "\n";
      RC_ASSERT(same(decision, expected));
    }
  }));
}

TYPED_TEST(PolicyAfter, AddsUp) {
  EXPECT_TRUE(holds_before_every_call<TypeParam>(
      [](const auto& rule, const PureKey& key, const Question& question) {
        const policy::Call call = call_of(question);
        const auto view = view_of(rule, key, question, 1);
        const std::int64_t first = *count_up_to(kMost);
        const std::int64_t second = *count_up_to(kMost);
        const auto at_once = policy::decide(rule, rule.after(view, call, first + second), call);
        const auto in_two =
            policy::decide(rule, rule.after(rule.after(view, call, first), call, second), call);
        RC_ASSERT(same(at_once, in_two));
      }));
}

TYPED_TEST(PolicyAfter, AdmitsNoMoreThanTheLimitHoweverOften) {
  EXPECT_TRUE(holds_before_every_call<TypeParam>([](const auto& rule, const PureKey& key,
                                                    const Question& question) {
    if (question.op != TraceOp::allow || question.cost == 0) return;
    const policy::Call call = call_of(question);
    const auto spent =
        rule.after(view_of(rule, key, question, 1), call, std::numeric_limits<std::int64_t>::max());
    const Decision decision = policy::decide(rule, spent, call);
    RC_ASSERT(!decision.allowed);
    RC_ASSERT(decision.remaining < question.cost);
  }));
}

}  // namespace
}  // namespace ratelimit::testing
