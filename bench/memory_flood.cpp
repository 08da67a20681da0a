// What do many keys cost in memory: bytes each, and what can somebody do who brings keys on
// purpose?
//
//   bytes_per_key/POLICY   resident memory for each of as many live keys as there is room for, and
//                          how many of them are kept
//   flood/KEYS             so many keys that come once and stay in debt, with room for 1 million:
//                          ns a call over the first and the last 5 %, and the growth of resident
//                          memory in MB
//   crafted/HASH/SUBJECT   keys made to collide under a public hash: ns a call for them and for as
//                          many random ones of the same length, and the ratio
//
// Run: bench_memory_flood [--benchmark_filter=crafted]; two minutes in all.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdint>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crafted_keys.hpp"
#include "keys.hpp"
#include "ratelimit/ratelimit.hpp"
#include "rivals.hpp"
#include "support.hpp"

namespace ratelimit::bench {
namespace {

constexpr std::int64_t kRoom = 1'000'000;

/// How long this thread has run, in ns: on a busy machine it is not always that it does.
double time_run() {
  timespec time{};
  (void)::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// Of this process, in bytes.
double resident() {
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double pages = 0;
  statm >> size >> pages;
  return pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

void bytes_per_key(benchmark::State& state, const Policy& policy) {
  for (auto _ : state) {
    const double before = resident();
    const auto backend = make_memory_backend({.max_keys = kRoom}).value();
    const auto limiter = backend->make_limiter("bench", policy).value();
    KeyText key;
    for (std::int64_t i = 0; i < kRoom; ++i, key.count_up()) (void)limiter->allow(key.view());
    state.counters["bytes"] = (resident() - before) / static_cast<double>(kRoom);
    state.counters["kept"] =
        static_cast<double>(backend->statistics().keys) / static_cast<double>(kRoom);
  }
}

void flood(benchmark::State& state, const Policy& policy, std::int64_t keys) {
  const std::int64_t part = keys / 20;
  for (auto _ : state) {
    const auto limiter = limiter_in_memory(policy, kRoom);
    const double before = resident();
    KeyText key;
    const auto time_of = [&](std::int64_t calls) {
      const double start = time_run();
      for (std::int64_t i = 0; i < calls; ++i, key.count_up()) (void)limiter->allow(key.view());
      return (time_run() - start) / static_cast<double>(calls);
    };
    state.counters["first_ns"] = time_of(part);
    (void)time_of(keys - 2 * part);
    state.counters["last_ns"] = time_of(part);
    state.counters["grown_MB"] = (resident() - before) / 1e6;
  }
}

/// How long `bring` takes over all of them, in ns.
template <class Bring>
double time_for(const std::vector<std::string>& keys, Bring bring) {
  const double start = time_run();
  for (const std::string& key : keys) bring(key);
  return time_run() - start;
}

/// `make()` gives a new subject: what is called with a key.
template <class Make>
void crafted(benchmark::State& state, const std::vector<std::string>& keys, Make make) {
  const auto random = random_keys(keys.size(), keys.front().size());
  double random_ns = 0;
  double crafted_ns = 0;
  bool random_first = false;  // who comes second finds warmer memory
  for (auto _ : state) {
    random_first = !random_first;
    if (random_first) random_ns += time_for(random, make());
    crafted_ns += time_for(keys, make());
    if (!random_first) random_ns += time_for(random, make());
  }
  const auto calls = static_cast<double>(state.iterations()) * static_cast<double>(keys.size());
  state.counters["random_ns"] = random_ns / calls;
  state.counters["crafted_ns"] = crafted_ns / calls;
  state.counters["ratio"] = crafted_ns / random_ns;
}

auto new_limiter() {
  auto limiter = limiter_in_memory(subject("token_bucket").tight, kRoom);
  // So that the system's work of giving memory is not counted, which is the same for any keys.
  KeyText key;
  for (int i = 0; i < 50'000; ++i, key.count_up()) {
    (void)limiter->allow(key.view());
    (void)limiter->reset(key.view());
  }
  return [limiter](std::string_view brought) { (void)limiter->allow(brought); };
}

auto new_map() {
  auto map = std::make_shared<OneMutex>(kTight);
  return [map](std::string_view brought) { (void)map->allow(brought); };
}

template <class Run>
void add(const std::string& name, std::int64_t times, Run run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMillisecond)->Iterations(times);
}

}  // namespace
}  // namespace ratelimit::bench

int main(int argc, char** argv) {
  using namespace ratelimit::bench;
  using benchmark::State;
  for (const std::string name : kOneWord) {
    add("bytes_per_key/" + name, 1,
        [=](State& state) { bytes_per_key(state, subject(name).tight); });
  }
  for (const std::int64_t millions : {20, 100}) {
    add("flood/" + std::to_string(millions) + "M", 1,
        [=](State& state) { flood(state, subject("token_bucket").tight, millions * 1'000'000); });
  }
  add("crafted/std_hash/ratelimit", 10,
      [](State& state) { crafted(state, colliding_in_std_hash(32'768), new_limiter); });
  add("crafted/std_hash/mutex_map", 1,
      [](State& state) { crafted(state, colliding_in_std_hash(32'768), new_map); });
  add("crafted/wyhash/ratelimit", 30,
      [](State& state) { crafted(state, colliding_in_wyhash(1'000), new_limiter); });
  return run(argc, argv);
}
