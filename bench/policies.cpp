// What does a decision of the library cost, called as a service calls it? By policy and by outcome.
#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "memory_decision.hpp"
#include "ratelimit/ratelimit.hpp"
#include "support.hpp"

namespace ratelimit::bench {

Limiter& limiter_for(const std::string& name, const Policy& policy, const KeySet& keys,
                     const LimiterOptions& options) {
  return kept(name + std::to_string(keys.count()), [&] {
    auto limiter = limiter_in_memory(policy, room_for(keys), options);
    for (const KeyText& key : keys.keys()) (void)limiter->allow(key.view());
    return limiter;
  });
}

namespace {

void add_policy(const Subject& policy, std::span<const KeySetName> sets,
                std::span<const int> threads) {
  const std::string& name = policy.name;
  std::vector<KeySetName> large_sets;
  std::copy_if(sets.begin(), sets.end(), std::back_inserter(large_sets),
               [&](const KeySetName& set) { return set.count >= policy.fewest_keys; });
  add(name + "/allowed", large_sets, threads, [=](const KeySet& keys) {
    Limiter& limiter = limiter_for(name + "/roomy/", policy.roomy, keys);
    return [&limiter](std::string_view key) { return limiter.allow(key).allowed; };
  });
  add(name + "/denied", sets, threads, [=](const KeySet& keys) {
    Limiter& limiter = limiter_for(name + "/tight/", policy.tight, keys);
    return [&limiter](std::string_view key) { return !limiter.allow(key).allowed; };
  });
  add(name + "/peek", sets, threads, [=](const KeySet& keys) {
    Limiter& limiter = limiter_for(name + "/roomy/", policy.roomy, keys);
    return [&limiter](std::string_view key) { return limiter.peek(key).allowed; };
  });
}

}  // namespace

void add_policies() {
  constexpr std::array kFewThreads = {1, 2};
  for (const Subject& policy : subjects()) {
    if (policy.name == "token_bucket") {  // stands for all
      add_policy(policy, kAllSets, kAllThreads);
    } else {
      add_policy(policy, kFewSets, kFewThreads);
    }
  }
}

}  // namespace ratelimit::bench
