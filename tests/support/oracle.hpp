// What the five policies mean, by definition rather than by formula: a second, slow opinion.
//
// Where the library computes a wait or a remainder by one division, the oracle searches for the
// least wait, or the largest cost, that the definition lets through. Buckets are kept as an exact
// fraction that no common divisor was taken out of; windows as a log of all that was admitted.
// Nothing here is shared with src/.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "ratelimit/decision.hpp"
#include "ratelimit/policy.hpp"
#include "support/schedule.hpp"

namespace ratelimit::testing {

__extension__ using Wide = __int128;

/// A queue that drains. Time is counted in 1/rate us: a unit of cost takes `period` of these.
struct BucketModel {
  Wide capacity, rate, period;
  Wide drained_at = 0;

  bool heal(std::int64_t now);
  [[nodiscard]] bool fits(Wide cost, std::int64_t at) const;
  void add(std::int64_t cost, std::int64_t now);
  [[nodiscard]] std::int64_t lowest_remaining() const { return 0; }
  [[nodiscard]] bool denial_stores_healing() const { return true; }
};

/// A log of what was admitted, judged by fixed windows, by a sliding one or by the estimate from
/// two fixed ones.
struct WindowModel {
  enum class Judge : std::uint8_t { fixed, sliding, estimate };
  struct Admission {
    std::int64_t at;  // never falling: a clock that stepped back counts as standing still
    std::int64_t cost;
  };
  Judge judge;
  std::int64_t limit, window;
  std::vector<Admission> log;

  bool heal(std::int64_t now);
  [[nodiscard]] bool fits(Wide cost, std::int64_t at) const;
  void add(std::int64_t cost, std::int64_t now);
  [[nodiscard]] std::int64_t lowest_remaining() const;
  [[nodiscard]] bool denial_stores_healing() const { return false; }

 private:
  [[nodiscard]] Wide admitted_in(std::int64_t index) const;
};

/// The state of one key and the policy that rules it.
class Oracle {
 public:
  explicit Oracle(const Policy& policy);

  /// Answers, and remembers what it admitted.
  Decision ask(const Question& question);

  /// Goes on with another limit; period and window stay as they are.
  void change_limit(std::int64_t limit);

 private:
  using AnyModel = std::variant<BucketModel, WindowModel>;

  template <class Model>
  Decision answer(const Question& question, Model& stored) const;

  AnyModel fresh_;
  AnyModel model_;
  std::int64_t limit_;
  std::int64_t span_;
  bool is_queue_;
};

}  // namespace ratelimit::testing
