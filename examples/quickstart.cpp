// What would a rate limit have done to this web server's traffic?
//
// Replays an access log, in the order of its lines: the client is the key, and the log's own time
// is the clock, so an hour of traffic takes milliseconds and always gives the same answers. In
// memory, or with the state on a Redis server. The library's whole part is in `make_backend` and
// `replay`; the log, the options and the report have files of their own.
#include <chrono>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "access_log.hpp"
#include "quickstart_options.hpp"
#include "quickstart_report.hpp"
#include "ratelimit/ratelimit.hpp"

namespace examples {
namespace {

using Clock = std::shared_ptr<const ratelimit::Clock>;
using Backend = std::shared_ptr<ratelimit::Backend>;

// So many decisions made without the server: it won't come back, and what follows says nothing.
constexpr std::uint64_t kGiveUp = 10;
constexpr std::int64_t kLogBytes = std::int64_t{1} << 30;  // so that logs of large limits fit, too

Backend make_redis_backend(const std::string& url, const Clock& clock) {
#ifdef RATELIMIT_EXAMPLE_REDIS
  ratelimit::RedisOptions options;
  options.url = url;
  options.clock = clock;
  // A service would rather go on than wait; a replay would rather wait than differ.
  options.timeout = std::chrono::seconds(2);
  // Keys of its own for each run, or the next would start in the state this one leaves.
  options.local_log_bytes = kLogBytes;
  options.prefix = "rl:quickstart-" + std::to_string(std::random_device{}()) + ":";
  return ratelimit::make_redis_backend(options).value();
#else
  static_cast<void>(url);
  static_cast<void>(clock);
  throw std::runtime_error("--redis: this program was built without it (RATELIMIT_REDIS=OFF)");
#endif
}

Backend make_backend(const Options& options, const Clock& clock, std::size_t clients) {
  if (!options.redis_url.empty()) return make_redis_backend(options.redis_url, clock);
  ratelimit::MemoryOptions memory;
  memory.clock = clock;
  memory.max_keys = static_cast<std::int64_t>(clients) + 1;  // so it forgets nobody
  memory.log_bytes = kLogBytes;
  return ratelimit::make_memory_backend(memory).value();
}

Tally replay(const AccessLog& log, const NamedPolicy& named, const Options& options) {
  const auto clock = std::make_shared<ratelimit::ManualClock>(ratelimit::TimePoint{});
  const Backend backend = make_backend(options, clock, log.clients.size());
  ratelimit::LimiterOptions limiter_options;
  limiter_options.log_cap = 10'000'000;
  const auto limiter = backend->make_limiter("quickstart", named.policy, limiter_options).value();

  Tally tally{.policy = named.name, .denied = std::vector<std::uint64_t>(log.clients.size())};
  const auto start = std::chrono::steady_clock::now();
  for (const AccessLog::Request& request : log.requests) {
    clock->set(request.time);
    const ratelimit::Decision decision = limiter->allow(log.clients[request.client]);
    ++tally.decisions;
    if (!decision) ++tally.denied[request.client];
    if (decision.degraded() && ++tally.degraded == kGiveUp) break;
  }
  tally.time = std::chrono::steady_clock::now() - start;

  if (tally.degraded > 0) {
    std::cerr << "quickstart: " << tally.degraded << " decisions of policy " << named.name
              << " were made without the server"
              << (tally.degraded == kGiveUp ? ", gave up there: " : ": ")
              << backend->statistics().last_error << '\n';
  } else if (!options.redis_url.empty()) {
    for (const std::string& client : log.clients) static_cast<void>(limiter->reset(client));
  }
  return tally;
}

AccessLog read_log(const std::string& path) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  std::istream& in = path == "-" ? std::cin : file;
  if (!in) throw std::runtime_error("cannot open " + path);
  AccessLog log = read_access_log(in);
  if (in.bad()) throw std::runtime_error("cannot read " + path);
  return log;
}

/// Returns whether every decision came from the backend.
bool run(const Options& options) {
  const AccessLog log = read_log(options.log);
  std::cout << options.log << ": " << log.clients.size() << " clients, " << log.bad_lines
            << " lines not read; " << options.limit << " for each client\n\n"
            << std::flush;
  print_bad_lines(std::cerr, log);

  std::vector<Tally> tallies;
  std::uint64_t degraded = 0;
  for (const NamedPolicy& policy : options.policies) {
    tallies.push_back(replay(log, policy, options));
    degraded += tallies.back().degraded;
    if (tallies.back().degraded == kGiveUp) return false;
  }
  print_report(std::cout, log, tallies);
  return degraded == 0;
}

}  // namespace
}  // namespace examples

int main(int argc, char** argv) try {
  std::ios::sync_with_stdio(false);
  int exit_code = 0;
  const auto options = examples::read_options(argc, argv, exit_code);
  if (!options) return exit_code;
  return examples::run(*options) && std::cout.flush() ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << "quickstart: " << error.what() << '\n';
  return 1;
}
