// States as words of 64 bits, for a backend that keeps a key's state beside its digest.
//
// A word holds the instant from which the state is the same as none, in microseconds, and below it
// what else the policy needs. So words of whatever policies compare by who recovers first, and a
// place whose word lies in the past is free. No state is 0.
#pragma once

#include <cstdint>

#include "base/instant.hpp"

namespace ratelimit::policy {

using Word = std::uint64_t;

/// How many bits below the instant are the policy's own. A policy that needs more may let them run
/// over into the instant: the state then seems to recover later, by 1 us for each 2^11.
inline constexpr int kOwnBits = 11;

/// The least word that recovers at `instant`.
constexpr Word word_at(Micros instant) { return static_cast<Word>(instant + 1) << kOwnBits; }

/// The instant from which the state of `word` is the same as none. Requires: word != 0.
constexpr Micros recovery_of(Word word) { return static_cast<Micros>(word >> kOwnBits) - 1; }

/// Whether a state is still different from none at `now`, where none may be that waits longer than
/// `longest_wait`: one that does comes from a clock that ran wild.
constexpr bool is_live(Word word, Micros now, Micros longest_wait) {
  return word > word_at(now) && recovery_of(word) <= now + longest_wait;
}

}  // namespace ratelimit::policy
