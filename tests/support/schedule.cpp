#include "support/schedule.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <ostream>

#include "support/policies.hpp"

namespace ratelimit::testing {
namespace {

/// A number in [low, high] from random bits.
std::int64_t within(std::int64_t low, std::int64_t high, std::uint64_t bits) {
  const auto width = static_cast<std::uint64_t>(high - low) + 1;
  return low + static_cast<std::int64_t>(bits % width);
}

std::string_view name_of(TraceOp op) {
  switch (op) {
    case TraceOp::allow:
      return "allow";
    case TraceOp::peek:
      return "peek";
    case TraceOp::reset:
      return "reset";
  }
  return "?";
}

template <std::size_t N>
std::size_t drawn(const std::array<int, N>& weights, std::uint64_t bits) {
  int total = 0;
  for (const int weight : weights) total += weight;
  auto rest = static_cast<int>(bits % static_cast<std::uint64_t>(total));
  std::size_t index = 0;
  while (rest >= weights[index]) rest -= weights[index++];
  return index;
}

}  // namespace

std::string describe(const Question& question) {
  return std::to_string(question.now.time_since_epoch().count()) + " " +
         std::string(name_of(question.op)) + " " + std::to_string(question.cost);
}

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << "{move " << static_cast<int>(step.move) << ", cost " << static_cast<int>(step.cost)
             << ", " << name_of(step.op) << ", amount " << step.amount << "}";
}

Step random_step(std::mt19937_64& bits) {
  constexpr std::array<int, kMoves> kMoveWeights = {20, 10, 4, 14, 10, 8, 3, 3, 5,
                                                    5,  4,  2, 2,  1,  2, 1, 1, 1};
  constexpr std::array<int, kCosts> kCostWeights = {30, 4, 8, 8, 10, 10, 4, 3, 1};
  constexpr std::array<int, 3> kOpWeights = {40, 8, 1};
  Step step;
  step.move = static_cast<Move>(drawn(kMoveWeights, bits()));
  step.cost = static_cast<Cost>(drawn(kCostWeights, bits()));
  step.op = static_cast<TraceOp>(drawn(kOpWeights, bits()));
  step.amount = bits();
  return step;
}

Walk::Walk(const Policy& policy, TimePoint start)
    : limit_(limit_of(policy)),
      span_(span_of(policy).count()),
      now_(start.time_since_epoch().count()) {}

Question Walk::next(const Step& step) const {
  const std::int64_t time = std::clamp<std::int64_t>(time_of(step), 0, kLastInstant);
  return {TimePoint(Duration(time)), step.op, cost_of(step)};
}

void Walk::heard(const Question& question, const Decision& decision) {
  now_ = question.now.time_since_epoch().count();
  last_ = decision;
}

std::int64_t Walk::time_of(const Step& step) const {
  const std::int64_t retry = last_.retry_after == never ? span_ : last_.retry_after.count();
  const std::int64_t reset = last_.reset_after.count();
  const std::int64_t to_edge = span_ - now_ % span_;
  switch (step.move) {
    case Move::stay:
      return now_;
    case Move::tick:
      return now_ + 1;
    case Move::back_tick:
      return now_ - 1;
    case Move::within_span:
      return now_ + within(0, span_, step.amount);
    case Move::to_retry:
      return now_ + retry;
    case Move::before_retry:
      return now_ + std::max<std::int64_t>(0, retry - 1);
    case Move::to_reset:
      return now_ + reset;
    case Move::before_reset:
      return now_ + std::max<std::int64_t>(0, reset - 1);
    case Move::to_edge:
      return now_ + to_edge;
    case Move::before_edge:
      return now_ + to_edge - 1;
    case Move::back_within_span:
      return now_ - within(0, span_, step.amount);
    case Move::back_span:
      return now_ - span_;
    case Move::back_span_and_tick:
      return now_ - span_ - 1;
    case Move::back_two_spans:
      return now_ - 2 * span_;
    case Move::ahead_two_spans:
      return now_ + 2 * span_;
    case Move::far_ahead:
      return now_ + 10 * span_ + within(0, span_, step.amount);
    case Move::to_first_instant:
      return 0;
    case Move::to_last_instant:
      return kLastInstant;
  }
  return now_;
}

std::int64_t Walk::cost_of(const Step& step) const {
  const std::int64_t left = std::max<std::int64_t>(0, last_.remaining);
  switch (step.cost) {
    case Cost::one:
      return 1;
    case Cost::zero:
      return 0;
    case Cost::left:
      return left;
    case Cost::over_left:
      return left + 1;
    case Cost::part:
      return within(0, left, step.amount >> 1);
    case Cost::small:
      return within(1, std::min<std::int64_t>(limit_, 5), step.amount >> 1);
    case Cost::limit:
      return limit_;
    case Cost::over_limit:
      return limit_ + 1;
    case Cost::huge:
      return std::numeric_limits<std::int64_t>::max() - within(0, 3, step.amount >> 1);
  }
  return 1;
}

}  // namespace ratelimit::testing
