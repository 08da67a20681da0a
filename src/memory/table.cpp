#include "memory/table.hpp"

#include <utility>

namespace ratelimit::memory {

void Table::insert(Space space, std::string_view key, policy::AnyState state, Micros reset_time,
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

void Table::move(Order::iterator& place, Micros reset_time) {
  if (place->first == reset_time) return;
  auto node = order_.extract(place);
  node.key() = reset_time;
  place = order_.insert(std::move(node));
}

// The newcomer is spared: if it were the one to go, a full table would limit no new key at all.
void Table::forget_one(const Key& except, Micros now) {
  auto first = order_.begin();
  if (first->second == &except) ++first;
  ++counts_.forgotten;
  counts_.forgotten_debt += first->first > now;
  const auto entry = entries_.find(*first->second);
  order_.erase(first);
  entries_.erase(entry);
}

void Table::erase(Space space, std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(KeyView{space, key});
  if (found == entries_.end()) return;
  order_.erase(found->second.place);
  entries_.erase(found);
}

Table::Counts Table::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts = counts_;
  counts.keys = entries_.size();
  return counts;
}

}  // namespace ratelimit::memory
