#include "support/oracle.hpp"

#include <algorithm>
#include <stdexcept>

#include "support/policies.hpp"

namespace ratelimit::testing {
namespace {

using Judge = WindowModel::Judge;

std::variant<BucketModel, WindowModel> model_of(const Policy& policy) {
  struct Make {
    using Model = std::variant<BucketModel, WindowModel>;
    Model operator()(const TokenBucket& p) const {
      return BucketModel{p.capacity, p.refill, p.period.count()};
    }
    Model operator()(const LeakyBucket& p) const {
      return BucketModel{p.capacity, p.leak, p.period.count()};
    }
    Model operator()(const FixedWindow& p) const {
      return WindowModel{Judge::fixed, p.limit, p.window.count(), {}};
    }
    Model operator()(const SlidingWindowLog& p) const {
      return WindowModel{Judge::sliding, p.limit, p.window.count(), {}};
    }
    Model operator()(const SlidingWindowCounter& p) const {
      return WindowModel{Judge::estimate, p.limit, p.window.count(), {}};
    }
  };
  return std::visit(Make{}, policy);
}

/// The least wait in [0, most] that `holds` for. Requires: it goes on to hold once it does.
template <class Holds>
std::int64_t least_wait(std::int64_t most, Holds holds) {
  if (!holds(most)) throw std::logic_error("the oracle found no wait that is long enough");
  std::int64_t low = 0;
  std::int64_t high = most;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (holds(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/// The largest cost in [lowest, limit] that fits at `now`, or `lowest`.
template <class Model>
std::int64_t largest_that_fits(const Model& model, std::int64_t limit, std::int64_t now) {
  std::int64_t low = model.lowest_remaining();
  std::int64_t high = limit;
  while (low < high) {
    const std::int64_t middle = high - (high - low) / 2;
    if (model.fits(middle, now)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

}  // namespace

bool BucketModel::heal(std::int64_t now) {
  const Wide latest = now * rate + capacity * period;
  if (drained_at <= latest) return false;
  drained_at = latest;
  return true;
}

bool BucketModel::fits(Wide cost, std::int64_t at) const {
  const Wide owed = std::max<Wide>(0, drained_at - at * rate);
  return owed + cost * period <= capacity * period;
}

void BucketModel::add(std::int64_t cost, std::int64_t now) {
  drained_at = std::max(drained_at, now * rate) + cost * period;
}

bool WindowModel::heal(std::int64_t now) {
  if (log.empty()) return false;
  const std::int64_t newest = log.back().at;
  const std::int64_t counts_from = judge == Judge::sliding ? newest : newest - newest % window;
  if (counts_from - now <= window) return false;
  log.clear();
  return true;
}

Wide WindowModel::admitted_in(std::int64_t index) const {
  Wide units = 0;
  for (const Admission& each : log) units += each.at / window == index ? each.cost : 0;
  return units;
}

bool WindowModel::fits(Wide cost, std::int64_t at) const {
  if (judge == Judge::sliding) {
    Wide units = 0;
    for (const Admission& each : log) units += each.at > at - window ? each.cost : 0;
    return units + cost <= limit;
  }
  const std::int64_t index = std::max(at, log.empty() ? at : log.back().at) / window;
  const Wide units = admitted_in(index);
  if (judge == Judge::fixed) return units + cost <= limit;
  const Wide elapsed = std::max<Wide>(0, at - Wide{index} * window);
  return (units + cost) * window + admitted_in(index - 1) * (window - elapsed) <=
         Wide{limit} * window;
}

void WindowModel::add(std::int64_t cost, std::int64_t now) {
  const std::int64_t at = log.empty() ? now : std::max(now, log.back().at);
  if (judge == Judge::sliding) {
    // What has left the window when something is admitted is forgotten, even if the clock then
    // steps back.
    std::erase_if(log, [&](const Admission& each) { return each.at <= now - window; });
  }
  log.push_back({at, cost});
}

std::int64_t WindowModel::lowest_remaining() const {
  return judge == Judge::estimate ? -(std::int64_t{1} << 60) : 0;
}

Oracle::Oracle(const Policy& policy)
    : fresh_(model_of(policy)),
      model_(fresh_),
      limit_(limit_of(policy)),
      span_(span_of(policy).count()),
      is_queue_(std::holds_alternative<LeakyBucket>(policy)) {}

Decision Oracle::ask(const Question& question) {
  if (question.op == TraceOp::reset) {
    model_ = fresh_;
    return {};
  }
  return std::visit([&](auto& stored) { return answer(question, stored); }, model_);
}

template <class Model>
Decision Oracle::answer(const Question& question, Model& stored) const {
  const std::int64_t now = question.now.time_since_epoch().count();
  const std::int64_t cost = question.cost;
  const bool charges = question.op == TraceOp::allow && cost > 0;
  const auto wait_until_fits = [&](const Model& model, std::int64_t what) {
    const auto holds = [&](std::int64_t wait) { return model.fits(what, now + wait); };
    return Duration(least_wait(4 * span_ + 1, holds));
  };
  Model before = stored;
  const bool healed = before.heal(now);

  Decision decision;
  decision.limit = limit_;
  decision.allowed = cost == 0 || (cost <= limit_ && before.fits(cost, now));
  if (!decision.allowed) {
    decision.retry_after = cost > limit_ ? never : wait_until_fits(before, cost);
  }
  Model after = before;
  if (decision.allowed && charges) after.add(cost, now);
  decision.remaining = largest_that_fits(after, limit_, now);
  decision.reset_after = wait_until_fits(after, limit_);
  if (is_queue_ && decision.allowed) decision.delay = wait_until_fits(before, limit_);

  if (charges && (decision.allowed || (healed && stored.denial_stores_healing()))) stored = after;
  return decision;
}

void Oracle::change_limit(std::int64_t limit) {
  limit_ = limit;
  const auto change = [&](AnyModel& model) {
    if (auto* bucket = std::get_if<BucketModel>(&model)) bucket->capacity = limit;
    if (auto* windows = std::get_if<WindowModel>(&model)) windows->limit = limit;
  };
  change(fresh_);
  change(model_);
}

}  // namespace ratelimit::testing
