// One round of the library in the comparison on Redis of compare.sh, which says what is measured.
//
// Run: bench_compare_redis PORT
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "keys.hpp"
#include "ratelimit/ratelimit.hpp"
#include "support.hpp"

namespace {

using namespace ratelimit;
using namespace ratelimit::bench;
using Steady = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr int kOutstanding = 64;

struct Caller {
  std::vector<double> latencies;  // us
  bool denied = false;
};

void ask(Limiter& limiter, Walk walk, Steady::time_point start, Caller& caller) {
  for (auto since = Steady::now(); since < start + seconds(1);) {
    caller.denied |= !limiter.allow(walk.next()).allowed;
    const auto now = Steady::now();
    if (since >= start) {
      caller.latencies.push_back(std::chrono::duration<double, std::micro>(now - since).count());
    }
    since = now;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string url = std::string("redis://127.0.0.1:") + argv[1];
  const auto backend = make_redis_backend({.url = url, .timeout = seconds(5)}).value();
  const auto limiter =
      backend->make_limiter("bench", subject("token_bucket").roomy, {.on_error = OnError::deny})
          .value();
  const KeySet keys(kThousand);
  std::array<Caller, kOutstanding> callers;
  const auto start = Steady::now() + std::chrono::milliseconds(500);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < callers.size(); ++i) {
      threads.emplace_back(
          [&, i] { ask(*limiter, Walk(keys, static_cast<int>(i)), start, callers[i]); });
    }
  }
  std::vector<double> all;
  for (const Caller& caller : callers) {
    if (caller.denied) return 1;
    all.insert(all.end(), caller.latencies.begin(), caller.latencies.end());
  }
  std::ranges::sort(all);
  std::printf("decision %.2f\np50 %.1f\np99 %.1f\n", 1e6 / static_cast<double>(all.size()),
              all[all.size() / 2], all[all.size() * 99 / 100]);
  return 0;
}
