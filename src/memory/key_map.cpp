#include "memory/key_map.hpp"

#include <algorithm>
#include <iterator>

namespace ratelimit::memory {

void KeyMap::insert(Space space, std::string_view key, policy::AnyState state, Micros reset_time,
                    Micros now) {
  const auto entry =
      entries_.emplace(Key{space, std::string(key)}, Entry{std::move(state), order_.end()}).first;
  try {
    entry->second.place = order_.emplace(reset_time, &entry->first);
  } catch (...) {
    entries_.erase(entry);
    throw;
  }
  if (entries_.size() > max_keys_) forget_one(entry->first, now);
}

void KeyMap::move(Order::iterator& place, Micros reset_time) {
  if (place->first == reset_time) return;
  auto node = order_.extract(place);
  node.key() = reset_time;
  place = order_.insert(std::move(node));
}

// The newcomer is spared: if it were the one to go, a full map would limit no new key at all. Whoever
// waits longer than anybody may comes from a clock that ran wild, and goes first.
void KeyMap::forget_one(const Key& except, Micros now) {
  auto first = order_.begin();
  if (first->second == &except) ++first;
  const auto last = std::prev(order_.end());
  const bool is_wild = last->second != &except && last->first - now > longest_wait_;
  if (is_wild) first = last;
  tally_.count_forgotten(!is_wild && first->first > now);
  const auto entry = entries_.find(*first->second);
  order_.erase(first);
  entries_.erase(entry);
}

void KeyMap::admit(Micros longest_wait) {
  const std::lock_guard lock(mutex_);
  longest_wait_ = std::max(longest_wait_, longest_wait);
}

void KeyMap::erase(Space space, std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(KeyView{space, key});
  if (found == entries_.end()) return;
  order_.erase(found->second.place);
  entries_.erase(found);
}

std::uint64_t KeyMap::count_keys() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace ratelimit::memory
