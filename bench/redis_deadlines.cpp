// By how much does the worst call outlive its deadline, whatever keeps it waiting? And what does a
// call cost while the circuit is open?
//
// Run: bench_redis_deadlines [--help] [--calls=20] [--busy=0]
// Its servers are its own, on loopback. With --busy=8 as many processes compute meanwhile. Takes
// about ten seconds.
#include <benchmark/benchmark.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "options.hpp"
#include "ratelimit/ratelimit.hpp"
#include "support/scripted_server.hpp"

namespace {

using namespace ratelimit;
using namespace ratelimit::bench;
using namespace std::chrono_literals;
using ratelimit::testing::FullBacklog;
using ratelimit::testing::Peer;
using ratelimit::testing::ScriptedServer;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kUsage =
    "usage: bench_redis_deadlines [--calls=20] [--busy=0]\n"
    "  --calls  calls of each case\n"
    "  --busy   processes that compute meanwhile, up to 64\n";

constexpr std::array kDeadlines = {Duration(5ms), Duration(20ms), Duration(100ms)};

/// Processes that do nothing but compute, for as long as this one lives.
class BusyProcesses {
 public:
  explicit BusyProcesses(int count) {
    for (int i = 0; i < count; ++i) {
      const pid_t pid = ::fork();
      if (pid == 0) {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (unsigned work = 0;; ++work) benchmark::DoNotOptimize(work);
      }
      if (pid > 0) pids_.push_back(pid);
    }
  }
  BusyProcesses(const BusyProcesses&) = delete;
  BusyProcesses& operator=(const BusyProcesses&) = delete;
  ~BusyProcesses() {
    for (const pid_t pid : pids_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }

 private:
  std::vector<pid_t> pids_;
};

/// Lets a client in, then runs `then` for what it asks.
ScriptedServer::Script after_login(std::function<void(Peer&)> then) {
  return [then = std::move(then)](Peer& peer) {
    if (peer.listen() && peer.say("+OK\r\n") && peer.listen()) then(peer);
  };
}

struct Case {
  std::string name;
  std::string url;
  int callers = 1;
  std::int64_t connections = 4;
};

/// By how much the worst of the calls outlived its deadline, in ms; negative where one ended before
/// it, or was answered.
double worst_lateness(const Case& tried, Duration deadline, int calls) {
  RedisOptions options{.url = tried.url,
                       .timeout = deadline,
                       .max_connections = tried.connections,
                       .failures_to_open = 0};
  options.tls.insecure_without_verification = tried.url.starts_with("rediss:");
  const auto backend = make_redis_backend(options).value();
  const auto limiter =
      backend->make_limiter("late", TokenBucket{3, 1, 1h}, {.on_error = OnError::deny}).value();
  std::vector<double> worst(static_cast<std::size_t>(tried.callers));
  std::vector<std::thread> threads;
  for (double& mine : worst) {
    threads.emplace_back([&] {
      for (int i = 0; i < std::max(1, calls / tried.callers); ++i) {
        const auto start = Clock::now();
        const bool degraded = limiter->allow("key").degraded();
        const std::chrono::duration<double, std::milli> late = Clock::now() - start - deadline;
        mine = degraded ? std::max(mine, late.count()) : -1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return *std::ranges::max_element(worst);
}

void measure_lateness(int calls) {
  ScriptedServer silent([](Peer& peer) { peer.hang(); });
  ScriptedServer hangs(after_login([](Peer& peer) { peer.hang(); }));
  ScriptedServer deaf(after_login([](Peer& peer) { peer.ignore(); }));
  ScriptedServer drips(after_login([](Peer& peer) {
    peer.drip(":100000000000000000000000000000000000000", std::chrono::milliseconds(3));
  }));
  const FullBacklog full;
  const std::string tls = "rediss" + silent.url().substr(std::string_view("redis").size());
  const std::vector<Case> cases = {{"connecting hangs", full.url()},
                                   {"the login is not answered", silent.url()},
                                   {"the TLS handshake is not answered", tls},
                                   {"the call is not answered", hangs.url()},
                                   {"the answer drips", drips.url()},
                                   {"the peer has gone silently", deaf.url()},
                                   {"100 callers, 1 connection, no answer", hangs.url(), 100, 1},
                                   {"1000 callers, 4 connections, no answer", hangs.url(), 1000}};
  std::printf("%-42s %12s %12s %12s\n", "worst call, ms after its deadline of", "5 ms", "20 ms",
              "100 ms");
  for (const Case& tried : cases) {
    std::printf("%-42s", tried.name.c_str());
    for (const Duration deadline : kDeadlines) {
      std::printf(" %12.2f", worst_lateness(tried, deadline, calls));
    }
    std::printf("\n");
  }
}

/// What calls cost that are not let through, and probes beside them.
void measure_open_circuit() {
  constexpr std::size_t kCalls = 20'000;
  const auto backend =
      make_redis_backend({.url = ratelimit::testing::refused_url(), .failures_to_open = 1}).value();
  const auto limiter =
      backend->make_limiter("open", TokenBucket{3, 1, 1h}, {.on_error = OnError::local}).value();
  std::vector<double> us;
  us.reserve(kCalls);
  while (us.size() < kCalls) {
    const auto start = Clock::now();
    const bool open = limiter->allow("key").error == Errc::circuit_open;
    const std::chrono::duration<double, std::micro> took = Clock::now() - start;
    if (open) us.push_back(took.count());
  }
  std::ranges::sort(us);
  std::printf("a call while the circuit is open, us: p50 %.2f  p99 %.2f  worst %.2f\n",
              us[kCalls / 2], us[kCalls * 99 / 100], us.back());
}

int measure(int argc, char** argv) {
  int calls = 20;
  int busy = 0;
  for (const Argument& argument : arguments(argc, argv)) {
    if (argument.name == "--calls") {
      calls = static_cast<int>(number(argument, {.least = 1, .most = 1000}));
    } else if (argument.name == "--busy") {
      busy = static_cast<int>(number(argument, {.least = 0, .most = 64}));
    } else {
      throw BadArgument(argument.name);
    }
  }
  const BusyProcesses others(busy);
  measure_lateness(calls);
  measure_open_circuit();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_main(kUsage, [&] { return measure(argc, argv); });
}
