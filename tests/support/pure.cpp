#include "support/pure.hpp"

#include <utility>
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

PureKey::PureKey(const PureKey& other) : rule_(other.rule_) { *this = other; }

PureKey& PureKey::operator=(const PureKey& other) {
  if (this == &other) return *this;
  rule_ = other.rule_;
  state_ = other.state_;
  healed_ = other.healed_;
  room_.assign(other.room_.size(), {});
  auto* const log = std::get_if<policy::TimeRing>(&state_);
  if (log != nullptr && !room_.empty()) log->move_to(room_, log->width());
  return *this;
}

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
        if constexpr (policy::NeedsRoom<Rule>) {
          if (const std::size_t bytes = rule.room_for(state, view, call); bytes != 0) {
            std::vector<std::byte> room(bytes);
            rule.move(view, room, state);
            room_ = std::move(room);
          }
        }
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
      List times;
      for (std::int64_t i = 0; i < s.size(); ++i) times.push_back(s[i]);
      return times;
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
