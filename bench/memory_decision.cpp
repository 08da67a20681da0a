// What does one decision cost in memory? By policy, by how many keys are in use (one hot one, a
// thousand, a million, drawn evenly), by outcome, on one thread and on two.
//
// Run: bench_memory_decision [--benchmark_filter=token_bucket/allowed/keys:1000/]
// Absolute times drift with the machine's load: compare within one run, over
// --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true.
#include <benchmark/benchmark.h>

#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "ratelimit/ratelimit.hpp"

namespace {

using namespace ratelimit;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kMostKeys = 1'000'000;

enum class Outcome : std::uint8_t { denied, allowed };

struct Subject {
  const char* name;
  Policy roomy;  // allows whatever a benchmark asks
  Policy tight;  // denies all but a key's first call
};

const std::vector<Subject>& subjects() {
  constexpr Duration kYear = hours(366 * 24);
  static const std::vector<Subject> all = {
      {"token_bucket", TokenBucket{1'000'000'000, 1'000'000, seconds(1)}, TokenBucket{1, 1, kYear}},
      {"leaky_bucket", LeakyBucket{1'000'000'000, 1'000'000, seconds(1)}, LeakyBucket{1, 1, kYear}},
      {"fixed_window", FixedWindow{1'000'000'000, seconds(1)}, FixedWindow{1, kYear}},
      // The window holds some thousand units: a log's decision does not depend on how many.
      {"sliding_window_log", SlidingWindowLog{100'000, milliseconds(1)},
       SlidingWindowLog{1, kYear}},
      {"sliding_window_counter", SlidingWindowCounter{1'000'000'000, seconds(1)},
       SlidingWindowCounter{1, kYear}}};
  return all;
}

/// Keys of 21 characters, as an address and a path might make them.
const std::vector<std::string>& keys() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> made;
    made.reserve(kMostKeys);
    for (std::int64_t i = 0; i < kMostKeys; ++i) {
      char text[32];
      (void)std::snprintf(text, sizeof text, "user:%07lld:checkout", static_cast<long long>(i));
      made.emplace_back(text).resize(21, '-');
    }
    return made;
  }();
  return all;
}

/// Draws numbers below `bound`, evenly, in a nanosecond.
class Draw {
 public:
  Draw(int thread, std::int64_t bound)
      : state_(0x9e3779b97f4a7c15U * static_cast<unsigned>(thread + 1)),
        bound_(static_cast<std::uint64_t>(bound)) {}

  std::size_t operator()() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::size_t>(((state_ >> 32) * bound_) >> 32);
  }

 private:
  std::uint64_t state_;
  std::uint64_t bound_;
};

/// A limiter that has seen `count` keys. The last one is kept: the library calls a benchmark
/// several times to find out for how long to run it.
std::shared_ptr<Limiter> prepared(const std::string& name, const Policy& policy,
                                  std::int64_t count) {
  static std::string last_name;
  static std::int64_t last_count = 0;
  static std::shared_ptr<Limiter> last;
  if (name == last_name && count == last_count) return last;
  last.reset();
  const auto backend = make_memory_backend({.max_keys = kMostKeys}).value();
  last = backend->make_limiter("bench", policy).value();
  for (std::int64_t i = 0; i < count; ++i) {
    benchmark::DoNotOptimize(last->allow(keys()[static_cast<std::size_t>(i)]));
  }
  last_name = name;
  last_count = count;
  return last;
}

void decide(benchmark::State& state, const std::string& name, const Policy& policy,
            Outcome expected) {
  static std::shared_ptr<Limiter> limiter;  // of all threads of a run
  const std::int64_t count = state.range(0);
  if (state.thread_index() == 0) limiter = prepared(name, policy, count);
  Draw draw(state.thread_index(), count);
  std::int64_t otherwise = 0;
  for (auto _ : state) {
    const Decision decision = limiter->allow(keys()[draw()]);
    otherwise += decision.allowed != (expected == Outcome::allowed);
  }
  if (otherwise != 0) state.SkipWithError("a decision came out otherwise");
  if (state.thread_index() == 0) limiter.reset();
}

void add(const char* policy_name, const Policy& policy, Outcome expected) {
  const std::string name =
      std::string(policy_name) + (expected == Outcome::allowed ? "/allowed" : "/denied");
  benchmark::RegisterBenchmark(
      name.c_str(), [=](benchmark::State& state) { decide(state, name, policy, expected); })
      ->ArgName("keys")
      ->Arg(1)
      ->Arg(1'000)
      ->Arg(kMostKeys)
      ->Threads(1)
      ->Threads(2)
      ->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) {
  for (const Subject& subject : subjects()) {
    add(subject.name, subject.roomy, Outcome::allowed);
    add(subject.name, subject.tight, Outcome::denied);
  }
  // The C library leaves the atomics out of a mutex while a process has one thread, as no service
  // has: a second one that sleeps makes the figures honest.
  const std::jthread idle([](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait(lock, stop, [] { return false; });
  });
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
