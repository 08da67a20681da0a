// Backend: where the state of keys lives. Many limiters share one, and with it its table or
// connections.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ratelimit/export.hpp"
#include "ratelimit/limiter.hpp"
#include "ratelimit/policy.hpp"
#include "ratelimit/result.hpp"

namespace ratelimit {

/// What a backend has counted since it was made, and its last trouble as a text for people.
struct Statistics {
  std::uint64_t keys = 0;            ///< Keys held in this process's memory now.
  std::uint64_t forgotten = 0;       ///< Keys dropped to make room, recovered ones included.
  std::uint64_t forgotten_debt = 0;  ///< Of these, keys that had not recovered.
  std::uint64_t healed = 0;          ///< States found to be garbage or from a clock that ran wild.
  std::uint64_t errors = 0;          ///< Calls that the backend could not answer.
  std::uint64_t connects = 0;        ///< Connections opened.
  std::uint64_t circuit_openings = 0;  ///< How often a server that failed was left alone.
  std::uint64_t script_loads = 0;      ///< Scripts sent because the server had not got them.
  std::string last_error;              ///< The newest error, passwords struck out; empty if none.
};

/// Makes limiters.
///
/// Thread safety: every method may be called from any thread.
/// Lifetime: a backend may be dropped before its limiters; they go on.
class RATELIMIT_API Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend();

  /// Makes a limiter called `name`: 1 to 255 printable ASCII characters.
  ///
  /// Limiters of one name and one kind of policy share the state of their keys, so a policy's
  /// numbers can be changed in place: a bucket keeps what is owed, a window or log is judged
  /// against the new limit.
  ///
  /// Errors: Errc::invalid_argument with a text that names the field, its value and the bound;
  /// Errc::out_of_memory.
  virtual Result<std::shared_ptr<Limiter>> make_limiter(std::string_view name, const Policy& policy,
                                                        LimiterOptions options = {}) = 0;

  /// Returns the counts. Blocks: for a short lock; in memory it reads the whole table.
  [[nodiscard]] virtual Statistics statistics() const = 0;
};

}  // namespace ratelimit
