// A limiter in memory whose threads take leases where they meet at one key (see memory/lease.hpp).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "memory/lease.hpp"
#include "memory/memory_limiter.hpp"

namespace ratelimit::memory {

template <class Rule>
class LeasingLimiter final : public MemoryLimiter<Rule> {
 public:
  /// Threads take `units` at a time. Requires: units > 0.
  LeasingLimiter(std::shared_ptr<Shared> shared, const Home& home, Rule rule, std::int64_t units)
      : MemoryLimiter<Rule>(std::move(shared), home, std::move(rule)), units_(units) {}

  Decision allow(std::string_view key, std::int64_t cost) noexcept override {
    return allow_by(key, this->now(), cost);
  }

  Decision allow_at(std::string_view key, TimePoint now, std::int64_t cost) noexcept override {
    return allow_by(key, instant_of(now), cost);
  }

 private:
  static constexpr auto kCharge = policy::Op::charge;

  Decision allow_by(std::string_view key, Micros now, std::int64_t cost) noexcept {
    if (!policy::is_valid(key, cost)) return this->invalid();
    if (this->home_.packing() == 0 || cost == 0) {
      return this->template decide<kCharge>(key, cost, [now] { return now; });
    }
    const Digest digest = this->home_.hash()(key);
    Lease& lease = lease_of_this_thread(digest);
    if (lease.is_for(number_, digest)) {
      if (lease.is_valid(now)) {
        return lease.units >= cost ? lease.give_out(cost, now) : take(lease, digest, now, cost);
      }
      lease = {};  // or a clock that steps back would make it valid again
    }
    // Not before: to fetch the key's cache line is to take it from another thread.
    return this->places_.apply(this->places_.spot(digest), this->rule_, this->packing_,
                               {kCharge, now, cost}, [&](PlaceTable::Why why) {
                                 return why == PlaceTable::Why::contended
                                            ? take(lease, digest, now, cost)
                                            : this->template decide_anywhere<kCharge>(digest, now,
                                                                                      cost);
                               });
  }

  /// Charges what the call costs and a lease, or where that is too much, what the call costs.
  [[gnu::noinline]] Decision take(Lease& lease, const Digest& key, Micros now,
                                  std::int64_t cost) noexcept {
    const Rule& rule = this->rule_;
    const policy::Call seen{policy::Op::peek, now, 0};
    const policy::Call charged{kCharge, now, cost + units_};
    if (cost <= rule.limit() - units_ && rule.lease_span(apply(key, seen)) > 0) {
      const auto view = apply(key, charged);
      Decision decision = policy::decide(rule, view, charged);
      if (decision.allowed) {
        decision.remaining += units_;
        lease = {.limiter = number_,
                 .key = key,
                 .units = units_,
                 .taken = now,
                 .until = now + rule.lease_span(view),
                 .last = decision};
        return decision;
      }
    }
    return this->template decide_anywhere<kCharge>(key, now, cost);
  }

  typename Rule::View apply(const Digest& key, const policy::Call& call) noexcept {
    return this->places_.apply_anywhere(key, this->rule_, this->packing_, call);
  }

  static std::uint64_t next_number() {
    static std::atomic<std::uint64_t> numbers = 1;
    return numbers.fetch_add(1, std::memory_order_relaxed);
  }

  const std::int64_t units_;
  const std::uint64_t number_ = next_number();
};

}  // namespace ratelimit::memory
