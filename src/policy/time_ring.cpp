#include "policy/time_ring.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace ratelimit::policy {
namespace {

constexpr std::size_t kLeastRoom = 64;
constexpr std::uint64_t kIndexMask = (std::uint64_t{1} << 24) - 1;

}  // namespace

std::size_t TimeRing::room_for(std::int64_t times, Width width) {
  const std::size_t bytes = static_cast<std::size_t>(times) << static_cast<unsigned>(width);
  return std::max(kLeastRoom, std::bit_ceil(bytes));
}

/// Where the i-th time from the oldest is, or will be.
inline std::byte* TimeRing::at(std::uint64_t i) const {
  const std::uint64_t places = (std::uint64_t{1} << log2_room_) >> width_;
  return room_ + (((first_ + i) & (places - 1)) << width_);
}

inline void TimeRing::put(std::uint64_t i, Micros time) {
  if (width() == Width::wide) {
    std::memcpy(at(i), &time, sizeof time);
  } else {
    const auto low = static_cast<std::uint32_t>(time);
    std::memcpy(at(i), &low, sizeof low);
  }
}

Micros TimeRing::operator[](std::int64_t i) const {
  const std::byte* const from = at(static_cast<std::uint64_t>(i));
  if (width() == Width::wide) {
    Micros time = 0;
    std::memcpy(&time, from, sizeof time);
    return time;
  }
  std::uint32_t low = 0;
  std::memcpy(&low, from, sizeof low);
  return newest_ - Micros{static_cast<std::uint32_t>(newest_) - low};
}

// From the oldest on, in steps that double: since the last call few have become too old.
std::int64_t TimeRing::count_after(Micros instant) const {
  std::int64_t old = 0;  // so many are not later, from the oldest on
  std::int64_t step = 1;
  while (old + step <= size() && (*this)[old + step - 1] <= instant) {
    old += step;
    step *= 2;
  }
  std::int64_t end = std::min(old + step - 1, size());  // from here on all are later
  while (old < end) {
    const std::int64_t middle = old + (end - old) / 2;
    if ((*this)[middle] <= instant) {
      old = middle + 1;
    } else {
      end = middle;
    }
  }
  return size() - old;
}

void TimeRing::clear(Width width) {
  first_ = 0;
  count_ = 0;
  width_ = static_cast<std::uint8_t>(width);
}

void TimeRing::keep_newest(std::int64_t count) {
  const auto kept = static_cast<std::uint64_t>(count);
  const std::uint64_t places = (std::uint64_t{1} << log2_room_) >> width_;
  first_ = (first_ + count_ - kept) & (places - 1) & kIndexMask;
  count_ = kept & kIndexMask;
}

void TimeRing::append(Micros time, std::int64_t copies) {
  newest_ = time;
  const std::uint64_t end = count_ + static_cast<std::uint64_t>(copies);
  for (std::uint64_t i = count_; i < end; ++i) put(i, time);
  count_ = end & kIndexMask;
}

void TimeRing::move_to(std::span<std::byte> room, Width width) {
  TimeRing moved;
  moved.newest_ = newest_;
  moved.room_ = room.data();
  moved.log2_room_ = static_cast<std::uint8_t>(std::countr_zero(room.size()));
  moved.width_ = static_cast<std::uint8_t>(width);
  moved.count_ = count_;
  for (std::int64_t i = 0; i < size(); ++i) moved.put(static_cast<std::uint64_t>(i), (*this)[i]);
  *this = moved;
}

}  // namespace ratelimit::policy
