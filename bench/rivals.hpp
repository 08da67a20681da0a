// Limiters as one would write them at home in an afternoon, and well: the generic cell rate
// algorithm in integers over a map of the key's own text. They know one policy, say no more than
// yes or no, and never forget a key.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#if RATELIMIT_BENCH_BOOST
#include <boost/unordered/concurrent_flat_map.hpp>
#endif

namespace ratelimit::bench {

/// A burst of `burst`, and one more every `interval`, in microseconds.
struct Gcra {
  using Instant = std::int64_t;  // us; the theoretical arrival time of the next call

  std::int64_t burst;
  std::int64_t interval;

  static Instant now() {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
  }

  [[nodiscard]] bool admit(Instant& arrival, Instant now) const {
    const Instant next = std::max(arrival, now) + interval;
    if (next - now > burst * interval) return false;
    arrival = next;
    return true;
  }
};

/// Allows whatever a benchmark asks.
inline constexpr Gcra kRoomy{.burst = 1'000'000'000'000, .interval = 1};

/// Denies all but a key's first call: one a year.
inline constexpr Gcra kTight{.burst = 1, .interval = std::int64_t{366} * 24 * 3600 * 1'000'000};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

using Arrivals = std::unordered_map<std::string, Gcra::Instant, TextHash, std::equal_to<>>;

/// One lock, one map.
class alignas(64) OneMutex {
 public:
  explicit OneMutex(Gcra gcra) : gcra_(gcra) {}

  bool allow(std::string_view key) {
    const Gcra::Instant now = Gcra::now();
    const std::lock_guard lock(mutex_);
    auto found = arrivals_.find(key);
    if (found == arrivals_.end()) found = arrivals_.emplace(key, 0).first;
    return gcra_.admit(found->second, now);
  }

 private:
  Gcra gcra_;
  std::mutex mutex_;
  Arrivals arrivals_;  // guarded by mutex_
};

/// 64 of them, and the key's hash says which.
class Shards {
 public:
  explicit Shards(Gcra gcra) : Shards(gcra, std::make_index_sequence<64>()) {}

  bool allow(std::string_view key) { return shards_[TextHash{}(key) >> 58].allow(key); }

 private:
  template <std::size_t... Each>
  Shards(Gcra gcra, std::index_sequence<Each...> /*each*/)
      : shards_{((void)Each, OneMutex(gcra))...} {}

  std::array<OneMutex, 64> shards_;
};

#if RATELIMIT_BENCH_BOOST
/// Boost's concurrent map: an entry is locked while it is visited.
class BoostMap {
 public:
  explicit BoostMap(Gcra gcra) : gcra_(gcra) {}

  bool allow(std::string_view key) {
    const Gcra::Instant now = Gcra::now();
    bool allowed = false;
    const auto visit = [&](auto& entry) { allowed = gcra_.admit(entry.second, now); };
    if (arrivals_.visit(key, visit) == 0) {
      Gcra::Instant first = 0;
      allowed = gcra_.admit(first, now);
      arrivals_.emplace_or_visit(key, first, visit);
    }
    return allowed;
  }

 private:
  Gcra gcra_;
  boost::concurrent_flat_map<std::string, Gcra::Instant, TextHash, std::equal_to<>> arrivals_;
};
#endif

}  // namespace ratelimit::bench
