#include "redis_round.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <latch>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace ratelimit::bench {
namespace {

using Clock = std::chrono::steady_clock;

enum class Phase : std::uint8_t { warming, measured, over };

/// What the threads of a round share.
struct Run {
  explicit Run(std::size_t callers) : ready(static_cast<std::ptrdiff_t>(callers) + 1) {}

  std::latch ready;
  std::atomic<Phase> phase = Phase::warming;
  std::mutex mutex;
  std::string failure;  // guarded by mutex
};

/// What one caller saw.
struct Seen {
  std::vector<double> latencies;  // us, one a step, of what was measured
  std::int64_t measured = 0;      // decisions
  std::int64_t asked = 0;         // in all
  std::int64_t allowed = 0;
};

void ask(Caller& caller, Run& run, Seen& seen) try {
  seen.latencies.reserve(std::size_t{1} << 14);
  run.ready.arrive_and_wait();
  for (Phase phase = Phase::warming; phase != Phase::over;) {
    const Answers answers = caller.step();
    phase = run.phase.load(std::memory_order_relaxed);
    seen.asked += answers.asked;
    seen.allowed += answers.allowed;
    if (phase != Phase::measured) continue;
    seen.measured += answers.asked;
    const std::chrono::duration<double, std::micro> took = Clock::now() - answers.since;
    seen.latencies.push_back(took.count());
  }
  caller.finish();
} catch (const std::exception& error) {
  const std::lock_guard lock(run.mutex);
  run.failure = error.what();
}

Usage measure(Run& run, const Meter& meter, std::chrono::duration<double> span) {
  run.ready.arrive_and_wait();
  std::this_thread::sleep_for(span / 5);
  const Usage before = meter.now();
  run.phase = Phase::measured;
  std::this_thread::sleep_for(span);
  run.phase = Phase::over;
  return meter.now() - before;
}

double quantile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

Round summed_up(std::vector<Seen>& seen, const Usage& usage) {
  Seen all;
  for (const Seen& one : seen) {
    all.latencies.insert(all.latencies.end(), one.latencies.begin(), one.latencies.end());
    all.measured += one.measured;
    all.asked += one.asked;
    all.allowed += one.allowed;
  }
  std::ranges::sort(all.latencies);
  Round round;
  const auto decisions = static_cast<double>(std::max<std::int64_t>(all.measured, 1));
  const auto& sorted = all.latencies;
  round.figures = {decisions / usage.wall,        quantile(sorted, 0.5),
                   quantile(sorted, 0.99),        quantile(sorted, 0.999),
                   quantile(sorted, 1),           usage.client / decisions * 1e6,
                   usage.server / decisions * 1e6};
  round.others = usage.others / usage.wall;
  round.allowed =
      all.asked == 0 ? 0 : static_cast<double>(all.allowed) / static_cast<double>(all.asked);
  return round;
}

/// Whether the first keys of up to 32 callers were charged once a call. Callers of one hot key have
/// it in common.
bool all_were_charged(const Callers& callers, Limiter& checker) {
  const std::size_t keys = std::min<std::size_t>(callers.size(), 32);
  const bool is_hot =
      callers.size() > 1 && callers[0]->keys().first() == callers[1]->keys().first();
  std::int64_t all = 0;
  for (const auto& caller : callers) all += caller->keys().count_of_first();
  for (std::size_t i = 0; i < keys; ++i) {
    const KeyRing& ring = callers[i]->keys();
    const Decision state = checker.peek(ring.first());
    const std::int64_t calls = is_hot ? all : ring.count_of_first();
    if (state.degraded() || state.limit - state.remaining != calls) return false;
  }
  return true;
}

}  // namespace

Round run_round(const Case& one, testing::RedisServer& server, Limiter& checker, double seconds) {
  const Meter meter(server);
  server.flush();
  const double connections = server_info(server, "stats", "total_connections_received");
  const Callers callers = one.make();
  std::vector<Seen> seen(callers.size());
  Run run(callers.size());
  Usage usage;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < callers.size(); ++i) {
      threads.emplace_back([&, i] { ask(*callers[i], run, seen[i]); });
    }
    usage = measure(run, meter, std::chrono::duration<double>(seconds));
  }
  Round round = summed_up(seen, usage);
  round.connections = static_cast<std::int64_t>(
      server_info(server, "stats", "total_connections_received") - connections);
  round.failure = std::move(run.failure);
  if (!round.failure.empty()) return round;
  if (round.allowed != 1) {
    round.failure = "calls were denied";
  } else if (one.check == Check::charges && !all_were_charged(callers, checker)) {
    round.failure = "the server did not charge each call once";
  }
  return round;
}

}  // namespace ratelimit::bench
