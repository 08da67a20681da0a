#include "support/pure.hpp"

#include <variant>

namespace ratelimit::testing {
namespace {

policy::Rule rule_of(const Policy& policy) {
  return policy::compile("test", policy, LimiterOptions{.log_cap = 10'000'000}).value();
}

policy::AnyState fresh(const policy::Rule& rule) {
  return std::visit(
      []<class Rule>(const Rule&) { return policy::AnyState(typename Rule::State{}); }, rule);
}

}  // namespace

PureKey::PureKey(const Policy& policy) : rule_(rule_of(policy)), state_(fresh(rule_)) {}

Decision PureKey::ask(const Question& question) {
  if (question.op == TraceOp::reset) {
    state_ = fresh(rule_);
    return {};
  }
  const policy::Call call{question.op == TraceOp::peek ? policy::Op::peek : policy::Op::charge,
                          question.now.time_since_epoch().count(), question.cost};
  return std::visit(
      [&]<class Rule>(const Rule& rule) {
        auto& state = std::get<typename Rule::State>(state_);
        const auto view = rule.look(state, call);
        const auto verdict = rule.judge(view, call);
        policy::update(rule, view, verdict, call, state);
        healed_ = view.healed;
        return rule.decide(view, verdict, call);
      },
      rule_);
}

void PureKey::change(const Policy& policy) { rule_ = rule_of(policy); }

std::vector<std::int64_t> PureKey::fields() const {
  struct Fields {
    using List = std::vector<std::int64_t>;
    List operator()(const policy::Bucket::State& s) const { return {s.clear_at, s.fraction}; }
    List operator()(const policy::FixedWindowRule::State& s) const { return {s.start, s.count}; }
    List operator()(const policy::SlidingWindowLogRule::State& s) const {
      return {s.times.begin(), s.times.end()};
    }
    List operator()(const policy::SlidingWindowCounterRule::State& s) const {
      return {s.start, s.count, s.previous};
    }
  };
  return std::visit(Fields{}, state_);
}

std::int64_t PureKey::reset_time() const {
  return std::visit(
      [&]<class Rule>(const Rule& rule) {
        return rule.reset_time(std::get<typename Rule::State>(state_));
      },
      rule_);
}

}  // namespace ratelimit::testing
