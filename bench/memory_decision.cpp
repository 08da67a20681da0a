// What does one decision cost in memory, beside the least that it can cost and beside what one
// would write at home?
//
//   floor/SET                  floor.cpp: hash, miss, clock, swap, and nothing else
//   POLICY/OUTCOME/SET         policies.cpp: the library, as a service calls it
//   RIVAL/OUTCOME/SET          rivals.cpp: a mutex and a map, 64 of them, Boost's concurrent map
//                              where CMake found it
//   callers/CALLER/SET         callers.cpp: a caller that knows the time, or has many keys at once
//   api/RESULT/CALL/SET        api.cpp: the library's call itself
//
// SET is which keys are in use and how they come: hot (one key), 1k, 1M and 10M evenly, 1M_zipf;
// keys.hpp says what is measured of a key. OUTCOME is allowed, denied or peek. What matters most is
// asked on 1, 2, 8 and 16 threads.
//
// Run: bench_memory_decision --benchmark_filter='^(floor|token_bucket/allowed)/.*threads:1$'
//        --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true
//        --benchmark_report_aggregates_only=true
// Absolute times drift with the machine's load: compare medians within one such run, on one thread
// those of CPU time. All of it so takes an hour, and some 5 GB.
#include "memory_decision.hpp"

#include "support.hpp"

int main(int argc, char** argv) {
  using namespace ratelimit::bench;
  add_floor();
  add_policies();
  add_callers();
  add_rivals();
  add_api();
  return run(argc, argv);
}
