// Units of a key that a thread has been charged for in advance, so that it need not fight with
// others for the key's cache line on each call.
//
// The limit holds as exactly as without. A lease is believed only for as long as it makes no
// difference to the key's state whether its units were charged when it was taken or when they are
// given out: Rule::lease_span. So what is admitted is what one sequence of charges, each at its own
// instant, would have admitted. Units that are not given out by then are lost.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/instant.hpp"
#include "memory/key_hash.hpp"
#include "ratelimit/decision.hpp"

namespace ratelimit::memory {

struct Lease {
  std::uint64_t limiter = 0;  // its number; 0: no lease
  Digest key{0, 0};
  std::int64_t units = 0;  // not given out yet
  Micros taken = 0;
  Micros until = 0;
  Decision last;  // of the call that took it, as if it had asked for its own cost

  [[nodiscard]] bool is_for(std::uint64_t number, const Digest& digest) const {
    return limiter == number && key.tag == digest.tag && key.place == digest.place;
  }

  /// Whether it is believed: a clock may have stepped back.
  [[nodiscard]] bool is_valid(Micros now) const { return taken <= now && now < until; }

  /// Requires: is_valid(now), units >= cost.
  Decision give_out(std::int64_t cost, Micros now) {
    units -= cost;
    last.remaining -= cost;
    Decision decision = last;
    decision.reset_after = std::max(Duration(0), last.reset_after - Duration(now - taken));
    return decision;
  }
};

/// Where this thread keeps its lease for a key, or another one's that has to give way to it.
inline Lease& lease_of_this_thread(const Digest& key) {
  static constexpr std::size_t kLeases = 8;
  static constinit thread_local std::array<Lease, kLeases> leases{};
  return leases[key.tag % kLeases];
}

}  // namespace ratelimit::memory
