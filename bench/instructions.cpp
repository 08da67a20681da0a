// How many instructions does a decision take on the paths that are taken most? Says nothing itself:
// instructions.sh runs it under callgrind and compares with what is written in instructions.txt.
//
// Run: bench_instructions PATH        20,000 decisions, over 1,000 keys
//      bench_instructions --paths     the names of the paths
//      bench_instructions --compiler  what it was compiled by
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "keys.hpp"
#include "ratelimit/ratelimit.hpp"
#include "support.hpp"

namespace {

using namespace ratelimit;
using namespace ratelimit::bench;

constexpr int kRounds = 20;

enum class Operation : std::uint8_t { allow, allow_at, allow_many, peek };

struct Path {
  std::string name;
  Policy policy;
  Operation operation;
  Outcome outcome;
};

std::vector<Path> paths() {
  std::vector<Path> all;
  for (const std::string name : kOneWord) {
    all.push_back({name + "/allowed", subject(name).roomy, Operation::allow, Outcome::allowed});
  }
  const Subject bucket = subject("token_bucket");
  all.push_back({"token_bucket/denied", bucket.tight, Operation::allow, Outcome::denied});
  all.push_back({"token_bucket/allow_at", bucket.roomy, Operation::allow_at, Outcome::allowed});
  all.push_back({"token_bucket/allow_many", bucket.roomy, Operation::allow_many, Outcome::allowed});
  all.push_back({"token_bucket/peek", bucket.roomy, Operation::peek, Outcome::allowed});
  return all;
}

/// One decision after the other. Returns how many were allowed.
template <class Decide>
std::size_t each(const KeySet& keys, Decide decide) {
  std::size_t allowed = 0;
  for (const KeyText& key : keys.keys()) allowed += decide(key.view()).allowed ? 1U : 0U;
  return allowed;
}

/// Up to 32 at once. Returns how many were allowed.
std::size_t many(Limiter& limiter, const KeySet& keys) {
  std::array<Request, 32> requests;
  std::array<Decision, 32> decisions;
  std::size_t allowed = 0;
  for (auto left = keys.keys(); !left.empty();) {
    const std::size_t count = std::min(left.size(), requests.size());
    for (std::size_t i = 0; i < count; ++i) requests[i].key = left[i].view();
    limiter.allow_many(requests.data(), count, decisions.data());
    for (std::size_t i = 0; i < count; ++i) allowed += decisions[i].allowed ? 1U : 0U;
    left = left.subspan(count);
  }
  return allowed;
}

/// All that callgrind counts, by this name: decisions, and what their caller does around them.
/// Returns how many were allowed.
extern "C" [[gnu::noinline]] std::size_t counted(Limiter& limiter, const KeySet& keys,
                                                 Operation operation, TimePoint now) {
  using Key = std::string_view;
  std::size_t allowed = 0;
  for (int round = 0; round < kRounds; ++round) {
    switch (operation) {
      case Operation::allow:
        allowed += each(keys, [&](Key key) { return limiter.allow(key); });
        break;
      case Operation::allow_at:
        allowed += each(keys, [&](Key key) { return limiter.allow_at(key, now); });
        break;
      case Operation::allow_many:
        allowed += many(limiter, keys);
        break;
      case Operation::peek:
        allowed += each(keys, [&](Key key) { return limiter.peek(key); });
        break;
    }
  }
  return allowed;
}

/// The clock reads the system's until it has known the processor's for 10 ms.
void warm_up(Limiter& limiter, const KeySet& keys) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::milliseconds(50);
  do {
    for (const KeyText& key : keys.keys()) (void)limiter.allow(key.view());
  } while (Clock::now() < end);
}

int run_path(const Path& path) {
  const KeySet keys(kThousand);
  // So much room that hardly ever two of the keys are at home in one place.
  const auto limiter = limiter_in_memory(path.policy, 10'000'000);
  warm_up(*limiter, keys);
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  const std::size_t allowed = counted(*limiter, keys, path.operation, now);
  const std::size_t expected = path.outcome == Outcome::allowed ? keys.count() * kRounds : 0;
  if (allowed == expected) return 0;
  (void)std::fprintf(stderr, "%s: a decision came out otherwise\n", path.name.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view wanted = argc == 2 ? argv[1] : "";
  if (wanted == "--compiler") {
#if defined(__clang__)
    std::printf("clang-%d\n", __clang_major__);
#else
    std::printf("gcc-%d\n", __GNUC__);
#endif
    return 0;
  }
  for (const Path& path : paths()) {
    if (wanted == "--paths") std::printf("%s\n", path.name.c_str());
    if (wanted == path.name) return run_path(path);
  }
  return wanted == "--paths" ? 0 : 2;
}
