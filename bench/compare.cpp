// One round of one of the limiters in C++ that compare.sh compares, which says what is measured.
//
// Run: bench_compare [--has] ratelimit|mutex_map|64_mutex_maps|boost_concurrent_flat_map
//      --has: do nothing; the exit code says whether it is here
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "keys.hpp"
#include "ratelimit/ratelimit.hpp"
#include "rivals.hpp"
#include "support.hpp"

namespace {

using namespace ratelimit;
using namespace ratelimit::bench;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// ns a decision over `span` of decisions.
template <class Decide>
double time_for(Walk& walk, Clock::duration span, Decide decide) {
  std::array<KeyText, 256> batch;
  Clock::duration spent{0};
  std::int64_t decisions = 0;
  std::int64_t denied = 0;
  while (spent < span) {
    for (KeyText& key : batch) {
      const std::string_view next = walk.next();
      std::copy(next.begin(), next.end(), key.text.begin());
    }
    const auto start = Clock::now();
    for (const KeyText& key : batch) denied += decide(key.view()) ? 0 : 1;
    spent += Clock::now() - start;
    decisions += static_cast<std::int64_t>(batch.size());
  }
  if (denied != 0) throw std::runtime_error("a call was denied");
  return std::chrono::duration<double, std::nano>(spent).count() / static_cast<double>(decisions);
}

/// `make(keys)` gives what is called with a key, and says whether it is allowed.
template <class Make>
void measure(Make make) {
  for (const KeySetName& set : {kHot, kThousand, kMillion}) {
    const KeySet keys(set);
    auto decide = make();
    for (const KeyText& key : keys.keys()) (void)decide(key.view());
    Walk walk(keys, 0);
    (void)time_for(walk, milliseconds(300), decide);
    std::printf("%s %.1f\n", set.text, time_for(walk, milliseconds(500), decide));
  }
}

template <class Rival>
void measure_rival() {
  measure([] {
    return [rival = std::make_shared<Rival>(kRoomy)](std::string_view key) {
      return rival->allow(key);
    };
  });
}

void measure_ratelimit() {
  measure([] {
    return [limiter = limiter_in_memory(subject("token_bucket").roomy)](std::string_view key) {
      return limiter->allow(key).allowed;
    };
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string_view, void (*)()> limiters = {
    {"ratelimit", measure_ratelimit},
    {"mutex_map", measure_rival<OneMutex>},
    {"64_mutex_maps", measure_rival<Shards>},
#if RATELIMIT_BENCH_BOOST
    {"boost_concurrent_flat_map", measure_rival<BoostMap>},
#endif
  };
  const auto found = limiters.find(argc > 1 ? argv[argc - 1] : "");
  if (found == limiters.end()) return 2;
  if (std::string_view(argv[1]) == "--has") return 0;
  const IdleThread idle;
  found->second();
  return 0;
}
