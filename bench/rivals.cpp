// What does the same decision cost with what one would write at home? See rivals.hpp.
#include "rivals.hpp"

#include <memory>
#include <string>

#include "memory_decision.hpp"

namespace ratelimit::bench {
namespace {

/// Requires: `expected` is what `gcra` says to a key that has been seen.
template <class Rival>
void add_rival(const std::string& name, const Gcra& gcra, bool expected) {
  add(name, kMostSets, kAllThreads, [=](const KeySet& keys) {
    Rival& rival = kept(name + std::to_string(keys.count()), [&] {
      auto made = std::make_unique<Rival>(gcra);
      for (const KeyText& key : keys.keys()) (void)made->allow(key.view());
      return made;
    });
    return [&rival, expected](std::string_view key) { return rival.allow(key) == expected; };
  });
}

template <class Rival>
void add_rival(const std::string& name) {
  add_rival<Rival>(name + "/allowed", kRoomy, true);
  add_rival<Rival>(name + "/denied", kTight, false);
}

}  // namespace

void add_rivals() {
  add_rival<OneMutex>("mutex_map");
  add_rival<Shards>("64_mutex_maps");
#if RATELIMIT_BENCH_BOOST
  add_rival<BoostMap>("boost_concurrent_flat_map");
#endif
}

}  // namespace ratelimit::bench
