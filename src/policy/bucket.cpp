#include "policy/bucket.hpp"

#include <numeric>
#include <string>

#include "policy/check.hpp"

namespace ratelimit::policy {

Bucket::Bucket(std::int64_t capacity, std::int64_t rate, Duration period) : capacity_(capacity) {
  const std::int64_t common = std::gcd(rate, std::int64_t{period.count()});
  num_ = period.count() / common;
  den_ = rate / common;
  full_ = capacity * num_;
}

Bucket::View Bucket::look(const State& state, const Call& call) const {
  const Micros ahead = state.clear_at - call.now;
  if (ahead < 0) return {};
  if (ahead > full_ / den_)
    return {.debt = full_, .healed = true};  // also bounds the product below
  // A fraction not below den was stored at another rate; it is less than a microsecond all the
  // same.
  const std::int64_t debt = ahead * den_ + std::min(state.fraction, den_ - 1);
  if (debt > full_) return {.debt = full_, .healed = true};
  return {.debt = debt};
}

Decision Bucket::decide(const View& view, const Call& call) const {
  Decision decision;
  decision.limit = capacity_;
  const std::int64_t room = full_ - view.debt;
  const bool ever_fits = call.cost <= capacity_;
  decision.allowed = ever_fits && weight(call.cost) <= room;
  if (!decision.allowed) {
    decision.retry_after = ever_fits ? Duration(time_to_drain(weight(call.cost) - room)) : never;
  }
  const std::int64_t debt = view.debt + (decision.allowed ? weight(call.charge()) : 0);
  decision.remaining = (full_ - debt) / num_;
  decision.reset_after = Duration(time_to_drain(debt));
  return decision;
}

void Bucket::store(const View& view, const Call& call, bool allowed, State& state) const {
  const std::int64_t debt = view.debt + (allowed ? weight(call.charge()) : 0);
  state.clear_at = call.now + debt / den_;
  state.fraction = debt % den_;
}

std::array<std::int64_t, 3> Bucket::script_arguments(const Call& call) const {
  // A cost over the capacity is sent as a weight that no debt leaves room for.
  const std::int64_t charge = call.charge() <= capacity_ ? weight(call.charge()) : full_ + 1;
  return {charge, full_, den_};
}

std::optional<Bucket::View> Bucket::view_of(std::span<const std::int64_t, View::kFields> fields,
                                            bool healed) const {
  if (!is_within(fields[0], 0, full_)) return std::nullopt;
  return View{.debt = fields[0], .healed = healed};
}

std::optional<Error> check_bucket(std::string_view policy, std::string_view rate_field,
                                  std::int64_t capacity, std::int64_t rate, Duration period) {
  Check check(policy);
  check.count("capacity", capacity).count(rate_field, rate).span("period", period);
  if (check.error()) return check.error();

  const std::int64_t num = period.count() / std::gcd(rate, std::int64_t{period.count()});
  const std::string rest = ", " + std::string(rate_field) + " " + std::to_string(rate) +
                           ", period " + std::to_string(period.count()) + " us}";
  check.product("capacity " + std::to_string(capacity) + " * period / gcd(" +
                    std::string(rate_field) + ", period) = " + std::to_string(capacity) + " * " +
                    std::to_string(num),
                capacity, num, [&](std::int64_t fits) {
                  return std::string(policy) + "{capacity " + std::to_string(fits) + rest;
                });
  return check.error();
}

}  // namespace ratelimit::policy
