// The in-memory backend's table for states that do not fit a word: logs, and policies of unusual
// numbers. In memory that is mapped once; nothing is allocated in a call.
//
// In shards, each behind a lock of its own that is held for one key's work and no longer: finding
// it (two sets of slots), deciding, and where a new key or a growing log finds no room, the bounded
// search for who makes it (see memory/shard.hpp). Nobody holds two locks.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>

#include "base/instant.hpp"
#include "memory/key_hash.hpp"
#include "memory/pages.hpp"
#include "memory/shard.hpp"
#include "memory/tally.hpp"
#include "policy/call.hpp"

namespace ratelimit::memory {

/// How many keys there is room for, and how many bytes for the logs of all keys.
struct Bounds {
  std::int64_t keys;
  std::int64_t log_bytes;
};

class LockedTable {
 public:
  /// Throws std::bad_alloc. Requires: keys >= 1, log_bytes >= 4096.
  LockedTable(const Bounds& bounds, Tally& tally);

  template <class Rule>
  struct Seen {
    typename Rule::View view;  // of the state before the call
    bool stored;               // the state has changed
  };

  /// From now on states may wait for so long; see Rule::longest_wait.
  void admit(Micros longest_wait) noexcept;

  /// The most room that one key's log may take: two have room in a shard, so one can grow while it
  /// is copied.
  [[nodiscard]] std::size_t most_room() const noexcept { return share_ / 2; }

  /// The least bytes for the logs of all keys with which most_room() is `room`. Requires: a power
  /// of 2.
  [[nodiscard]] std::int64_t log_bytes_for(std::size_t room) const noexcept;

  /// Puts `call` to the key, which has the State that `initial()` gives where it is not in the
  /// table. Requires: most_room() is enough for the rule.
  template <class Rule, class Initial>
  Seen<Rule> apply(const Digest& digest, const Rule& rule, const policy::Call& call,
                   Initial initial);

  template <class Rule>
  void erase(const Digest& digest);

  [[nodiscard]] std::uint64_t count_keys() const;

 private:
  struct alignas(64) Locked {
    Locked(std::span<SlotSet> sets, BuddyPool logs, Tally& tally) : shard(sets, logs, tally) {}

    mutable std::mutex mutex;
    Shard shard;  // guarded by mutex
  };

  /// Where a key belongs.
  struct Spot {
    Locked& locked;
    Shard::Key key;
  };
  Spot spot(const Digest& digest);

  std::int64_t most_shards_;
  std::size_t share_;  // of the logs' memory, of each shard
  Pages slots_;
  Pages logs_;
  std::deque<Locked> shards_;
  std::atomic<Micros> longest_wait_ = 0;  // relaxed: a limiter is published after it was raised
  Tally& tally_;
};

/// Moves a state to room that the call needs, if it needs any.
template <class Rule>
void make_room(Shard& shard, const Rule& rule, const typename Rule::View& view,
               const policy::Call& call, const Present& present, typename Rule::State& state) {
  const std::size_t bytes = rule.room_for(state, view, call);
  if (bytes == 0) return;
  const auto old = state.room();
  rule.move(view, shard.take_room(bytes, old, present), state);
  shard.give_back(old);
}

template <class Rule, class Initial>
LockedTable::Seen<Rule> LockedTable::apply(const Digest& digest, const Rule& rule,
                                           const policy::Call& call, Initial initial) {
  using State = typename Rule::State;
  const auto [locked, key] = spot(digest);
  const Present present{call.now, longest_wait_.load(std::memory_order_relaxed)};
  const std::lock_guard lock(locked.mutex);
  Shard& shard = locked.shard;
  const std::optional<Shard::Slot> found = shard.find<State>(key);
  State state = found ? Shard::state<State>(*found) : initial();
  const auto view = rule.look(state, call);
  if constexpr (policy::NeedsRoom<Rule>) make_room(shard, rule, view, call, present, state);
  const bool stored = policy::update(rule, view, rule.judge(view, call), call, state);
  if (stored) {
    const Shard::Slot slot = found ? *found : shard.arrive(key, present);
    // A limiter of the same name may look further back.
    const Micros before = found ? found->set->reset_times[found->i] : 0;
    const Micros reset_time = rule.reset_time(state);
    shard.store(slot, key.tag, present.is_live(before) ? std::max(before, reset_time) : reset_time,
                state);
  }
  if (view.healed) tally_.count_healed();
  return {view, stored};
}

template <class Rule>
void LockedTable::erase(const Digest& digest) {
  const auto [locked, key] = spot(digest);
  const std::lock_guard lock(locked.mutex);
  if (const auto found = locked.shard.find<typename Rule::State>(key)) locked.shard.erase(*found);
}

}  // namespace ratelimit::memory
