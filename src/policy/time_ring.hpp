// The times of a log's units, packed into memory that somebody else owns.
//
// A ring: the oldest times go and new ones come without any being moved. The newest time is kept
// whole, beside the ring; in it a time takes 4 bytes, by which it is told among all that lie less
// than 2^32 us (71 min) before the newest, or 8 bytes, which hold any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/instant.hpp"

namespace ratelimit::policy {

class TimeRing {
 public:
  /// How a time is kept: log2 of its bytes.
  enum class Width : std::uint8_t { narrow = 2, wide = 3 };

  /// Narrow times lie less than this before the newest.
  static constexpr Micros kNarrowSpan = Micros{1} << 32;

  /// The room that so many times take, in bytes: a power of 2, and not less than a cache line.
  static std::size_t room_for(std::int64_t times, Width width);

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(count_); }
  [[nodiscard]] Width width() const { return static_cast<Width>(+width_); }

  /// The memory that holds the times; none at first.
  [[nodiscard]] std::span<std::byte> room() const {
    return {room_, room_ == nullptr ? 0 : std::size_t{1} << log2_room_};
  }

  /// Requires: size() > 0.
  [[nodiscard]] Micros newest() const { return newest_; }

  /// The times from the oldest on. Requires: 0 <= i < size().
  [[nodiscard]] Micros operator[](std::int64_t i) const;

  /// How many of the times are later than `instant`. O(log size), and O(1) where most are.
  [[nodiscard]] std::int64_t count_after(Micros instant) const;

  /// Forgets all times, and keeps the next ones in `width`.
  void clear(Width width);

  /// Forgets the oldest. Requires: 0 <= count <= size().
  void keep_newest(std::int64_t count);

  /// Adds `time` so often. Requires: times never fall; there is room; the oldest is less than
  /// kNarrowSpan before it, if this is narrow.
  void append(Micros time, std::int64_t copies);

  /// Takes the times to `room`, to be kept there in `width`; from then on the room before is not
  /// used. Requires: `room` has the size that room_for gives for size() times or more; the oldest
  /// is less than kNarrowSpan before the newest, if `width` is narrow.
  void move_to(std::span<std::byte> room, Width width);

 private:
  [[nodiscard]] std::byte* at(std::uint64_t i) const;
  void put(std::uint64_t i, Micros time);

  Micros newest_ = 0;
  std::byte* room_ = nullptr;
  // A slot of a table keeps all of this: 10,000,000 times fit into 2^24 places of a ring.
  std::uint64_t first_ : 24 = 0;
  std::uint64_t count_ : 24 = 0;
  std::uint64_t log2_room_ : 8 = 0;
  std::uint64_t width_ : 8 = static_cast<std::uint64_t>(Width::narrow);
};
static_assert(sizeof(TimeRing) == 24);

}  // namespace ratelimit::policy
