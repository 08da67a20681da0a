// A number that changes when this process is forked from another: no system call asks the kernel who
// we are, unless it had no memory to tell us.
#pragma once

#include <pthread.h>
#include <unistd.h>

#include <atomic>

namespace ratelimit::redis {

inline unsigned forks() {
  static std::atomic<unsigned> count = 0;
  static const bool is_told =
      pthread_atfork(nullptr, nullptr, [] { count.fetch_add(1, std::memory_order_relaxed); }) == 0;
  return is_told ? count.load(std::memory_order_relaxed) : static_cast<unsigned>(getpid());
}

}  // namespace ratelimit::redis
