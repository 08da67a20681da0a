// Where the states of a limiter's keys are: in the table of places, or in the locked table.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "memory/key_hash.hpp"

namespace ratelimit::memory {

/// What limiters of one name and kind of policy share: where their keys' states are, and how they
/// are packed.
///
/// They are in the table of places as long as all of the limiters pack alike; once one does not,
/// they are in the locked table for good, where each key comes when it is next charged. A call that
/// is under way on another thread at that moment may still charge the state in the table of places,
/// and lose that charge.
class Home {
 public:
  /// Throws std::exception where the system gives no random numbers.
  explicit Home(std::int64_t packing) : packing_(packing) {}

  /// What a key is told by: of its own, so that limiters of other names share no key.
  [[nodiscard]] const KeyHash& hash() const noexcept { return hash_; }

  /// How the states in the table are packed; 0: they are in the locked table.
  [[nodiscard]] std::int64_t packing() const noexcept {
    return packing_.load(std::memory_order_acquire);
  }

  /// How the states were packed that the locked table has not taken yet; 0: there are none.
  /// Requires: packing() is 0.
  [[nodiscard]] std::int64_t old_packing() const noexcept { return old_packing_; }

  /// Another limiter comes, which packs like this. Requires: one caller at a time.
  void join(std::int64_t packing) noexcept {
    const std::int64_t present = packing_.load(std::memory_order_relaxed);
    if (present == packing || present == 0) return;
    old_packing_ = present;
    packing_.store(0, std::memory_order_release);
  }

 private:
  const KeyHash hash_;
  std::atomic<std::int64_t> packing_;
  std::int64_t old_packing_ = 0;  // published by packing_
};

/// The homes of a backend, by kind of policy and name.
class Homes {
 public:
  /// The home of a limiter that packs like this. Throws std::exception where the system gives no
  /// random numbers.
  const Home& of(std::string kind_and_name, std::int64_t packing) {
    const std::lock_guard lock(mutex_);
    Home& home = homes_.try_emplace(std::move(kind_and_name), packing).first->second;
    home.join(packing);
    return home;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Home> homes_;  // guarded by mutex_
};

}  // namespace ratelimit::memory
