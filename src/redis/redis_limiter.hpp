// A limiter whose state is on a Redis server.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/instant.hpp"
#include "policy/call.hpp"
#include "ratelimit/clock.hpp"
#include "ratelimit/limiter.hpp"
#include "ratelimit/redis.hpp"
#include "redis/client.hpp"
#include "redis/key_removal.hpp"
#include "redis/script_batch.hpp"
#include "redis/tally.hpp"

namespace ratelimit::redis {

/// What the limiters of one backend share; it lives as long as any of them.
struct Shared {
  Shared(Endpoint endpoint, const RedisOptions& options)
      : client(std::move(endpoint), options.client_name,
               static_cast<std::size_t>(options.max_connections)),
        timeout(options.timeout),
        clock(options.clock) {}

  Client client;
  const Duration timeout;
  const std::shared_ptr<const Clock> clock;  // null: the server's
  Tally tally;
};

template <class Rule>
class RedisLimiter final : public Limiter {
 public:
  /// `local` answers while the server does not; null unless on_error is OnError::local.
  RedisLimiter(std::shared_ptr<Shared> shared, std::string key_stem, Rule rule, OnError on_error,
               std::shared_ptr<Limiter> local)
      : shared_(std::move(shared)),
        key_stem_(std::move(key_stem)),
        rule_(std::move(rule)),
        script_(script_named(Rule::kScript)),
        on_error_(on_error),
        local_(std::move(local)) {}

  Decision allow(std::string_view key, std::int64_t cost) noexcept override {
    return decide({policy::Op::charge, key, cost, own_time()});
  }

  Decision peek(std::string_view key, std::int64_t cost) noexcept override {
    return decide({policy::Op::peek, key, cost, own_time()});
  }

  Decision allow_at(std::string_view key, TimePoint now, std::int64_t cost) noexcept override {
    return decide({policy::Op::charge, key, cost, now});
  }

  Decision peek_at(std::string_view key, TimePoint now, std::int64_t cost) noexcept override {
    return decide({policy::Op::peek, key, cost, now});
  }

  Errc reset(std::string_view key) noexcept override {
    if (!policy::is_valid(key, 0)) return Errc::invalid_argument;
    if (local_) (void)local_->reset(key);
    try {
      const Deadline deadline(shared_->timeout);
      const std::string state_key = key_stem_ + std::string(key);
      KeyRemoval removal(state_key);
      Failure failure = shared_->client.run(removal, deadline);
      if (!failure) failure = std::move(removal.failure());
      if (failure) shared_->tally.count_error(*failure);
      return failure ? failure->code : Errc::ok;
    } catch (const std::bad_alloc&) {
      shared_->tally.count_error({Errc::out_of_memory, {}});
      return Errc::out_of_memory;
    }
  }

 private:
  struct Question {
    policy::Op op;
    std::string_view key;
    std::int64_t cost;
    std::optional<TimePoint> time;  // none: the server's
  };

  [[nodiscard]] std::optional<TimePoint> own_time() const noexcept {
    if (shared_->clock == nullptr) return std::nullopt;
    return shared_->clock->now();
  }

  Decision decide(const Question& question) noexcept {
    if (!policy::is_valid(question.key, question.cost)) {
      return policy::degraded_decision(rule_.limit(), false, Errc::invalid_argument);
    }
    try {
      const Deadline deadline(shared_->timeout);
      const policy::Call call{question.op, question.time ? instant_of(*question.time) : 0,
                              question.cost};
      const std::string state_key = key_stem_ + std::string(question.key);
      const bool is_sent = question.time.has_value();
      ScriptBatch script(script_, constants(question), Rule::View::kFields,
                         is_sent ? std::optional(call.now) : std::nullopt);
      const auto place = *script.add(state_key, rule_.script_charge(call));
      Failure failure = shared_->client.run(script, deadline);
      if (!failure) failure = script.failure(place);
      if (failure) shared_->tally.count_error(*failure);
      if (script.loaded()) shared_->tally.count_script_load();
      if (failure) return answer_without_server(question, failure->code);
      const auto fields = script.fields(place).template first<Rule::View::kFields>();
      const auto view = rule_.view_of(fields, script.healed(place));
      if (!view) {
        shared_->tally.count_error({Errc::protocol_error, "a field is out of its bounds"});
        return answer_without_server(question, Errc::protocol_error);
      }
      if (script.healed(place)) shared_->tally.count_healed();
      return policy::decide(rule_, *view, call);
    } catch (const std::bad_alloc&) {
      shared_->tally.count_error({Errc::out_of_memory, {}});
      return answer_without_server(question, Errc::out_of_memory);
    }
  }

  /// What the script is told of every call: of the policy, and how long keys are kept.
  [[nodiscard]] auto constants(const Question& question) const {
    const auto terms = rule_.script_terms();
    std::array<std::int64_t, std::tuple_size_v<decltype(rule_.script_terms())> + 1> all{};
    std::ranges::copy(terms, all.begin());
    all.back() = question.time ? kSentTimeSlack : kServerTimeSlack;
    return all;
  }

  Decision answer_without_server(const Question& question, Errc error) noexcept {
    if (!local_) {
      return policy::degraded_decision(rule_.limit(), on_error_ == OnError::allow, error);
    }
    const auto& [op, key, cost, time] = question;
    Decision decision;
    if (op == policy::Op::charge) {
      decision = time ? local_->allow_at(key, *time, cost) : local_->allow(key, cost);
    } else {
      decision = time ? local_->peek_at(key, *time, cost) : local_->peek(key, cost);
    }
    decision.error = error;
    return decision;
  }

  const std::shared_ptr<Shared> shared_;
  const std::string key_stem_;
  const Rule rule_;
  const Script& script_;
  const OnError on_error_;
  const std::shared_ptr<Limiter> local_;
};

}  // namespace ratelimit::redis
