// The in-memory backend: limiters over one shared table.
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "memory/leasing_limiter.hpp"
#include "memory/memory_limiter.hpp"
#include "policy/check.hpp"
#include "policy/rules.hpp"
#include "ratelimit/memory.hpp"

namespace ratelimit {
namespace {

using memory::Home;
using memory::LeasingLimiter;
using memory::MemoryLimiter;
using memory::Shared;
using memory::Tally;

class MemoryBackend final : public Backend {
 public:
  explicit MemoryBackend(MemoryOptions options)
      : log_bytes_(options.log_bytes), shared_(std::make_shared<Shared>(std::move(options))) {}

  Result<std::shared_ptr<Limiter>> make_limiter(std::string_view name, const Policy& policy,
                                                LimiterOptions options) override try {
    auto rule = policy::compile(name, policy, options);
    if (!rule) return rule.error();
    return std::visit(
        [&]<class Rule>(Rule& compiled) -> Result<std::shared_ptr<Limiter>> {
          if (!policy::Leases<Rule> && options.lease > 0) {
            return policy::invalid_argument("LimiterOptions.lease is " +
                                            std::to_string(options.lease) +
                                            "; for this policy it must be 0");
          }
          if constexpr (policy::NeedsRoom<Rule>) {
            if (auto error = check_room(compiled.most_room())) return *std::move(error);
          }
          if (compiled.packing() != 0) shared_->places.admit(compiled.longest_wait());
          shared_->locked.admit(compiled.longest_wait());
          const Home& home = shared_->homes.of(std::string(Rule::kStateTag) + std::string(name),
                                               compiled.packing());
          if constexpr (policy::Leases<Rule>) {
            if (options.lease > 0) {
              return std::shared_ptr<Limiter>(std::make_shared<LeasingLimiter<Rule>>(
                  shared_, home, std::move(compiled), options.lease));
            }
          }
          return std::shared_ptr<Limiter>(
              std::make_shared<MemoryLimiter<Rule>>(shared_, home, std::move(compiled)));
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
    statistics.keys = shared_->places.count_keys() + shared_->locked.count_keys();
    statistics.forgotten = counts.forgotten;
    statistics.forgotten_debt = counts.forgotten_debt;
    statistics.healed = counts.healed;
    return statistics;
  }

 private:
  [[nodiscard]] std::optional<Error> check_room(std::size_t room) const {
    if (room <= shared_->locked.most_room()) return std::nullopt;
    return policy::invalid_argument(
        "MemoryOptions.log_bytes (on Redis, RedisOptions.local_log_bytes) is " +
        std::to_string(log_bytes_) + ", which gives the log of a key up to " +
        std::to_string(shared_->locked.most_room()) + " bytes; this limit takes " +
        std::to_string(room) + ": it must be at least " +
        std::to_string(shared_->locked.log_bytes_for(room)));
  }

  std::int64_t log_bytes_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace

Result<std::shared_ptr<Backend>> make_memory_backend(MemoryOptions options) try {
  policy::Check check("MemoryOptions");
  check.range("max_keys", options.max_keys, 1, policy::kMostKeys)
      .range("log_bytes", options.log_bytes, policy::kLeastLogBytes, policy::kMostLogBytes);
  if (check.error()) return *check.error();
  return std::shared_ptr<Backend>(std::make_shared<MemoryBackend>(std::move(options)));
} catch (const std::bad_alloc&) {
  return Error{Errc::out_of_memory, {}};
} catch (const std::exception& error) {
  return Error{Errc::out_of_memory, std::string("no random numbers: ") + error.what()};
}

}  // namespace ratelimit
