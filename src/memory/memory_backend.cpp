// The in-memory backend: limiters over one shared table.
#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <variant>

#include "base/instant.hpp"
#include "memory/table.hpp"
#include "policy/check.hpp"
#include "policy/rules.hpp"
#include "ratelimit/memory.hpp"

namespace ratelimit {
namespace {

using memory::Space;
using memory::Table;

/// What the limiters of one backend share; it lives as long as any of them.
struct Shared {
  explicit Shared(MemoryOptions options)
      : clock(std::move(options.clock)), table(static_cast<std::size_t>(options.max_keys)) {}

  std::shared_ptr<const Clock> clock;
  Table table;
  std::atomic<std::uint64_t> errors = 0;
};

template <class Rule>
class MemoryLimiter final : public Limiter {
 public:
  MemoryLimiter(std::shared_ptr<Shared> shared, Space space, Rule rule, OnError on_error)
      : shared_(std::move(shared)), space_(space), rule_(std::move(rule)), on_error_(on_error) {}

  Decision allow(std::string_view key, std::int64_t cost) noexcept override {
    return decide(policy::Op::charge, key, cost);
  }

  Decision peek(std::string_view key, std::int64_t cost) noexcept override {
    return decide(policy::Op::peek, key, cost);
  }

  Errc reset(std::string_view key) noexcept override {
    if (!policy::is_valid(key, 0)) return Errc::invalid_argument;
    shared_->table.erase(space_, key);
    return Errc::ok;
  }

 private:
  Decision decide(policy::Op op, std::string_view key, std::int64_t cost) noexcept {
    if (!policy::is_valid(key, cost)) {
      return policy::degraded_decision(rule_.limit(), false, Errc::invalid_argument);
    }
    try {
      const Micros now = read_clock(shared_->clock.get());
      return shared_->table.apply(space_, key, rule_, policy::Call{op, now, cost});
    } catch (const std::bad_alloc&) {
      shared_->errors.fetch_add(1, std::memory_order_relaxed);
      return policy::degraded_decision(rule_.limit(), on_error_ == OnError::allow,
                                       Errc::out_of_memory);
    }
  }

  std::shared_ptr<Shared> shared_;
  Space space_;
  Rule rule_;
  OnError on_error_;
};

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
          const Space space = space_of(std::string(Rule::kStateTag) + std::string(name));
          return std::shared_ptr<Limiter>(std::make_shared<MemoryLimiter<Rule>>(
              shared_, space, std::move(compiled), options.on_error));
        },
        *rule);
  } catch (const std::bad_alloc&) {
    return Error{Errc::out_of_memory, {}};
  }

  [[nodiscard]] Statistics statistics() const override {
    const Table::Counts counts = shared_->table.counts();
    Statistics statistics;
    statistics.keys = counts.keys;
    statistics.forgotten = counts.forgotten;
    statistics.forgotten_debt = counts.forgotten_debt;
    statistics.healed = counts.healed;
    statistics.errors = shared_->errors.load(std::memory_order_relaxed);
    return statistics;
  }

 private:
  Space space_of(std::string kind_and_name) {
    const std::lock_guard lock(mutex_);
    const auto next = static_cast<Space>(spaces_.size());
    return spaces_.try_emplace(std::move(kind_and_name), next).first->second;
  }

  std::shared_ptr<Shared> shared_;
  std::mutex mutex_;
  std::map<std::string, Space> spaces_;  // guarded by mutex_
};

}  // namespace

Result<std::shared_ptr<Backend>> make_memory_backend(MemoryOptions options) try {
  policy::Check check("MemoryOptions");
  check.range("max_keys", options.max_keys, 1, std::numeric_limits<std::int64_t>::max());
  if (check.error()) return *check.error();
  return std::shared_ptr<Backend>(std::make_shared<MemoryBackend>(std::move(options)));
} catch (const std::bad_alloc&) {
  return Error{Errc::out_of_memory, {}};
}

}  // namespace ratelimit
