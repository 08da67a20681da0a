#include "policy/bucket.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "policy/check.hpp"

namespace ratelimit::policy {

Bucket::View Bucket::after(const View& view, const Call& call, std::int64_t times) const {
  View seen{.debt = view.debt, .healed = view.healed && times == 0};
  if (!call.may_write() || call.cost > capacity_) return seen;
  const std::int64_t owed = units(view.debt);
  const std::int64_t weight = call.cost * num_.value();
  seen.debt = debt_of(owed + std::min(times, (full_units_ - owed) / weight) * weight);
  return seen;
}

std::int64_t Bucket::script_charge(const Call& call) const {
  // A cost over the capacity is sent as a weight that no debt leaves room for.
  return call.charge() <= capacity_ ? call.charge() * num_.value() : full_units_ + 1;
}

std::optional<Bucket::View> Bucket::view_of(std::span<const std::int64_t, View::kFields> fields,
                                            bool healed) const {
  if (!is_within(fields[0], 0, full_units_)) return std::nullopt;
  return View{.debt = debt_of(fields[0]), .healed = healed};
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
