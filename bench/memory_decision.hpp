// How bench_memory_decision measures: one loop for all subjects. See memory_decision.cpp for the
// questions.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>

#include "keys.hpp"
#include "ratelimit/ratelimit.hpp"

namespace ratelimit::bench {

/// Room for a set's keys. Small sets have a table of the default size, as most services will.
inline std::int64_t room_for(const KeySet& keys) {
  return std::max<std::int64_t>(1'000'000, static_cast<std::int64_t>(keys.count()));
}

/// What `make()` points to, made when it is first asked for by this name: a run wants few of them.
/// Kept until the end, since repetitions come in no order. Thread safety: any thread; the first one
/// makes it, the others wait.
template <class Make>
auto& kept(const std::string& name, Make make) {
  static std::mutex mutex;
  static std::map<std::string, decltype(make())> all;
  const std::lock_guard lock(mutex);
  auto& one = all[name];
  if (!one) one = make();
  return *one;
}

/// Registers NAME/SET for each of the sets and each number of threads, each of which runs
/// `loop(state, keys)`.
template <class Loop>
void add_loop(const std::string& name, std::span<const KeySetName> sets,
              std::span<const int> threads, Loop loop) {
  for (const KeySetName& set : sets) {
    auto* const added = benchmark::RegisterBenchmark(
        (name + "/" + set.text).c_str(),
        [set, loop](benchmark::State& state) { loop(state, key_set(set)); });
    for (const int count : threads) added->Threads(count);
    added->UseRealTime();
  }
}

/// As `add_loop`, for one key after the other. `subject(keys)` gives what decides for a thread:
/// called with a key, it says whether the decision came out as it should.
template <class MakeSubject>
void add(const std::string& name, std::span<const KeySetName> sets, std::span<const int> threads,
         MakeSubject subject) {
  add_loop(name, sets, threads, [subject](benchmark::State& state, const KeySet& keys) {
    auto decide = subject(keys);
    Walk walk(keys, state.thread_index());
    std::int64_t otherwise = 0;
    for (auto _ : state) otherwise += decide(walk.next()) ? 0 : 1;
    if (otherwise != 0) state.SkipWithError("a decision came out otherwise");
  });
}

/// A limiter that has seen all of the keys. One for all sets of as many keys and all that call the
/// policy by this name.
Limiter& limiter_for(const std::string& name, const Policy& policy, const KeySet& keys,
                     const LimiterOptions& options = {});

/// The key sets and the numbers of threads that most subjects are asked about.
inline constexpr std::array kAllSets = {kHot, kThousand, kMillion, kMillionZipf, kTenMillion};
inline constexpr std::array kMostSets = {kHot, kThousand, kMillion, kMillionZipf};
inline constexpr std::array kFewSets = {kHot, kThousand, kMillion};
inline constexpr std::array kAllThreads = {1, 2, 8, 16};

// Each of these registers the benchmarks of one file.
void add_floor();
void add_policies();
void add_rivals();
void add_api();
void add_callers();

}  // namespace ratelimit::bench
