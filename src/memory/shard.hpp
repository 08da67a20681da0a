// A part of the locked table: the slots of some keys, and the memory for their logs. Not thread
// safe; see memory/locked_table.hpp.
//
// A key belongs into one of two sets, of which each is known from the other one and the tag. Where
// both are full, somebody moves over to the other set of theirs. With as many live keys as the
// table is made for, three slots in four are taken, and it is hardly ever that nobody can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "base/instant.hpp"
#include "memory/buddy_pool.hpp"
#include "memory/slot_set.hpp"
#include "memory/tally.hpp"

namespace ratelimit::memory {

class Shard {
 public:
  /// Requires: `sets` are all zero and an even number.
  Shard(std::span<SlotSet> sets, BuddyPool logs, Tally& tally)
      : sets_(sets), logs_(logs), tally_(tally) {}

  struct Slot {
    SlotSet* set;
    std::size_t i;
  };

  /// Which key it is: the bits that tell it from others, and those that say where it belongs.
  struct Key {
    std::uint64_t tag;
    std::uint64_t place;
  };

  /// Where the key's State is.
  template <class State>
  [[nodiscard]] std::optional<Slot> find(const Key& key) const;

  /// An empty slot for a key that has none. Whoever had to make room is forgotten.
  Slot arrive(const Key& key, const Present& present);

  template <class State>
  static const State& state(const Slot& slot) {
    return *std::get_if<State>(&slot.set->states[slot.i]);
  }

  /// Puts the key and its state into a slot that is its own or empty.
  template <class State>
  void store(const Slot& slot, std::uint64_t tag, Micros reset_time, const State& state);

  void erase(const Slot& slot);

  /// Room for a log, to be given back by give_back, or with the slot whose state views it. Whoever
  /// had to make room is forgotten, but not the owner of `spared`.
  std::span<std::byte> take_room(std::size_t bytes, std::span<const std::byte> spared,
                                 const Present& present);

  void give_back(std::span<const std::byte> room) {
    if (!room.empty()) logs_.give_back(room.data());
  }

  [[nodiscard]] std::size_t keys() const { return keys_; }

 private:
  [[nodiscard]] std::size_t home(const Key& key) const;
  [[nodiscard]] std::size_t partner(std::size_t set, std::uint64_t tag) const;
  [[nodiscard]] bool move_away(const Slot& slot, const Present& present);
  void own(const Slot& slot, std::span<const std::byte> room);
  void vacate(const Slot& slot);
  void forget(const Slot& slot, const Present& present);

  /// What must go for a stretch of the logs' memory to be free.
  struct Region : BuddyPool::Stretch {
    Micros recovers;  // the last of its owners; 0: none is live
    std::size_t blocks;
  };
  Region next_region(std::size_t bytes, const Present& present);
  Region cheapest_region(std::size_t bytes, std::span<const std::byte> spared,
                         const Present& present);
  [[nodiscard]] Slot owner(const BuddyPool::Block& block) const;

  std::span<SlotSet> sets_;
  BuddyPool logs_;
  std::size_t hand_ = 0;  // where in the logs' memory the next region is looked for
  std::size_t keys_ = 0;
  Tally& tally_;
};

template <class State>
std::optional<Shard::Slot> Shard::find(const Key& key) const {
  const std::size_t first = home(key);
  for (const std::size_t index : {first, partner(first, key.tag)}) {
    SlotSet& set = sets_[index];
    for (std::size_t i = 0; i < SlotSet::kSize; ++i) {
      if (set.tags[i] == key.tag && std::holds_alternative<State>(set.states[i])) {
        return Slot{&set, i};
      }
    }
  }
  return std::nullopt;
}

template <class State>
void Shard::store(const Slot& slot, std::uint64_t tag, Micros reset_time, const State& state) {
  const bool is_new = slot.set->tags[slot.i] == 0;
  if constexpr (requires { state.room(); }) {
    const auto room = state.room();
    if (is_new || Shard::state<State>(slot).room().data() != room.data()) own(slot, room);
  }
  if (is_new) ++keys_;
  slot.set->tags[slot.i] = tag;
  slot.set->reset_times[slot.i] = reset_time;
  slot.set->states[slot.i] = policy::AnyState(state);
}

}  // namespace ratelimit::memory
