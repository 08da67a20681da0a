// Every order in which a few threads can take their steps, up to so many switches between them.
//
// Threads run one at a time. Each calls `step()` before whatever others may see; there, and nowhere
// else, another one may be let run instead. A schedule is a list of such switches, and
// `for_each_schedule` runs them all: the systematic kind of stress, which finds what needs two or
// three interruptions at the right place, and finds it every time.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace ratelimit::testing {

/// At the step `at`, counted over all threads, `thread` goes on.
struct Switch {
  std::size_t at;
  std::size_t thread;
};
using Schedule = std::vector<Switch>;

/// Marks that the calling thread is about to do something that others may see. Outside of
/// `run_schedule`: nothing.
void step();

/// Runs the bodies, the first one first; whoever ends lets the first go on that has not ended.
/// Returns how many steps they took. Throws std::runtime_error after a million steps: somebody
/// waits for somebody.
std::size_t run_schedule(const std::vector<std::function<void()>>& bodies,
                         const Schedule& schedule);

/// Calls `run(schedule)`, which returns the number of steps, for every schedule of `threads`
/// threads with at most `switches` switches. Returns how many there were.
std::size_t for_each_schedule(std::size_t threads, std::size_t switches,
                              const std::function<std::size_t(const Schedule&)>& run);

}  // namespace ratelimit::testing
