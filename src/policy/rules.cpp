#include "policy/rules.hpp"

#include "policy/check.hpp"

namespace ratelimit::policy {
namespace {

constexpr std::int64_t kLargestLogCap = 10'000'000;
constexpr std::int64_t kLargestLease = 1000;
constexpr std::int64_t kMostInstances = 1'000'000;

}  // namespace

Result<Rule> compile(std::string_view name, const Policy& policy, const LimiterOptions& options) {
  if (auto error = check_name(name)) return *std::move(error);
  Check check("LimiterOptions");
  check.range("log_cap", options.log_cap, 1, kLargestLogCap)
      .range("lease", options.lease, 0, kLargestLease)
      .range("instances", options.instances, 1, kMostInstances);
  if (check.error()) return *check.error();
  return std::visit(
      [&](const auto& fields) -> Result<Rule> {
        auto rule = compile(fields, options);
        if (!rule) return rule.error();
        return Rule(*rule);
      },
      policy);
}

Policy share_of(const Policy& policy, std::int64_t instances) {
  return std::visit([&](const auto& fields) -> Policy { return share_of(fields, instances); },
                    policy);
}

}  // namespace ratelimit::policy
