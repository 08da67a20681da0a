// Long random schedules, drawn to edges, whose every field must be what the pure policy says.
// Policies are changed in place on the way.
//
// RATELIMIT_DECISIONS=N asks for N decisions in all; RATELIMIT_SEED=N draws others.
#include <random>
#include <string>

#include "conformance/backend_under_test.hpp"
#include "support/environment.hpp"
#include "support/policies.hpp"
#include "support/pure.hpp"
#include "support/test_names.hpp"
#include "support/trace.hpp"

namespace ratelimit::testing {
namespace {

constexpr int kKeys = 3;

std::int64_t number_from(const char* variable, std::int64_t otherwise) {
  const std::string text = environment(variable);
  return text.empty() ? otherwise : std::stoll(text);
}

/// What each of the ten tests here is to ask for.
std::int64_t decisions_of_a_test() {
  return number_from("RATELIMIT_DECISIONS", usual_decisions()) / 10 + 1;
}

std::vector<Policy> policies_of_kind(std::size_t index) {
  std::vector<Policy> some;
  for (const Policy& policy : policies_of_all_sizes()) {
    if (policy.index() == index) some.push_back(policy);
  }
  return some;
}

/// A key as the pure policy and as the schedule see it.
struct Subject {
  std::string name;
  PureKey pure;
  Walk walk;
};

class Differential : public Conformance {
 protected:
  /// Puts `decisions` random questions, and now and then goes on under another policy in
  /// `policies`.
  void compare(const std::vector<Policy>& policies, std::int64_t decisions) {
    const auto any_policy = [&] { return policies[bits_() % policies.size()]; };
    Policy policy = any_policy();
    auto limiter = this->limiter(policy);
    std::vector<Subject> subjects;
    subjects.reserve(kKeys);
    for (int i = 0; i < kKeys; ++i) {
      subjects.push_back({"key " + std::to_string(i), PureKey(policy), Walk(policy, kStart)});
    }
    for (std::int64_t i = 0; i < decisions; ++i) {
      if (policies.size() > 1 && bits_() % 20 == 0) {
        policy = any_policy();
        limiter = this->limiter(policy);
        for (Subject& subject : subjects) {
          subject.pure.change(policy);
          subject.walk = Walk(policy, clock_->now());
        }
      }
      Subject& subject = subjects[bits_() % kKeys];
      const Question question = subject.walk.next(random_step(bits_));
      const Decision decision = ask(*limiter, *clock_, subject.name, question);
      const Decision expected = subject.pure.ask(question);
      subject.walk.heard(question, expected);
      ASSERT_TRUE(same(decision, expected))
          << describe(policy) << ", decision " << i << ": " << describe(question) << " for "
          << subject.name << "\n  decided  " << describe(decision) << "\n  expected "
          << describe(expected);
    }
  }

  std::mt19937_64 bits_{static_cast<std::uint64_t>(number_from("RATELIMIT_SEED", 20'260'728))};
};

TEST_P(Differential, DecidesAsThePurePolicy) {
  const auto policies = policies_of_kind(GetParam().index());
  const auto each = decisions_of_a_test() / static_cast<std::int64_t>(policies.size());
  for (const Policy& policy : policies) {
    compare({policy}, each + 1);
    if (HasFatalFailure()) return;
    backend_ = fresh_backend(clock_);
  }
}

TEST_P(Differential, DecidesAsThePurePolicyThatChanges) {
  compare(policies_of_kind(GetParam().index()), decisions_of_a_test());
}

INSTANTIATE_TEST_SUITE_P(Each, Differential, ::testing::ValuesIn(policies_of_ten_a_minute()),
                         kind_name);

}  // namespace
}  // namespace ratelimit::testing
