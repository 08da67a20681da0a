// What does the form of the call cost: a virtual one into the library against one that the compiler
// sees through, and a whole Decision against a bool? The same token bucket each time.
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "memory/memory_limiter.hpp"
#include "memory_decision.hpp"
#include "policy/token_bucket.hpp"
#include "ratelimit/ratelimit.hpp"
#include "support.hpp"

namespace ratelimit::bench {
namespace {

using Inside = memory::MemoryLimiter<policy::TokenBucketRule>;

// Calls that the compiler sees through, down to the swap: what the caller does not use is not
// computed.
[[gnu::flatten]] bool decide_directly(Inside& limiter, std::string_view key) {
  Decision decision = limiter.allow(key, 1);
  benchmark::DoNotOptimize(decision);  // all of it is used
  return decision.allowed;
}

[[gnu::flatten]] bool allow_directly(Inside& limiter, std::string_view key) {
  return limiter.allow(key, 1).allowed;
}

/// What an interface would be like that says no more than yes or no.
class YesOrNo {
 public:
  YesOrNo() = default;
  YesOrNo(const YesOrNo&) = delete;
  YesOrNo& operator=(const YesOrNo&) = delete;
  virtual ~YesOrNo() = default;
  virtual bool allow(std::string_view key) = 0;
};

class InsideYesOrNo final : public YesOrNo {
 public:
  explicit InsideYesOrNo(Inside& limiter) : limiter_(limiter) {}
  bool allow(std::string_view key) override { return allow_directly(limiter_, key); }

 private:
  Inside& limiter_;
};

/// All ways to one limiter. Requires: it stays where it is.
struct Ways {
  explicit Ways(const TokenBucket& policy, std::int64_t max_keys)
      : shared(std::make_shared<memory::Shared>(MemoryOptions{.max_keys = max_keys})),
        rule(policy),
        inside(shared, shared->homes.of("bench", rule.packing()), rule),
        yes_or_no(inside),
        limiter(&inside),
        yes_or_no_limiter(&yes_or_no) {
    shared->places.admit(rule.longest_wait());
    // Now the compiler knows no longer what they point to.
    benchmark::DoNotOptimize(limiter);
    benchmark::DoNotOptimize(yes_or_no_limiter);
  }

  std::shared_ptr<memory::Shared> shared;
  policy::TokenBucketRule rule;
  Inside inside;
  InsideYesOrNo yes_or_no;
  Limiter* limiter;
  YesOrNo* yes_or_no_limiter;
};

Ways& ways_for(const KeySet& keys) {
  return kept(std::to_string(keys.count()), [&] {
    const auto policy = std::get<TokenBucket>(subject("token_bucket").roomy);
    auto made = std::make_unique<Ways>(policy, room_for(keys));
    for (const KeyText& key : keys.keys()) (void)made->limiter->allow(key.view());
    return made;
  });
}

template <class Call>
void add_way(const std::string& name, Call call) {
  constexpr std::array kOneThread = {1};
  add("api/" + name, kFewSets, kOneThread, [call](const KeySet& keys) {
    Ways& ways = ways_for(keys);
    return [&ways, call](std::string_view key) { return call(ways, key); };
  });
}

}  // namespace

void add_api() {
  add_way("decision/virtual", [](Ways& ways, std::string_view key) {
    Decision decision = ways.limiter->allow(key);
    benchmark::DoNotOptimize(decision);
    return decision.allowed;
  });
  add_way("decision/direct",
          [](Ways& ways, std::string_view key) { return decide_directly(ways.inside, key); });
  add_way("bool/virtual",
          [](Ways& ways, std::string_view key) { return ways.yes_or_no_limiter->allow(key); });
  add_way("bool/direct",
          [](Ways& ways, std::string_view key) { return allow_directly(ways.inside, key); });
}

}  // namespace ratelimit::bench
