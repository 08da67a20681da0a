// What a backend has counted, and its last trouble.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <new>
#include <string>

#include "policy/check.hpp"
#include "ratelimit/backend.hpp"

namespace ratelimit::redis {

/// Thread safety: all methods may be called from any thread.
class Tally {
 public:
  static constexpr std::size_t kLongestText = 512;

  void count_healed() { healed_.fetch_add(1, std::memory_order_relaxed); }
  void count_script_load() { script_loads_.fetch_add(1, std::memory_order_relaxed); }

  void count_error(const Error& error) noexcept {
    errors_.fetch_add(1, std::memory_order_relaxed);
    if (error.code == Errc::circuit_open) return;  // what opened it says more
    try {
      // Quoted: a server may put a user's key into its text.
      auto text =
          fmt::format("{}: {}", to_string(error.code), policy::quoted(error.message, kLongestText));
      const std::lock_guard lock(mutex_);
      // A text says more than none.
      if (last_error_.empty() || !error.message.empty()) last_error_.swap(text);
    } catch (const std::bad_alloc&) {
      return;  // the count says that there was one
    }
  }

  /// Adds to what the local limiters have counted.
  void report(Statistics& statistics) const {
    statistics.healed += healed_.load(std::memory_order_relaxed);
    statistics.script_loads = script_loads_.load(std::memory_order_relaxed);
    statistics.errors += errors_.load(std::memory_order_relaxed);
    const std::lock_guard lock(mutex_);
    statistics.last_error = last_error_;
  }

 private:
  std::atomic<std::uint64_t> healed_ = 0;
  std::atomic<std::uint64_t> script_loads_ = 0;
  std::atomic<std::uint64_t> errors_ = 0;
  mutable std::mutex mutex_;
  std::string last_error_;  // guarded by mutex_
};

}  // namespace ratelimit::redis
