// How many instructions does a decision take on the paths that are taken most? Says nothing itself:
// instructions.sh runs it under callgrind and compares with what is written in instructions.txt.
//
// Run: bench_instructions PATH        20,000 decisions, over 1,000 keys
//      bench_instructions --paths     the names of the paths
//      bench_instructions --compiler  what it was compiled by
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

enum class Operation : std::uint8_t { allow, peek };

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
  all.push_back({"token_bucket/peek", bucket.roomy, Operation::peek, Outcome::allowed});
  return all;
}

/// All that callgrind counts, by this name: the decisions and the caller's loop around them.
/// Returns how many were allowed.
extern "C" [[gnu::noinline]] std::size_t counted(Limiter& limiter, const KeySet& keys,
                                                 Operation operation) {
  std::size_t allowed = 0;
  for (int round = 0; round < kRounds; ++round) {
    for (const KeyText& key : keys.keys()) {
      const Decision decision =
          operation == Operation::allow ? limiter.allow(key.view()) : limiter.peek(key.view());
      allowed += decision.allowed ? 1 : 0;
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
  const std::size_t allowed = counted(*limiter, keys, path.operation);
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
