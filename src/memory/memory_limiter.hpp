// A limiter whose state is in this process's memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "base/instant.hpp"
#include "base/unix_clock.hpp"
#include "memory/homes.hpp"
#include "memory/key_hash.hpp"
#include "memory/key_map.hpp"
#include "memory/place_table.hpp"
#include "memory/tally.hpp"
#include "policy/call.hpp"
#include "policy/word.hpp"
#include "ratelimit/limiter.hpp"
#include "ratelimit/memory.hpp"

namespace ratelimit::memory {

/// What the limiters of one backend share; it lives as long as any of them.
struct Shared {
  explicit Shared(MemoryOptions options)
      : clock(std::move(options.clock)),
        places(options.max_keys, tally),
        map(static_cast<std::size_t>(options.max_keys), hash, tally) {}

  Tally tally;
  const KeyHash hash;
  const std::shared_ptr<const Clock> clock;  // null: the system's
  PlaceTable places;
  KeyMap map;
  Homes homes;
};

template <class Rule>
class MemoryLimiter final : public Limiter {
 public:
  MemoryLimiter(std::shared_ptr<Shared> shared, const Home& home, Rule rule, OnError on_error)
      : shared_(std::move(shared)),
        home_(home),
        packing_(std::max<std::int64_t>(1, rule.packing())),
        rule_(std::move(rule)),
        on_error_(on_error) {}

  Decision allow(std::string_view key, std::int64_t cost) noexcept override {
    return decide<policy::Op::charge>(key, cost);
  }

  Decision peek(std::string_view key, std::int64_t cost) noexcept override {
    return decide<policy::Op::peek>(key, cost);
  }

  Errc reset(std::string_view key) noexcept override {
    if (!policy::is_valid(key, 0)) return Errc::invalid_argument;
    if constexpr (kPacks) shared_->places.erase(spot(key));
    if (home_.packing() == 0) shared_->map.erase(home_.space(), key);
    return Errc::ok;
  }

 private:
  /// Whether states of this kind may be in the table.
  static constexpr bool kPacks = requires(const typename Rule::Packing& packing) {
    packing.unpack(policy::Word{});
  };

  [[nodiscard, gnu::always_inline]] PlaceTable::Spot spot(std::string_view key) const noexcept {
    return shared_->places.spot(shared_->hash(home_.space(), key));
  }

  [[nodiscard]] Micros now() const noexcept {
    const Clock* const clock = shared_->clock.get();
    return clock == nullptr ? unix_clock_.now() : instant_of(clock->now());
  }

  template <policy::Op Operation>
  [[gnu::always_inline]] Decision decide(std::string_view key, std::int64_t cost) noexcept {
    if (!policy::is_valid(key, cost)) [[unlikely]] {
      return policy::degraded_decision(rule_.limit(), false, Errc::invalid_argument);
    }
    if constexpr (kPacks) {
      if (home_.packing() != 0) [[likely]] {
        const auto spot = this->spot(key);
        return shared_->places.apply(spot, rule_, packing_, {Operation, now(), cost});
      }
    }
    return decide_in_map(Operation, key, cost);
  }

  [[gnu::noinline]] Decision decide_in_map(policy::Op op, std::string_view key,
                                           std::int64_t cost) noexcept {
    const policy::Call call{op, now(), cost};
    const auto in_map = [&](auto initial) {
      return shared_->map.apply(home_.space(), key, rule_, call, initial);
    };
    try {
      if constexpr (kPacks) {
        if (home_.old_packing() != 0) {
          const auto spot = this->spot(key);
          const auto seen = in_map([&]() -> typename Rule::State {
            const policy::Word word = shared_->places.word(spot);
            if (word == 0) return {};
            return {typename Rule::Packing(home_.old_packing()).unpack(word)};
          });
          if (seen.stored) shared_->places.erase(spot);
          return rule_.decide(seen.view, call);
        }
      }
      return rule_.decide(in_map([] { return typename Rule::State{}; }).view, call);
    } catch (const std::bad_alloc&) {
      shared_->tally.count_error();
      return policy::degraded_decision(rule_.limit(), on_error_ == OnError::allow,
                                       Errc::out_of_memory);
    }
  }

  const std::shared_ptr<Shared> shared_;
  UnixClock& unix_clock_ = UnixClock::shared();
  const Home& home_;
  const typename Rule::Packing packing_;
  const Rule rule_;
  const OnError on_error_;
};

}  // namespace ratelimit::memory
