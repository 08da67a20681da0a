// What does one decision cost a caller that waits for it, on a Redis server on the same machine? By
// policy and outcome, by TCP and by unix socket, one caller. PING by a plain client is the floor.
//
// Run: bench_redis_decision [--benchmark_filter=token_bucket]
// Starts a redis-server of its own (see tests/support/redis_server.hpp) and ends it. Absolute times
// drift with the machine's load: compare within one run.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ratelimit/ratelimit.hpp"
#include "support.hpp"
#include "support/redis_server.hpp"

namespace {

using namespace ratelimit;
using ratelimit::bench::Outcome;
using ratelimit::bench::Subject;
using ratelimit::testing::RedisServer;
using ratelimit::testing::RespClient;
using std::chrono::milliseconds;
using std::chrono::seconds;

void decide(benchmark::State& state, RedisServer& server, const std::string& url,
            const Policy& policy, Outcome expected) {
  server.flush();  // a key that another run left would be another run's outcome
  const auto backend = make_redis_backend({.url = url, .timeout = seconds(5)}).value();
  const auto limiter = backend->make_limiter("bench", policy, {.on_error = OnError::deny}).value();
  (void)limiter->allow("user:0000001:checkout");
  std::int64_t otherwise = 0;
  for (auto _ : state) {
    const Decision decision = limiter->allow("user:0000001:checkout");
    const bool allowed = expected == Outcome::allowed;
    otherwise += decision.allowed != allowed || decision.degraded();
  }
  if (otherwise != 0) state.SkipWithError("a decision came out otherwise");
}

void ping(benchmark::State& state, RespClient& client) {
  for (auto _ : state) benchmark::DoNotOptimize(client.command({"PING"}));
}

}  // namespace

int main(int argc, char** argv) {
  RedisServer server;
  RespClient tcp(server.port());
  RespClient unix_socket(server.socket_path());
  const auto add = [](const std::string& name, auto run) {
    benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime()->Unit(benchmark::kMicrosecond);
  };
  add("ping/tcp", [&](benchmark::State& state) { ping(state, tcp); });
  add("ping/unix", [&](benchmark::State& state) { ping(state, unix_socket); });
  for (const Subject& subject : bench::subjects(milliseconds(20))) {
    if (subject.fewest_keys > 1) continue;  // one key comes here
    const std::string& name = subject.name;
    for (const auto& [route, url] :
         {std::pair{"/tcp", server.url()}, std::pair{"/unix", server.unix_url()}}) {
      add(name + "/allowed" + route, [&server, url = url, subject](benchmark::State& state) {
        decide(state, server, url, subject.roomy, Outcome::allowed);
      });
      add(name + "/denied" + route, [&server, url = url, subject](benchmark::State& state) {
        decide(state, server, url, subject.tight, Outcome::denied);
      });
    }
  }
  return bench::run(argc, argv);
}
