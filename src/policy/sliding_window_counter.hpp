// SlidingWindowCounter, made ready to decide: an estimate from two fixed windows, in exact
// integers.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/divisor.hpp"
#include "policy/call.hpp"
#include "policy/word.hpp"
#include "ratelimit/limiter.hpp"
#include "ratelimit/policy.hpp"
#include "ratelimit/result.hpp"

namespace ratelimit::policy {

class SlidingWindowCounterRule {
 public:
  static constexpr std::string_view kScript = "sliding_window_counter";
  static constexpr std::string_view kStateTag = "c2";

  struct State {
    Micros start = 0;  // of the window that `count` was admitted in
    std::int64_t count = 0;
    std::int64_t previous = 0;  // admitted in the window before that
  };

  struct View {
    static constexpr std::size_t kFields = 3;
    std::int64_t count = 0;
    std::int64_t previous = 0;
    Micros elapsed = 0;  // since the window's start; negative where the clock stepped back
    bool healed = false;
  };

  // The limit times the window is below 2^53, but counts kept from a larger limit may go past int64
  // when multiplied by the window.
  __extension__ using Wide = __int128;

  struct Verdict {
    bool allowed;
    std::int64_t after;  // the present window's count once the call is over
    Wide left;           // of the limit, then, in units of 1/window
  };

  /// A word holds the end of the window after this one and, counted from there, both counts, each
  /// in as many bits as leave the sum below 2^11 times the window.
  struct Packing {
    explicit Packing(std::int64_t packing) : window(packing), count_bits(bits_of(packing)) {}

    static int bits_of(Micros window) {
      const auto bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(window)));
      return (kOwnBits + bits - 1) / 2;
    }

    [[nodiscard]] Word pack(const State& state) const {
      return word_at(state.start + 2 * window.value()) +
             static_cast<Word>((state.count << count_bits) + state.previous);
    }
    [[nodiscard]] State unpack(Word word) const {
      const Micros end = window.floor(recovery_of(word));
      const auto counts = static_cast<std::int64_t>(word - word_at(end));
      return {.start = end - 2 * window.value(),
              .count = counts >> count_bits,
              .previous = counts & ((std::int64_t{1} << count_bits) - 1)};
    }

    Divisor window;
    int count_bits;
  };

  explicit SlidingWindowCounterRule(const SlidingWindowCounter& policy)
      : limit_(policy.limit), window_(policy.window.count()) {}

  [[nodiscard]] std::int64_t limit() const { return limit_; }
  [[nodiscard]] View look(const State& state, const Call& call) const;
  [[nodiscard]] Verdict judge(const View& view, const Call& call) const;
  [[nodiscard]] Decision decide(const View& view, const Verdict& verdict, const Call& call) const;
  [[nodiscard]] bool denial_heals(const View& /*view*/) const { return false; }
  void store(const View& view, const Verdict& verdict, const Call& call, State& state) const;
  [[nodiscard]] Micros reset_time(const State& state) const {
    return window_.floor(state.start) + (state.count > 0 ? 2 : 1) * window();
  }

  [[nodiscard]] View after(const View& view, const Call& call, std::int64_t times) const;

  /// The limit and the window; the charge is 0 for a peek.
  [[nodiscard]] std::array<std::int64_t, 2> script_terms() const { return {limit_, window()}; }
  [[nodiscard]] std::int64_t script_charge(const Call& call) const { return call.charge(); }
  [[nodiscard]] std::optional<View> view_of(std::span<const std::int64_t, View::kFields> fields,
                                            bool healed) const;

  /// What a word says of two counts is in the order of the present window's: the one before may
  /// then have been anything.
  [[nodiscard]] State inherited(Word floor, Micros at, Micros now, const Packing& packing) const {
    const Micros start = window_.floor(now);
    if (at - now > window()) return {};
    const auto most = [&](Word unused) {
      return std::min(limit_, static_cast<std::int64_t>((floor - unused) >> packing.count_bits));
    };
    if (const Word unused = packing.pack({.start = start}); at >= start && floor >= unused) {
      return {.start = start, .count = most(unused), .previous = limit_};
    }
    if (start < window()) return {};
    const Micros before = start - window();
    if (const Word unused = packing.pack({.start = before}); at >= before && floor > unused) {
      return {.start = before, .count = most(unused)};
    }
    return {};
  }

  /// What is charged in a window counts in full until its end.
  [[nodiscard]] Micros lease_span(const View& view) const { return window() - view.elapsed; }

  /// A window ahead of now, to the end of the next, and what counts run over by.
  [[nodiscard]] Micros longest_wait() const { return 4 * window(); }

  /// The window, where counts up to the limit fit.
  [[nodiscard]] std::int64_t packing() const {
    return limit_ >> Packing::bits_of(window()) == 0 ? window() : 0;
  }

 private:
  [[nodiscard]] Micros window() const { return window_.value(); }

  /// What is left of the limit, in units of 1/window.
  [[nodiscard, gnu::always_inline]] Wide left_in(const View& view) const {
    return Wide{limit_ - view.count} * window() -
           Wide{view.previous} * (window() - std::max<Micros>(0, view.elapsed));
  }
  [[nodiscard]] std::int64_t whole_windows(Wide units) const;
  [[nodiscard]] Micros wait_for(const View& view, std::int64_t cost) const;

  std::int64_t limit_;
  Divisor window_;
};

[[gnu::always_inline]] inline SlidingWindowCounterRule::View SlidingWindowCounterRule::look(
    const State& state, const Call& call) const {
  // Aligned anew, so that a changed window length starts afresh only where the windows do not meet.
  const Micros start = window_.floor(state.start);
  const Micros present = window_.floor(call.now, start);
  const View unused{.elapsed = call.now - present};
  if (start - call.now > window()) return {.elapsed = unused.elapsed, .healed = true};
  if (start >= present) {
    return {.count = state.count, .previous = state.previous, .elapsed = call.now - start};
  }
  if (start == present - window()) return {.previous = state.count, .elapsed = unused.elapsed};
  return unused;
}

[[gnu::always_inline]] inline SlidingWindowCounterRule::Verdict SlidingWindowCounterRule::judge(
    const View& view, const Call& call) const {
  const Wide left = left_in(view);
  const bool allowed =
      call.cost == 0 || (call.cost <= limit_ && Wide{call.cost} * window() <= left);
  const std::int64_t added = allowed ? call.charge() : 0;
  return {.allowed = allowed, .after = view.count + added, .left = left - Wide{added} * window()};
}

[[gnu::always_inline]] inline Decision SlidingWindowCounterRule::decide(const View& view,
                                                                        const Verdict& verdict,
                                                                        const Call& call) const {
  Decision decision;
  decision.allowed = verdict.allowed;
  decision.limit = limit_;
  if (!verdict.allowed) {
    decision.retry_after = call.cost <= limit_ ? Duration(wait_for(view, call.cost)) : never;
  }
  decision.remaining = whole_windows(verdict.left);
  if (verdict.after > 0) {
    decision.reset_after = Duration(2 * window() - view.elapsed);
  } else if (view.previous > 0) {
    decision.reset_after = Duration(window() - view.elapsed);
  }
  return decision;
}

/// floor(units / window).
inline std::int64_t SlidingWindowCounterRule::whole_windows(Wide units) const {
  if (units >= 0) return window_.quotient(static_cast<std::int64_t>(units));  // at most the limit's
  const bool cut_up = units % window() != 0;  // division cuts towards 0, the floor is below
  return static_cast<std::int64_t>(units / window()) - (cut_up ? 1 : 0);
}

// The wait until `cost`, which does not fit now but is within the limit, does. While a window lasts
// the previous one's weight falls in a straight line, so the instant is found by one division.
inline Micros SlidingWindowCounterRule::wait_for(const View& view, std::int64_t cost) const {
  const std::int64_t room = limit_ - cost - view.count;
  if (room >= 0) return window() - room * window() / view.previous - view.elapsed;
  // Not in this window. In the next one its count is the previous one's.
  return 2 * window() - (limit_ - cost) * window() / view.count - view.elapsed;
}

[[gnu::always_inline]] inline void SlidingWindowCounterRule::store(const View& view,
                                                                   const Verdict& verdict,
                                                                   const Call& call,
                                                                   State& state) const {
  state.start = call.now - view.elapsed;
  state.count = verdict.after;
  state.previous = view.previous;
}

SlidingWindowCounter share_of(SlidingWindowCounter policy, std::int64_t instances);

Result<SlidingWindowCounterRule> compile(const SlidingWindowCounter& policy,
                                         const LimiterOptions& options);

}  // namespace ratelimit::policy
