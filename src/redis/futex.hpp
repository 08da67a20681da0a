// Sleeping until a word changes, by a deadline: what std::atomic::wait does not know.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>

#include "redis/deadline.hpp"

namespace ratelimit::redis {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

/// Sleeps while `word` is `value`, or less: ask again. Returns false where the deadline came first.
inline bool sleep_while(std::atomic<std::uint32_t>& word, std::uint32_t value,
                        const Deadline& deadline) {
  const timespec until = deadline.monotonic();
  return ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, value, &until, nullptr,
                   FUTEX_BITSET_MATCH_ANY) == 0 ||
         errno != ETIMEDOUT;
}

/// Wakes one of those who sleep on `word`, or all.
inline void wake_one(std::atomic<std::uint32_t>& word) {
  (void)::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1);
}
inline void wake_all(std::atomic<std::uint32_t>& word) {
  (void)::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX);
}

}  // namespace ratelimit::redis
