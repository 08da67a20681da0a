// The in-memory backend: for limits that are local anyway, and for unit tests.
#pragma once

#include <cstdint>
#include <memory>

#include "ratelimit/backend.hpp"
#include "ratelimit/clock.hpp"
#include "ratelimit/export.hpp"
#include "ratelimit/result.hpp"

namespace ratelimit {

/// Who pays when a new key finds every place that it may take in debt.
enum class WhenFull : std::uint8_t {
  /// The key that would recover first is forgotten, and counted. Nobody is denied falsely; who is
  /// forgotten may be admitted too much.
  forget,

  /// That key goes, too, and what it owed stays: a key that is new, or comes back, starts as if it
  /// owed as much as anybody who had to go from its part of the table. Nobody is ever admitted too
  /// much, at any flood; light keys may be denied falsely. (`reset` takes a key's own debt away, not
  /// that.) A SlidingWindowLog cannot tell whose units it would start with, and forgets.
  inherit,
};

/// Options of the in-memory backend.
struct MemoryOptions {
  /// The source of time. Null: the system's clock.
  std::shared_ptr<const Clock> clock = nullptr;

  /// For how many keys that have not recovered there is room, over all limiters of the backend; 1 to
  /// 2^40. Memory is taken once, 24 bytes for each. A key that has fully recovered is forgotten
  /// first (which changes no decision); only where there is none in reach, `when_full` says what
  /// becomes of a new key. States that do not fit a word of 64 bits (every SlidingWindowLog, and
  /// policies of unusual numbers) are kept apart, for at most as many keys.
  std::int64_t max_keys = 1'000'000;

  /// What becomes of a new key where there is no room.
  WhenFull when_full = WhenFull::forget;
};

/// Makes a backend whose state lives in this process.
///
/// Errors: Errc::invalid_argument for a bad option; Errc::out_of_memory, also where the system gives
/// no random numbers.
RATELIMIT_API Result<std::shared_ptr<Backend>> make_memory_backend(MemoryOptions options = {});

}  // namespace ratelimit
