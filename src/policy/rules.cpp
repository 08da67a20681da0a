#include "policy/rules.hpp"

#include "policy/check.hpp"

namespace ratelimit::policy {
namespace {

constexpr std::int64_t kLargestLogCap = 10'000'000;
constexpr std::int64_t kLargestLease = 1000;

}  // namespace

Result<Rule> compile(std::string_view name, const Policy& policy, const LimiterOptions& options) {
  if (auto error = check_name(name)) return *std::move(error);
  Check check("LimiterOptions");
  check.range("log_cap", options.log_cap, 1, kLargestLogCap)
      .range("lease", options.lease, 0, kLargestLease);
  if (check.error()) return *check.error();
  return std::visit(
      [&](const auto& fields) -> Result<Rule> {
        auto rule = compile(fields, options);
        if (!rule) return rule.error();
        return Rule(*rule);
      },
      policy);
}

}  // namespace ratelimit::policy
