#include "stress/interleavings.hpp"

#include <deque>
#include <exception>
#include <semaphore>
#include <stdexcept>
#include <thread>

namespace ratelimit::testing {
namespace {

constexpr std::size_t kMostSteps = 1'000'000;

/// One run. Only the thread whose turn it is touches anything here.
class Run {
 public:
  Run(const std::vector<std::function<void()>>& bodies, const Schedule& schedule)
      : bodies_(bodies), schedule_(schedule), has_ended_(bodies.size()) {
    for (std::size_t i = 0; i < bodies.size(); ++i) turns_.emplace_back(0);
  }

  std::size_t run() {
    std::vector<std::thread> threads;
    for (std::size_t number = 0; number < bodies_.size(); ++number) {
      threads.emplace_back([this, number] { run_body(number); });
    }
    turns_[0].release();
    for (std::thread& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
    return steps_;
  }

  void step(std::size_t thread) {
    if (++steps_ > kMostSteps) throw std::runtime_error("the threads wait for each other");
    if (next_ == schedule_.size() || schedule_[next_].at != steps_) return;
    const std::size_t other = schedule_[next_++].thread;
    if (other == thread || has_ended_[other]) return;
    turns_[other].release();
    turns_[thread].acquire();
  }

 private:
  void run_body(std::size_t number);

  const std::vector<std::function<void()>>& bodies_;
  const Schedule& schedule_;
  std::size_t next_ = 0;  // of the schedule
  std::size_t steps_ = 0;
  std::vector<bool> has_ended_;
  std::deque<std::binary_semaphore> turns_;
  std::exception_ptr failure_;
};

struct Self {
  Run* run = nullptr;
  std::size_t number = 0;
};
thread_local Self self;

void Run::run_body(std::size_t number) {
  turns_[number].acquire();
  self = {this, number};
  try {
    bodies_[number]();
  } catch (...) {
    failure_ = std::current_exception();
  }
  has_ended_[number] = true;
  for (std::size_t other = 0; other < bodies_.size(); ++other) {
    if (!has_ended_[other]) return turns_[other].release();
  }
}

/// Runs `schedule`, and all that begin like it and have up to `switches` more.
std::size_t explore(Schedule& schedule, std::size_t threads, std::size_t switches,
                    const std::function<std::size_t(const Schedule&)>& run) {
  const std::size_t steps = run(schedule);
  std::size_t count = 1;
  if (switches == 0) return count;
  for (std::size_t at = schedule.empty() ? 1 : schedule.back().at + 1; at <= steps; ++at) {
    for (std::size_t thread = 0; thread < threads; ++thread) {
      schedule.push_back({at, thread});
      count += explore(schedule, threads, switches - 1, run);
      schedule.pop_back();
    }
  }
  return count;
}

}  // namespace

void step() {
  if (self.run != nullptr) self.run->step(self.number);
}

std::size_t run_schedule(const std::vector<std::function<void()>>& bodies,
                         const Schedule& schedule) {
  return Run(bodies, schedule).run();
}

std::size_t for_each_schedule(std::size_t threads, std::size_t switches,
                              const std::function<std::size_t(const Schedule&)>& run) {
  Schedule schedule;
  return explore(schedule, threads, switches, run);
}

}  // namespace ratelimit::testing
