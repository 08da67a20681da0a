// Random schedules of questions, drawn to the places where limiters go wrong: the microseconds
// around the end of a wait and around a window's edge, clocks that step back or jump, costs around
// what remains.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <random>

#include "ratelimit/decision.hpp"
#include "ratelimit/policy.hpp"
#include "ratelimit/time.hpp"
#include "support/trace.hpp"

namespace ratelimit::testing {

/// One call: what is asked, and when.
struct Question {
  TimePoint now;
  TraceOp op = TraceOp::allow;
  std::int64_t cost = 1;
};

std::string describe(const Question& question);

/// Where the clock goes before a step.
enum class Move : std::uint8_t {
  stay,
  tick,
  back_tick,
  within_span,
  to_retry,
  before_retry,
  to_reset,
  before_reset,
  to_edge,
  before_edge,
  back_within_span,
  back_span,
  back_span_and_tick,
  back_two_spans,
  ahead_two_spans,
  far_ahead,
  to_first_instant,
  to_last_instant,
};
inline constexpr int kMoves = 18;

/// What a step asks for. `left` is what the answer before said remains.
enum class Cost : std::uint8_t {
  one,
  zero,
  left,
  over_left,
  part,
  small,
  limit,
  over_limit,
  huge,
};
inline constexpr int kCosts = 9;

/// One step of a schedule, in terms of what was answered before it.
struct Step {
  Move move = Move::stay;
  Cost cost = Cost::one;
  TraceOp op = TraceOp::allow;
  std::uint64_t amount = 0;  // random bits, for the moves and costs that need some
};

std::ostream& operator<<(std::ostream& out, const Step& step);

/// Draws a step: most move on by little and ask for little.
Step random_step(std::mt19937_64& bits);

/// Turns the steps of one key into questions. Instants stay within what the library reads as they
/// are: 0 to 2^52 us.
class Walk {
 public:
  Walk(const Policy& policy, TimePoint start);

  [[nodiscard]] Question next(const Step& step) const;

  /// Tells what was answered.
  void heard(const Question& question, const Decision& decision);

 private:
  [[nodiscard]] std::int64_t time_of(const Step& step) const;
  [[nodiscard]] std::int64_t cost_of(const Step& step) const;

  std::int64_t limit_;
  std::int64_t span_;
  std::int64_t now_;
  Decision last_;
};

inline constexpr std::int64_t kLastInstant = std::int64_t{1} << 52;

}  // namespace ratelimit::testing
