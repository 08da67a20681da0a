// FixedWindow, made ready to decide.
#pragma once

#include <algorithm>
#include <array>
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

class FixedWindowRule {
 public:
  static constexpr std::string_view kScript = "fixed_window";
  static constexpr std::string_view kStateTag = "f2";

  struct State {
    Micros start = 0;  // of the window that `count` was admitted in
    std::int64_t count = 0;
  };

  struct View {
    static constexpr std::size_t kFields = 2;
    std::int64_t used = 0;
    Micros ends_in = 0;  // > 0; more than a window where the clock stepped back
    bool healed = false;
  };

  struct Verdict {
    bool allowed;
    std::int64_t after;  // what is used once the call is over
  };

  /// A word holds the window's end and, counted from there, the count.
  struct Packing {
    explicit Packing(std::int64_t packing) : window(packing) {}
    [[nodiscard]] Word pack(const State& state) const {
      return word_at(state.start + window.value()) + static_cast<Word>(state.count);
    }
    [[nodiscard]] State unpack(Word word) const {
      const Micros end = window.floor(recovery_of(word));
      return {.start = end - window.value(),
              .count = static_cast<std::int64_t>(word - word_at(end))};
    }
    Divisor window;
  };

  explicit FixedWindowRule(const FixedWindow& policy)
      : limit_(policy.limit), window_(policy.window.count()) {}

  [[nodiscard]] std::int64_t limit() const { return limit_; }
  [[nodiscard]] View look(const State& state, const Call& call) const;
  [[nodiscard, gnu::always_inline]] Verdict judge(const View& view, const Call& call) const {
    const bool allowed = call.cost == 0 || (call.cost <= limit_ && view.used <= limit_ - call.cost);
    return {.allowed = allowed, .after = view.used + (allowed ? call.charge() : 0)};
  }
  [[nodiscard]] Decision decide(const View& view, const Verdict& verdict, const Call& call) const;
  [[nodiscard]] bool denial_heals(const View& /*view*/) const { return false; }
  void store(const View& view, const Verdict& verdict, const Call& call, State& state) const;
  [[nodiscard]] Micros reset_time(const State& state) const {
    return window_.floor(state.start) + window();
  }

  [[nodiscard]] View after(const View& view, const Call& call, std::int64_t times) const;

  /// The limit and the window; the charge is 0 for a peek.
  [[nodiscard]] std::array<std::int64_t, 2> script_terms() const { return {limit_, window()}; }
  [[nodiscard]] std::int64_t script_charge(const Call& call) const { return call.charge(); }
  [[nodiscard]] std::optional<View> view_of(std::span<const std::int64_t, View::kFields> fields,
                                            bool healed) const;

  [[nodiscard]] State inherited(Word floor, Micros at, Micros now, const Packing& packing) const {
    const Micros start = window_.floor(now);
    const Word unused = packing.pack({.start = start});
    if (at < start || at - now > window() || floor <= unused) return {};
    const Word most = packing.pack({.start = start + window()}) - 1;
    return {.start = start, .count = static_cast<std::int64_t>(std::min(floor, most) - unused)};
  }

  /// What is charged in a window counts in that window.
  [[nodiscard]] Micros lease_span(const View& view) const { return view.ends_in; }

  /// A window ahead of now, to its end, and what counts run over by.
  [[nodiscard]] Micros longest_wait() const { return 3 * window(); }

  /// The window, whose counts fit below 2^11 times its length.
  [[nodiscard]] std::int64_t packing() const {
    return limit_ >> kOwnBits < window() ? window() : 0;
  }

 private:
  [[nodiscard]] Micros window() const { return window_.value(); }

  std::int64_t limit_;
  Divisor window_;
};

[[gnu::always_inline]] inline FixedWindowRule::View FixedWindowRule::look(const State& state,
                                                                          const Call& call) const {
  // Aligned anew, so that a changed window length starts afresh only where the windows do not meet.
  const Micros start = window_.floor(state.start);
  const Micros present = window_.floor(call.now, start);
  const View unused{.ends_in = present + window() - call.now};
  if (state.count == 0 || start < present) return unused;
  if (start - call.now > window()) return {.ends_in = unused.ends_in, .healed = true};
  return {.used = state.count, .ends_in = start + window() - call.now};
}

[[gnu::always_inline]] inline Decision FixedWindowRule::decide(const View& view,
                                                               const Verdict& verdict,
                                                               const Call& call) const {
  Decision decision;
  decision.allowed = verdict.allowed;
  decision.limit = limit_;
  if (!verdict.allowed) {
    decision.retry_after = call.cost <= limit_ ? Duration(view.ends_in) : never;
  }
  decision.remaining = std::max<std::int64_t>(0, limit_ - verdict.after);
  decision.reset_after = Duration(verdict.after > 0 ? view.ends_in : 0);
  return decision;
}

[[gnu::always_inline]] inline void FixedWindowRule::store(const View& view, const Verdict& verdict,
                                                          const Call& call, State& state) const {
  state.start = call.now + view.ends_in - window();
  state.count = verdict.after;
}

FixedWindow share_of(FixedWindow policy, std::int64_t instances);

Result<FixedWindowRule> compile(const FixedWindow& policy, const LimiterOptions& options);

}  // namespace ratelimit::policy
