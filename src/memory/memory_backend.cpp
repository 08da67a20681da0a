// The in-memory backend: limiters over one shared table.
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <variant>

#include "memory/memory_limiter.hpp"
#include "policy/check.hpp"
#include "policy/rules.hpp"
#include "ratelimit/memory.hpp"

namespace ratelimit {
namespace {

using memory::Home;
using memory::MemoryLimiter;
using memory::Shared;
using memory::Tally;

class MemoryBackend final : public Backend {
 public:
  explicit MemoryBackend(MemoryOptions options)
      : shared_(std::make_shared<Shared>(std::move(options))) {}

  Result<std::shared_ptr<Limiter>> make_limiter(std::string_view name, const Policy& policy,
                                                LimiterOptions options) override try {
    auto rule = policy::compile(name, policy, options);
    if (!rule) return rule.error();
    return std::visit(
        [&]<class Rule>(Rule& compiled) -> Result<std::shared_ptr<Limiter>> {
          shared_->places.admit(compiled.longest_wait());
          shared_->map.admit(compiled.longest_wait());
          const Home& home = shared_->homes.of(std::string(Rule::kStateTag) + std::string(name),
                                               compiled.packing());
          return std::shared_ptr<Limiter>(std::make_shared<MemoryLimiter<Rule>>(
              shared_, home, std::move(compiled), options.on_error));
        },
        *rule);
  } catch (const std::bad_alloc&) {
    return Error{Errc::out_of_memory, {}};
  } catch (const std::exception& error) {
    return Error{Errc::out_of_memory, std::string("no random numbers: ") + error.what()};
  }

  [[nodiscard]] Statistics statistics() const override {
    const Tally::Counts counts = shared_->tally.counts();
    Statistics statistics;
    statistics.keys = shared_->places.count_keys() + shared_->map.count_keys();
    statistics.forgotten = counts.forgotten;
    statistics.forgotten_debt = counts.forgotten_debt;
    statistics.healed = counts.healed;
    statistics.errors = counts.errors;
    return statistics;
  }

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace

Result<std::shared_ptr<Backend>> make_memory_backend(MemoryOptions options) try {
  policy::Check check("MemoryOptions");
  check.range("max_keys", options.max_keys, 1, policy::kMostKeys);
  if (check.error()) return *check.error();
  return std::shared_ptr<Backend>(std::make_shared<MemoryBackend>(std::move(options)));
} catch (const std::bad_alloc&) {
  return Error{Errc::out_of_memory, {}};
} catch (const std::exception& error) {
  return Error{Errc::out_of_memory, std::string("no random numbers: ") + error.what()};
}

}  // namespace ratelimit
