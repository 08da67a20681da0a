// Threads that start together.
#pragma once

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace ratelimit::testing {

/// Runs `work(number)` on `count` threads, 0 to count - 1, all let go at once; returns when all
/// have ended.
template <class Work>
void on_threads(int count, Work work) {
  std::atomic<int> waiting = count;
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  for (int number = 0; number < count; ++number) {
    threads.emplace_back([&, number] {
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      work(number);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace ratelimit::testing
