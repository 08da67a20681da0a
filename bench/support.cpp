#include "support.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string_view>

namespace ratelimit::bench {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

}  // namespace

std::vector<Subject> subjects(Duration log_window) {
  constexpr Duration kYear = hours(366 * 24);
  return {
      {"token_bucket", TokenBucket{1'000'000'000'000, 1'000'000, seconds(1)},
       TokenBucket{1, 1, kYear}},
      {"leaky_bucket", LeakyBucket{1'000'000'000'000, 1'000'000, seconds(1)},
       LeakyBucket{1, 1, kYear}},
      {"fixed_window", FixedWindow{1'000'000'000, seconds(1)}, FixedWindow{1, kYear}},
      // A limit that fits a word, which one hot key would meet.
      {"sliding_window_counter", SlidingWindowCounter{8000, milliseconds(50)},
       SlidingWindowCounter{1, kYear}, 1000},
      // In memory it lives in the map: its limit does not fit a word.
      {"sliding_window_counter_large", SlidingWindowCounter{1'000'000'000, seconds(1)},
       SlidingWindowCounter{1, kYear}},
      {"sliding_window_log", SlidingWindowLog{100'000, log_window}, SlidingWindowLog{1, kYear}}};
}

Subject subject(std::string_view name) {
  const auto all = subjects();
  return *std::find_if(all.begin(), all.end(),
                       [&](const Subject& one) { return one.name == name; });
}

std::shared_ptr<Limiter> limiter_in_memory(const Policy& policy, std::int64_t max_keys,
                                           const LimiterOptions& options) {
  const auto backend = make_memory_backend({.max_keys = max_keys}).value();
  return backend->make_limiter("bench", policy, options).value();
}

IdleThread::IdleThread()
    : thread_([](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        wake.wait(lock, stop, [] { return false; });
      }) {}

int run(int argc, char** argv) {
  const IdleThread idle;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace ratelimit::bench
