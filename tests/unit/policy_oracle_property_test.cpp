// Every field of every decision, over random schedules, against the oracle of
// tests/support/oracle.hpp.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "support/oracle.hpp"
#include "support/policies.hpp"
#include "support/pure.hpp"
#include "unit/generators.hpp"
#include "unit/kinds.hpp"

namespace ratelimit::testing {
namespace {

template <class Kind>
class PolicyOracle : public ::testing::Test {};
TYPED_TEST_SUITE(PolicyOracle, AllKinds, KindNames);

void expect_same(const Question& question, const Decision& decided, const Decision& expected) {
  RC_LOG() << describe(question) << "\n  decided  " << describe(decided) << "\n  expected "
           << describe(expected) << "\n";
  RC_ASSERT(same(decided, expected));
}

TYPED_TEST(PolicyOracle, AgreesOnEveryField) {
  EXPECT_TRUE(rc::check([] {
    const Policy policy = *any_policy<TypeParam>();
    Walk walk(policy, *any_start());
    PureKey key(policy);
    Oracle oracle(policy);
    for (const Step& step : *any_schedule()) {
      const Question question = walk.next(step);
      const Decision decided = key.ask(question);
      expect_same(question, decided, oracle.ask(question));
      walk.heard(question, decided);
    }
  }));
}

TYPED_TEST(PolicyOracle, AgreesAfterTheLimitChanges) {
  EXPECT_TRUE(rc::check([] {
    const Policy policy = *any_policy<TypeParam>();
    Walk walk(policy, *any_start());
    PureKey key(policy);
    Oracle oracle(policy);
    for (const Step& step : *any_schedule()) {
      if (step.amount % 8 == 0) {
        const std::int64_t limit = *rc::gen::inRange<std::int64_t>(1, limit_of(policy) + 1);
        key.change(with_limit(policy, limit));
        oracle.change_limit(limit);
      }
      const Question question = walk.next(step);
      const Decision decided = key.ask(question);
      expect_same(question, decided, oracle.ask(question));
      walk.heard(question, decided);
    }
  }));
}

}  // namespace
}  // namespace ratelimit::testing
