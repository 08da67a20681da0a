// The in-memory backend: for limits that are local anyway, and for unit tests.
#pragma once

#include <cstdint>
#include <memory>

#include "ratelimit/backend.hpp"
#include "ratelimit/clock.hpp"
#include "ratelimit/export.hpp"
#include "ratelimit/result.hpp"

namespace ratelimit {

/// What becomes of a debt where every place in reach of a new key is taken by one in debt, so that
/// the one that would recover first has to go. `Statistics::forgotten_debt` counts these.
enum class WhenFull : std::uint8_t {
  /// It is forgotten: whoever left starts anew if it comes back. Nobody is ever denied for it.
  forget,

  /// Newcomers that may be whoever left start with as much. So nobody is ever admitted beyond its
  /// limit, at any flood of keys, while clocks do not step back (a call that is held up after it
  /// has read the clock is such a step) and limiters of one name have one limit. But newcomers may
  /// be denied, each for at most one span of its policy after the last such departure, two windows
  /// for a SlidingWindowCounter. `Limiter::reset` forgives no more than the key's own charges since
  /// it last came. Costs 3 bytes more a key. Not for states that are kept apart (see
  /// `MemoryOptions::max_keys`): those are forgotten.
  inherit,
};

/// Options of the in-memory backend.
struct MemoryOptions {
  /// The source of time. Null: the system's clock.
  std::shared_ptr<const Clock> clock = nullptr;

  /// For how many keys that have not recovered there is room, over all limiters of the backend; 1
  /// to 2^40. Address space is taken once, 24 bytes for each, and memory as keys come.
  ///
  /// A key that has fully recovered makes room first, which changes no decision; only where there
  /// is none in reach of a new key, the one that would recover first is forgotten, and
  /// `Statistics::forgotten_debt` counts it.
  ///
  /// Kept apart, behind locks, each of them for a part of the keys, are: logs; buckets whose rate /
  /// gcd(rate, period in us) is over 2048, or that drain in over 142 years; windows whose limit is
  /// over 2048 times the window in us; counters whose limit squared is over some 500 times the
  /// window in us; and all keys of a name under which limiters of different windows were made. For
  /// as many of these there is room besides, at 64 bytes each.
  std::int64_t max_keys = 1'000'000;

  /// How much memory there is for the logs of all keys together, in bytes; 4096 to 2^40. Address
  /// space is taken once, an eighth more for what is kept beside, and memory as logs grow.
  ///
  /// A log takes 4 bytes for each unit that its window has held at once, or 8 where the window is
  /// over 35 minutes, rounded up to a power of 2, 64 at least: 64 bytes for up to 16 units. It
  /// keeps them until its key is forgotten. Where there is no room for a log to grow, others are:
  /// of the few that are looked at those that have recovered, or else recover first.
  ///
  /// The memory is divided into up to 64 shares, of at least 4 MiB where there is so much, and the
  /// log of a key may take half of one: 2 MiB by default, enough for any limit up to 262,144. A
  /// limiter whose logs might not fit is refused, and the error says what would do.
  std::int64_t log_bytes = std::int64_t{128} << 20;

  /// What becomes of debts where there is no room.
  WhenFull when_full = WhenFull::forget;
};

/// Makes a backend whose state lives in this process.
///
/// Errors: Errc::invalid_argument for a bad option; Errc::out_of_memory, also where the system
/// gives no random numbers.
RATELIMIT_API Result<std::shared_ptr<Backend>> make_memory_backend(MemoryOptions options = {});

}  // namespace ratelimit
