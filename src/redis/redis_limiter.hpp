// A limiter whose state is on a Redis server.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  Shared(Endpoint endpoint, std::shared_ptr<const TlsContext> tls, const RedisOptions& options)
      : client(std::move(endpoint),
               {.tls = std::move(tls),
                .client_name = options.client_name,
                .connections = static_cast<std::size_t>(options.max_connections),
                .failures_to_open = options.failures_to_open}),
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
        meeting_{.script = script_named(Rule::kScript),
                 .fields = Rule::View::kFields,
                 .terms = terms(kServerTimeSlack),
                 .timed_terms = terms(kSentTimeSlack)},
        on_error_(on_error),
        local_(std::move(local)) {}

  /// The most calls of a script in one flight of `allow_many`.
  static constexpr std::size_t kMostParts = 16;

  Decision allow(std::string_view key, std::int64_t cost) noexcept override {
    return decide({policy::Op::charge, key, cost, own_time()}, Deadline(shared_->timeout));
  }

  Decision peek(std::string_view key, std::int64_t cost) noexcept override {
    return decide({policy::Op::peek, key, cost, own_time()}, Deadline(shared_->timeout));
  }

  Decision allow_at(std::string_view key, TimePoint now, std::int64_t cost) noexcept override {
    return decide({policy::Op::charge, key, cost, now}, Deadline(shared_->timeout));
  }

  Decision peek_at(std::string_view key, TimePoint now, std::int64_t cost) noexcept override {
    return decide({policy::Op::peek, key, cost, now}, Deadline(shared_->timeout));
  }

  void allow_many(const Request* requests, std::size_t count,
                  Decision* decisions) noexcept override {
    const Deadline deadline(shared_->timeout);
    const auto time = own_time();
    for (std::size_t done = 0; done < count;) {
      done += decide_some({requests + done, count - done}, decisions + done, time, deadline);
    }
  }

  Errc reset(std::string_view key) noexcept override {
    if (!policy::is_valid(key, 0)) return Errc::invalid_argument;
    if (local_) (void)local_->reset(key);
    try {
      const Deadline deadline(shared_->timeout);
      const auto errand = std::make_shared<Errand>();
      errand->parts.push_back({std::make_unique<KeyRemoval>(key_stem_ + std::string(key))});
      if (const Failure failure = shared_->client.run(errand, deadline)) return count(*failure);
      const Failure& failure = errand->parts.front().exchange->trouble();
      return failure ? count(*failure) : Errc::ok;
    } catch (const std::bad_alloc&) {
      return count({Errc::out_of_memory, {}});
    }
  }

 private:
  struct Asked {
    policy::Op op;
    std::string_view key;
    std::int64_t cost;
    std::optional<TimePoint> time;  // none: the server's
  };

  [[nodiscard]] std::optional<TimePoint> own_time() const noexcept {
    if (shared_->clock == nullptr) return std::nullopt;
    return shared_->clock->now();
  }

  /// What the script is told of every call: of the policy, and how long keys are kept.
  [[nodiscard]] std::vector<std::int64_t> terms(std::int64_t slack) const {
    const auto own = rule_.script_terms();
    std::vector<std::int64_t> all(own.begin(), own.end());
    all.push_back(slack);
    return all;
  }

  /// Allocates for a long one only.
  [[nodiscard]] fmt::memory_buffer state_key_of(std::string_view key) const {
    fmt::memory_buffer buffer;
    buffer.append(key_stem_);
    buffer.append(key);
    return buffer;
  }

  [[nodiscard]] static policy::Call call_of(const Asked& asked) {
    return {asked.op, 0, asked.cost};  // the script knows the time
  }

  [[nodiscard]] static std::optional<Micros> time_of(const Asked& asked) {
    return asked.time ? std::optional(instant_of(*asked.time)) : std::nullopt;
  }

  /// One request by itself, or with those of others.
  Decision decide(const Asked& asked, const Deadline& deadline) noexcept {
    if (!policy::is_valid(asked.key, asked.cost)) return refuse();
    try {
      Answer answer;
      const auto state_key = state_key_of(asked.key);
      auto failure = shared_->client.ask(meeting_,
                                         {{state_key.data(), state_key.size()},
                                          rule_.script_charge(call_of(asked)),
                                          time_of(asked)},
                                         deadline, answer);
      if (failure) return answer_without_server(asked, count(*failure));
      return decide(asked, *answer.batch, answer.place);
    } catch (const std::bad_alloc&) {
      return answer_without_server(asked, count({Errc::out_of_memory, {}}));
    }
  }

  /// The decision on what the script replied.
  Decision decide(const Asked& asked, const ScriptBatch& batch,
                  const ScriptBatch::Place& place) noexcept {
    if (batch.loaded() && place == ScriptBatch::Place{}) shared_->tally.count_script_load();
    if (const Failure& failure = batch.failure(place)) {
      return answer_without_server(asked, count(*failure));
    }
    const auto fields = batch.fields(place).template first<Rule::View::kFields>();
    const auto first = rule_.view_of(fields, batch.healed(place));
    if (!first) {
      return answer_without_server(asked,
                                   count({Errc::protocol_error, "a field is out of its bounds"}));
    }
    if (first->healed) shared_->tally.count_healed();
    const policy::Call call = call_of(asked);
    return policy::decide(rule_, place.turn == 0 ? *first : rule_.after(*first, call, place.turn),
                          call);
  }

  /// Where the answer to one of many requests is.
  struct Spot {
    std::size_t part;  // of the errand; kNone: the request is none
    ScriptBatch::Place place;
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  /// Adds a request to the last batch of an errand, or to a new one. Returns false where there are
  /// as many as one flight may carry. Throws std::bad_alloc.
  bool add(Errand& errand, ScriptBatch*& last, const Asked& asked, std::vector<Spot>& spots) const {
    if (!policy::is_valid(asked.key, asked.cost)) {
      spots.push_back({kNone, {}});
      return true;
    }
    const auto buffer = state_key_of(asked.key);
    const std::string_view state_key(buffer.data(), buffer.size());
    const std::int64_t charge = rule_.script_charge(call_of(asked));
    auto place = last == nullptr ? std::nullopt : last->add(state_key, charge);
    if (!place) {
      if (errand.parts.size() == kMostParts) return false;
      auto batch = meeting_.make_batch(time_of(asked));
      last = batch.get();
      place = last->add(state_key, charge);
      errand.parts.push_back({std::move(batch)});
    }
    spots.push_back({errand.parts.size() - 1, *place});
    return true;
  }

  /// Decides as many of the requests as one flight may carry. Returns how many; one at least.
  std::size_t decide_some(std::span<const Request> requests, Decision* decisions,
                          std::optional<TimePoint> time, const Deadline& deadline) noexcept {
    const auto asked = [&](std::size_t i) {
      return Asked{policy::Op::charge, requests[i].key, requests[i].cost, time};
    };
    try {
      const auto errand = std::make_shared<Errand>();
      std::vector<Spot> spots;
      ScriptBatch* last = nullptr;
      while (spots.size() < requests.size() && add(*errand, last, asked(spots.size()), spots)) {
      }
      Failure failure;
      if (last != nullptr) failure = shared_->client.run(errand, deadline);
      // Whoever gave up must not look: another may still be writing.
      const bool is_done = errand->state.load(std::memory_order_acquire) == Errand::done;
      for (std::size_t i = 0; i < spots.size(); ++i) {
        const auto& [part, place] = spots[i];
        if (part == kNone) {
          decisions[i] = refuse();
        } else if (is_done && errand->parts[part].ended) {
          decisions[i] = decide(
              asked(i), static_cast<const ScriptBatch&>(*errand->parts[part].exchange), place);
        } else {
          decisions[i] = answer_without_server(asked(i), count(*failure));
        }
      }
      return spots.size();
    } catch (const std::bad_alloc&) {
      decisions[0] = decide(asked(0), deadline);  // less at a time needs less memory
      return 1;
    }
  }

  [[nodiscard]] Decision refuse() const {
    return policy::degraded_decision(rule_.limit(), false, Errc::invalid_argument);
  }

  Errc count(const Error& error) noexcept {
    shared_->tally.count_error(error);
    return error.code;
  }

  Decision answer_without_server(const Asked& asked, Errc error) noexcept {
    if (!local_) {
      return policy::degraded_decision(rule_.limit(), on_error_ == OnError::allow, error);
    }
    const auto& [op, key, cost, time] = asked;
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
  Meeting meeting_;
  const OnError on_error_;
  const std::shared_ptr<Limiter> local_;
};

}  // namespace ratelimit::redis
