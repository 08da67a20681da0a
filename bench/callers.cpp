// What does a decision cost a caller that has read a clock anyway, one that has many keys to ask
// about, or threads that lease units where they meet? Each is one decision of a token bucket that
// allows.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "memory_decision.hpp"
#include "ratelimit/ratelimit.hpp"
#include "support.hpp"

namespace ratelimit::bench {
namespace {

constexpr std::size_t kTogether = 32;
constexpr std::int64_t kLease = 64;

/// As by a caller whose clock is read elsewhere: here a microsecond passes with each decision. Its
/// limiter knows no other time.
template <class Ask>
void add_with_time(const std::string& name, Ask ask) {
  add("callers/" + name, kMostSets, kAllThreads, [ask](const KeySet& keys) {
    Limiter& limiter = limiter_for("token_bucket/at/", subject("token_bucket").roomy, keys);
    const auto now = std::chrono::system_clock::now();
    return [&limiter, ask,
            at = std::chrono::time_point_cast<Duration>(now)](std::string_view key) mutable {
      at += Duration(1);
      return ask(limiter, key, at).allowed;
    };
  });
}

void ask_many(benchmark::State& state, const KeySet& keys) {
  Limiter& limiter = limiter_for("token_bucket/roomy/", subject("token_bucket").roomy, keys);
  Walk walk(keys, state.thread_index());
  std::array<Request, kTogether> requests;
  std::array<Decision, kTogether> decisions;
  std::int64_t denied = 0;
  while (state.KeepRunningBatch(kTogether)) {
    for (Request& request : requests) request.key = walk.next();
    limiter.allow_many(requests.data(), requests.size(), decisions.data());
    for (const Decision& decision : decisions) denied += decision.allowed ? 0 : 1;
  }
  if (denied != 0) state.SkipWithError("a decision came out otherwise");
}

}  // namespace

void add_callers() {
  add_with_time("allow_at", [](Limiter& limiter, std::string_view key, TimePoint at) {
    return limiter.allow_at(key, at);
  });
  add_with_time("peek_at", [](Limiter& limiter, std::string_view key, TimePoint at) {
    return limiter.peek_at(key, at);
  });
  add_loop("callers/allow_many", kAllSets, kAllThreads, ask_many);
  add("callers/lease", kFewSets, kAllThreads, [](const KeySet& keys) {
    Limiter& limiter =
        limiter_for("token_bucket/lease/", subject("token_bucket").roomy, keys, {.lease = kLease});
    return [&limiter](std::string_view key) { return limiter.allow(key).allowed; };
  });
}

}  // namespace ratelimit::bench
