#include "memory/place_table.hpp"

#include <algorithm>

namespace ratelimit::memory {
namespace {

constexpr std::size_t kPlacesInSet = BasicSet<Place>::kSize;

/// 24 bytes a key, or three places for two keys, in whole sets.
std::size_t sets_for(std::int64_t keys) {
  const auto places = static_cast<std::size_t>(keys) * 3 / 2;
  return std::max<std::size_t>(3, (places + kPlacesInSet - 1) / kPlacesInSet);
}

std::size_t others_for(std::int64_t keys) { return std::max<std::size_t>(2, sets_for(keys) / 9); }

}  // namespace

PlaceTable::PlaceTable(std::int64_t keys, WhenFull when_full, Tally& tally)
    : homes_(sets_for(keys) - others_for(keys)),
      others_(others_for(keys)),
      pages_(sets_for(keys) * sizeof(Set)),
      sets_(static_cast<Set*>(pages_.data())),
      tally_(tally) {
  if (when_full == WhenFull::forget) return;
  floor_pages_.emplace(sets_for(keys) * sizeof(Place));
  floors_ = static_cast<Place*>(floor_pages_->data());
}

void PlaceTable::admit(Micros longest_wait) noexcept {
  Micros old = longest_wait_.load(std::memory_order_relaxed);
  while (old < longest_wait &&
         !longest_wait_.compare_exchange_weak(old, longest_wait, std::memory_order_relaxed)) {
  }
}

std::uint64_t PlaceTable::count_keys() const {
  std::uint64_t keys = 0;
  for (std::size_t set = 0; set < homes_ + others_; ++set) {
    for (const Place& place : sets_[set].places) {
      const std::uint64_t tag = place.tag();
      keys += tag != 0 && (tag & kClaimed) == 0;
    }
  }
  return keys;
}

}  // namespace ratelimit::memory
