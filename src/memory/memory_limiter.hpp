// A limiter whose state is in this process's memory.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "base/instant.hpp"
#include "base/unix_clock.hpp"
#include "memory/homes.hpp"
#include "memory/key_hash.hpp"
#include "memory/locked_table.hpp"
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
        places(options.max_keys, options.when_full, tally),
        locked({options.max_keys, options.log_bytes}, tally) {}

  Tally tally;
  const std::shared_ptr<const Clock> clock;  // null: the system's
  PlaceTable places;
  LockedTable locked;
  Homes homes;
};

template <class Rule>
class MemoryLimiter : public Limiter {
 public:
  MemoryLimiter(std::shared_ptr<Shared> shared, const Home& home, Rule rule)
      : shared_(std::move(shared)),
        home_(home),
        packing_(std::max<std::int64_t>(1, rule.packing())),
        rule_(std::move(rule)) {}

  Decision allow(std::string_view key, std::int64_t cost) noexcept override {
    return decide<policy::Op::charge>(key, cost, [this] { return now_at_once(); });
  }

  Decision peek(std::string_view key, std::int64_t cost) noexcept override {
    return decide<policy::Op::peek>(key, cost, [this] { return now_at_once(); });
  }

  Decision allow_at(std::string_view key, TimePoint now, std::int64_t cost) noexcept override {
    return decide<policy::Op::charge>(key, cost, [now] { return instant_of(now); });
  }

  Decision peek_at(std::string_view key, TimePoint now, std::int64_t cost) noexcept override {
    return decide<policy::Op::peek>(key, cost, [now] { return instant_of(now); });
  }

  void allow_many(const Request* requests, std::size_t count,
                  Decision* decisions) noexcept override {
    while (count > 0) {
      const std::size_t together = std::min(count, kTogether);
      allow_together(requests, together, decisions);
      requests += together;
      decisions += together;
      count -= together;
    }
  }

  Errc reset(std::string_view key) noexcept override {
    if (!policy::is_valid(key, 0)) return Errc::invalid_argument;
    const Digest digest = home_.hash()(key);
    if constexpr (kPacks) places_.erase(digest);
    if (home_.packing() == 0) shared_->locked.template erase<Rule>(digest);
    return Errc::ok;
  }

 protected:
  /// Whether states of this kind may be in the table.
  static constexpr bool kPacks = requires(const typename Rule::Packing& packing) {
    packing.unpack(policy::Word{});
  };

  /// How many requests share a look at the clock, and how many cache lines are fetched at once.
  static constexpr std::size_t kTogether = 32;

  [[nodiscard, gnu::always_inline]] PlaceTable::Spot spot(std::string_view key) const noexcept {
    return places_.spot(home_.hash()(key));
  }

  [[nodiscard]] Micros now() const noexcept {
    return clock_ == nullptr ? unix_clock_.now() : instant_of(clock_->now());
  }

  /// Negative where it takes a call to know.
  [[nodiscard, gnu::always_inline]] Micros now_at_once() const noexcept {
    return clock_ == nullptr ? unix_clock_.now_at_once() : -1;
  }

  [[nodiscard, gnu::noinline]] Decision invalid() const noexcept {
    return policy::degraded_decision(rule_.limit(), false, Errc::invalid_argument);
  }

  /// `at_once` is asked for the instant when the key's cache line is on its way. What is rare is
  /// left to functions that are called last, so that the way past them has nothing to save from
  /// them.
  template <policy::Op Operation, class Instant>
  [[gnu::always_inline]] Decision decide(std::string_view key, std::int64_t cost,
                                         const Instant& at_once) noexcept {
    if (!policy::is_valid(key, cost)) [[unlikely]] {
      return invalid();
    }
    if constexpr (kPacks) {
      if (home_.packing() != 0) [[likely]] {
        const auto spot = this->spot(key);
        const Micros now = at_once();
        if (now >= 0) [[likely]] {
          return decide_at_home<Operation>(spot, now, cost);
        }
        return decide_by_slow_clock<Operation>(spot.digest, cost);
      }
    }
    return decide_locked<Operation>(key, at_once(), cost);
  }

  template <policy::Op Operation>
  [[gnu::always_inline]] Decision decide_at_home(const PlaceTable::Spot& spot, Micros now,
                                                 std::int64_t cost) noexcept {
    return places_.apply(spot, rule_, packing_, {Operation, now, cost}, [&](PlaceTable::Why) {
      return decide_anywhere<Operation>(spot.digest, now, cost);
    });
  }

  template <policy::Op Operation>
  [[gnu::noinline]] Decision decide_anywhere(Digest digest, Micros now,
                                             std::int64_t cost) noexcept {
    const policy::Call call{Operation, now, cost};
    return policy::decide(rule_, places_.apply_anywhere(digest, rule_, packing_, call), call);
  }

  template <policy::Op Operation>
  [[gnu::noinline]] Decision decide_by_slow_clock(Digest digest, std::int64_t cost) noexcept {
    return decide_at_home<Operation>(places_.spot(digest), now(), cost);
  }

 private:
  void allow_together(const Request* requests, std::size_t count, Decision* decisions) noexcept {
    [[maybe_unused]] std::array<PlaceTable::Spot, kTogether> spots;
    bool packed = false;
    if constexpr (kPacks) {
      packed = home_.packing() != 0;
      for (std::size_t i = 0; packed && i < count; ++i) {
        if (policy::is_valid(requests[i].key, 0)) spots[i] = spot(requests[i].key);
      }
    }
    const Micros now = this->now();
    for (std::size_t i = 0; i < count; ++i) {
      const auto& [key, cost] = requests[i];
      if (!policy::is_valid(key, cost)) {
        decisions[i] = invalid();
        continue;
      }
      if constexpr (kPacks) {
        if (packed) {
          // In place: a copy would wait for the parts to be stored.
          ::new (&decisions[i]) Decision(decide_at_home<policy::Op::charge>(spots[i], now, cost));
          continue;
        }
      }
      decisions[i] = decide_locked<policy::Op::charge>(key, now, cost);
    }
  }

  /// A negative `at`: by the clock.
  template <policy::Op Operation>
  [[gnu::noinline]] Decision decide_locked(std::string_view key, Micros at,
                                           std::int64_t cost) noexcept {
    const policy::Call call{Operation, at >= 0 ? at : now(), cost};
    const Digest digest = home_.hash()(key);
    if constexpr (kPacks) {
      if (home_.old_packing() != 0) {
        const typename Rule::Packing old_packing(home_.old_packing());
        const auto seen = shared_->locked.apply(digest, rule_, call, [&] {
          return places_.state(digest, rule_, old_packing, call.now);
        });
        if (seen.stored) places_.erase(digest);
        return policy::decide(rule_, seen.view, call);
      }
    }
    const auto fresh = [] { return typename Rule::State{}; };
    return policy::decide(rule_, shared_->locked.apply(digest, rule_, call, fresh).view, call);
  }

  const std::shared_ptr<Shared> shared_;
  const Clock* const clock_ = shared_->clock.get();  // null: the system's
  UnixClock& unix_clock_ = UnixClock::shared();

 protected:
  PlaceTable& places_ = shared_->places;
  const Home& home_;
  const typename Rule::Packing packing_;
  const Rule rule_;
};

}  // namespace ratelimit::memory
