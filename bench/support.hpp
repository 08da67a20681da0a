// What the benchmarks share: the policies that they put to the test, and how a program of theirs
// runs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "ratelimit/ratelimit.hpp"

namespace ratelimit::bench {

enum class Outcome : std::uint8_t { denied, allowed };

struct Subject {
  std::string name;
  Policy roomy;  // allows whatever a benchmark asks of `fewest_keys` or more
  Policy tight;  // denies all but a key's first call
  std::size_t fewest_keys = 1;
};

/// The policies. `log_window` is the window of the roomy log, in which it admits 100,000 units: the
/// slower a backend, the longer it may be. The default is for memory.
std::vector<Subject> subjects(Duration log_window = std::chrono::milliseconds(1));

/// Those whose states fit a word in memory: their decisions take no lock, and a constant time.
inline constexpr std::array kOneWord = {"token_bucket", "leaky_bucket", "fixed_window",
                                        "sliding_window_counter"};

/// The one of that name. Requires: there is one.
Subject subject(std::string_view name);

/// A limiter of an in-memory backend of its own, with room for so many keys.
std::shared_ptr<Limiter> limiter_in_memory(const Policy& policy, std::int64_t max_keys = 1'000'000,
                                           const LimiterOptions& options = {});

/// A thread that sleeps. The C library leaves the atomics out of a mutex while a process has one
/// thread, as no service has: a second one makes the figures honest.
class IdleThread {
 public:
  IdleThread();

 private:
  std::jthread thread_;
};

/// Runs the registered benchmarks that the command line asks for. Returns the program's exit code.
int run(int argc, char** argv);

}  // namespace ratelimit::bench
