// Limiter: a named policy on a backend. What a service calls on every request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ratelimit/decision.hpp"
#include "ratelimit/error.hpp"
#include "ratelimit/export.hpp"
#include "ratelimit/time.hpp"

namespace ratelimit {

/// What is answered when the backend cannot be asked.
enum class OnError : std::uint8_t {
  local,  ///< The same policy goes on in this process's memory until the backend answers again.
  allow,  ///< Allowed. For limits that protect comfort.
  deny,   ///< Denied. For limits that protect secrets or money.
};

/// How one limiter behaves. The defaults are right for most.
struct LimiterOptions {
  /// What is answered when the backend cannot be asked. In memory it always can be.
  OnError on_error = OnError::local;

  /// With OnError::local: by how many instances the limit is shared, 1 to 1,000,000. Each goes on with
  /// that share of it, of limit and rate (rounded down, 1 at least), so that all of them together keep
  /// to it. 1: each admits up to the whole limit.
  std::int64_t instances = 1;

  /// The largest limit a SlidingWindowLog may have, 1 to 10,000,000. A log keeps 4 to 16 bytes for
  /// each admitted unit of each key, out of `MemoryOptions::log_bytes`, so raise it knowingly.
  std::int64_t log_cap = 100'000;

  /// In memory, for a TokenBucket, FixedWindow or SlidingWindowCounter with keys for which many
  /// threads ask at the same time: how many units a thread that finds another at its key is charged
  /// for in advance, to give them out by itself; 0 to 1000, 0: never.
  ///
  /// Nobody is admitted beyond the limit. Until a thread has given out its units, or they have
  /// expired, they are missing to others; those that it gives up, for a lease of another key or for
  /// a cost that is more than it has left, are missing until the key has recovered from them. They
  /// expire when the window ends, or when what the bucket owed before they were taken has drained; a
  /// bucket that owes nothing is not leased from. Decisions on leased units know nothing of what
  /// others charged after these were taken: that is missing in `remaining` and `reset_after`. And
  /// `Limiter::reset` does not reach them.
  std::int64_t lease = 0;
};

/// One question of `Limiter::allow_many`.
struct Request {
  std::string_view key;
  std::int64_t cost = 1;
};

/// Decides whether a key may spend a cost.
///
/// A key is any string of at most 64 KiB: empty, binary, not UTF-8. A key that is longer, and a
/// negative cost, are refused with Errc::invalid_argument. A cost is all or nothing. A cost of 0 is
/// always allowed and changes nothing.
///
/// Blocks: in memory, for a short lock, and only where `MemoryOptions::max_keys` says so; on Redis,
/// at most `RedisOptions::timeout`.
/// Thread safety: every method may be called from any thread; none throws, aborts or raises a
/// signal. Lifetime: a limiter keeps what it needs of its backend alive.
class RATELIMIT_API Limiter {
 public:
  Limiter() = default;
  Limiter(const Limiter&) = delete;
  Limiter& operator=(const Limiter&) = delete;
  virtual ~Limiter();

  /// Decides, and charges `cost` to `key` if it is allowed. A denied call changes nothing.
  ///
  /// Errors: in `Decision::error`; see `charged(Errc)` for whether the cost may have been charged.
  virtual Decision allow(std::string_view key, std::int64_t cost = 1) noexcept = 0;

  /// Decides as `allow` would and changes nothing. `remaining` and `reset_after` are reported as
  /// they are, without the cost taken.
  virtual Decision peek(std::string_view key, std::int64_t cost = 1) noexcept = 0;

  /// As `allow` and `peek`, at an instant that the caller has read: on a path that reads a clock
  /// anyway this saves the other reading: half of a decision in memory on a key that is in the
  /// cache, little where memory is waited for. By default the same as `allow` and `peek`, for
  /// limiters that have a time of their own.
  ///
  /// Requires: Unix time. To the limiter, instants of callers that differ are one clock that steps
  /// (see Clock). On Redis keys expire by the server's clock: an instant that is over a second
  /// behind it may find its key gone.
  virtual Decision allow_at(std::string_view key, TimePoint now, std::int64_t cost = 1) noexcept;
  virtual Decision peek_at(std::string_view key, TimePoint now, std::int64_t cost = 1) noexcept;

  /// Asks `allow` for each of `requests[0, count)` in order, and puts the answers into
  /// `decisions[0, count)`. In memory the keys' cache lines are fetched together, and the clock is
  /// read once for up to 32 requests. On Redis all have one timeout; up to 64 keys share a call of
  /// the server, and up to 16 such calls are sent together.
  virtual void allow_many(const Request* requests, std::size_t count, Decision* decisions) noexcept;

  /// Forgets `key`: it is as if never seen.
  ///
  /// Returns Errc::ok also where there was nothing to forget. Errors: as `allow`; for "charged"
  /// read "forgotten".
  [[nodiscard]] virtual Errc reset(std::string_view key) noexcept = 0;
};

}  // namespace ratelimit
