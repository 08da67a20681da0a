// How often this process has been forked from another, since it asked first: no system call asks the
// kernel who we are.
#pragma once

#include <pthread.h>

#include <atomic>

namespace ratelimit::redis {

inline unsigned forks() {
  static std::atomic<unsigned> count = 0;
  [[maybe_unused]] static const int registered =
      pthread_atfork(nullptr, nullptr, [] { count.fetch_add(1, std::memory_order_relaxed); });
  return count.load(std::memory_order_relaxed);
}

}  // namespace ratelimit::redis
