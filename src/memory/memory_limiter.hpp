// A limiter whose state is in this process's memory.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/instant.hpp"
#include "base/unix_clock.hpp"
#include "memory/key_hash.hpp"
#include "memory/key_map.hpp"
#include "memory/place_table.hpp"
#include "memory/tally.hpp"
#include "policy/call.hpp"
#include "ratelimit/limiter.hpp"
#include "ratelimit/memory.hpp"

namespace ratelimit::memory {

/// What limiters of one name and kind of policy share: where their keys' states are, and how they
/// are packed.
///
/// They are in the table of places as long as all of the limiters pack alike; once one does not,
/// they are in the map, where each key comes when it is next charged. A call that is under way on
/// another thread at that moment may still charge the state in the table, and lose that charge.
class Home {
 public:
  Home(Space space, std::int64_t packing) : space_(space), packing_(packing) {}

  [[nodiscard]] Space space() const noexcept { return space_; }

  /// How the states in the table are packed; 0: they are in the map.
  [[nodiscard]] std::int64_t packing() const noexcept {
    return packing_.load(std::memory_order_acquire);
  }

  /// How the states were packed that the map has not taken yet; 0: there are none. Requires:
  /// packing() is 0.
  [[nodiscard]] std::int64_t old_packing() const noexcept { return old_packing_; }

  /// Another limiter comes, which packs like this. Requires: one caller at a time.
  void join(std::int64_t packing) noexcept {
    const std::int64_t present = packing_.load(std::memory_order_relaxed);
    if (present == packing || present == 0) return;
    old_packing_ = present;
    packing_.store(0, std::memory_order_release);
  }

 private:
  const Space space_;
  std::atomic<std::int64_t> packing_;
  std::int64_t old_packing_ = 0;  // published by packing_
};

/// The homes of a backend, by kind of policy and name.
class Homes {
 public:
  /// The home of a limiter that packs like this.
  const Home& of(std::string kind_and_name, std::int64_t packing) {
    const std::lock_guard lock(mutex_);
    const auto next = static_cast<Space>(homes_.size());
    Home& home = homes_.try_emplace(std::move(kind_and_name), next, packing).first->second;
    home.join(packing);
    return home;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Home> homes_;  // guarded by mutex_
};

/// What the limiters of one backend share; it lives as long as any of them.
struct Shared {
  explicit Shared(MemoryOptions options)
      : clock(std::move(options.clock)),
        places(options.max_keys, options.when_full, tally),
        map(static_cast<std::size_t>(options.max_keys), options.when_full, hash, tally) {}

  const std::shared_ptr<const Clock> clock;  // null: the system's
  const KeyHash hash;
  Tally tally;
  PlaceTable places;
  KeyMap map;
  Homes homes;
};

/// What a rule's states in the table depend on; 0: it has none there.
template <class Rule>
std::int64_t packing_of(const Rule& rule) {
  if constexpr (requires { rule.packing(); }) {
    return rule.packing();
  } else {
    return 0;
  }
}

/// Rule::Packing, where there is one.
template <class Rule>
struct NoPacking {
  explicit NoPacking(std::int64_t /*packing*/) {}
};
template <class Rule>
auto packing_type() {
  if constexpr (requires { typename Rule::Packing; }) {
    return std::type_identity<typename Rule::Packing>{};
  } else {
    return std::type_identity<NoPacking<Rule>>{};
  }
}
template <class Rule>
using PackingOf = typename decltype(packing_type<Rule>())::type;

template <class Rule>
class MemoryLimiter final : public Limiter {
 public:
  MemoryLimiter(std::shared_ptr<Shared> shared, const Home& home, Rule rule, OnError on_error)
      : shared_(std::move(shared)),
        home_(home),
        packing_(std::max<std::int64_t>(1, packing_of(rule))),
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
    shared_->map.erase(home_.space(), key);
    return Errc::ok;
  }

 private:
  /// Whether states of this kind may be in the table.
  static constexpr bool kPacks = requires { typename Rule::Packing; };

  [[nodiscard, gnu::always_inline]] PlaceTable::Spot spot(std::string_view key) const noexcept {
    return shared_->places.spot(shared_->hash(home_.space(), key));
  }

  [[nodiscard]] Micros now() const noexcept {
    const Clock* const clock = shared_->clock.get();
    return clock == nullptr ? unix_clock_.now() : instant_of(clock->now());
  }

  template <policy::Op op>
  [[gnu::always_inline]] Decision decide(std::string_view key, std::int64_t cost) noexcept {
    if (!policy::is_valid(key, cost)) [[unlikely]] {
      return policy::degraded_decision(rule_.limit(), false, Errc::invalid_argument);
    }
    if constexpr (kPacks) {
      if (home_.packing() != 0) [[likely]] {
        const auto spot = this->spot(key);
        return shared_->places.apply(spot, rule_, packing_, {op, now(), cost});
      }
    }
    return decide_in_map(op, key, cost);
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
  const PackingOf<Rule> packing_;
  const Rule rule_;
  const OnError on_error_;
};

}  // namespace ratelimit::memory
