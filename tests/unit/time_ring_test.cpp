// The ring of a log's times, against a deque of them.
#include "policy/time_ring.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

namespace ratelimit::testing {
namespace {

using policy::TimeRing;
using Width = TimeRing::Width;

constexpr Micros kStart = 1'700'000'000'000'000;
constexpr Micros kNarrow = TimeRing::kNarrowSpan;

/// A ring with memory of its own, and what it should hold.
class Pair {
 public:
  explicit Pair(Width width) { ring_.clear(width); }

  [[nodiscard]] const TimeRing& ring() const { return ring_; }
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(model_.size()); }
  [[nodiscard]] Micros oldest() const { return model_.front(); }

  /// Makes room as whoever owns a ring does: new memory, and none of the old is read afterwards.
  void make_room_for(std::int64_t times, Width width) {
    std::vector<std::byte> room(TimeRing::room_for(times, width), std::byte{0xab});
    ring_.move_to(room, width);
    std::fill(memory_.begin(), memory_.end(), std::byte{0xcd});
    memory_ = std::move(room);
  }

  void append(Micros time, std::int64_t copies) {
    if (TimeRing::room_for(size() + copies, ring_.width()) > ring_.room().size()) {
      make_room_for(size() + copies, ring_.width());
    }
    ring_.append(time, copies);
    model_.insert(model_.end(), static_cast<std::size_t>(copies), time);
  }

  void keep_newest(std::int64_t count) {
    ring_.keep_newest(count);
    model_.erase(model_.begin(), model_.end() - count);
  }

  void clear(Width width) {
    ring_.clear(width);
    model_.clear();
  }

  void expect_same() const {
    ASSERT_EQ(ring_.size(), size());
    if (model_.empty()) return;
    ASSERT_EQ(ring_.newest(), model_.back());
    for (std::int64_t i = 0; i < size(); ++i) {
      ASSERT_EQ(ring_[i], model_[static_cast<std::size_t>(i)]) << i << " of " << size();
    }
  }

  void expect_same_count_after(Micros instant) const {
    const auto later = std::upper_bound(model_.begin(), model_.end(), instant);
    ASSERT_EQ(ring_.count_after(instant), model_.end() - later);
  }

 private:
  TimeRing ring_;
  std::vector<std::byte> memory_;
  std::deque<Micros> model_;
};

class TimeRingOf : public ::testing::TestWithParam<Width> {};

// Appends, drops and moves at random. The spread of the times is kept below what a narrow ring can
// tell, and comes close to it.
TEST_P(TimeRingOf, HoldsWhatADequeHolds) {
  std::mt19937_64 bits(1);
  const auto draw = [&](std::int64_t bound) {
    return static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(bound));
  };
  for (const Micros longest_step : {Micros{1}, Micros{1'000'000}, kNarrow - 1}) {
    Pair pair(GetParam());
    Micros now = kStart;
    for (int step = 0; step < 5000; ++step) {
      now += draw(longest_step + 1);
      const std::int64_t live = pair.ring().count_after(now - kNarrow);
      pair.expect_same_count_after(now - kNarrow);
      if (draw(3) == 0 || live < pair.size()) pair.keep_newest(draw(live + 1));
      if (draw(100) == 0) pair.make_room_for(2 * pair.size(), GetParam());
      pair.append(now, draw(1 + draw(40)) + 1);
      pair.expect_same();
      pair.expect_same_count_after(now);
      pair.expect_same_count_after(pair.oldest());
      pair.expect_same_count_after(pair.oldest() - 1);
      pair.expect_same_count_after(pair.oldest() + draw(now - pair.oldest() + 1));
    }
  }
}

TEST_P(TimeRingOf, GoesRoundInTheRoomItHas) {
  Pair pair(GetParam());
  pair.make_room_for(16, GetParam());
  const std::span<std::byte> room = pair.ring().room();
  for (Micros now = kStart; now < kStart + 1000; ++now) {
    pair.keep_newest(std::min<std::int64_t>(pair.size(), 15));
    pair.append(now, 1);
    pair.expect_same();
  }
  EXPECT_EQ(pair.ring().room().data(), room.data());
  EXPECT_EQ(pair.ring().room().size(), room.size());
}

TEST_P(TimeRingOf, ClearsAndStartsAgainInEitherWidth) {
  for (const Width width : {Width::narrow, Width::wide}) {
    Pair pair(GetParam());
    pair.append(kStart, 5);
    pair.keep_newest(3);
    pair.clear(width);
    pair.expect_same();
    pair.append(kStart + 2 * kNarrow, 6);
    pair.append(kStart + 3 * kNarrow - 1, 1);
    pair.expect_same();
  }
}

INSTANTIATE_TEST_SUITE_P(Each, TimeRingOf, ::testing::Values(Width::narrow, Width::wide),
                         [](const auto& each) {
                           return each.param == Width::narrow ? "narrow" : "wide";
                         });

TEST(TimeRing, WidensAndKeepsItsTimes) {
  Pair pair(Width::narrow);
  for (Micros i = 0; i < 100; ++i) {
    if (i >= 30) pair.keep_newest(30);
    pair.append(kStart + i * (kNarrow / 32), 1);
  }
  pair.make_room_for(31, Width::wide);
  pair.expect_same();
  pair.append(kStart + 10 * kNarrow, 1);
  pair.expect_same();
}

TEST(TimeRing, TellsTimesJustBelowItsSpanApart) {
  Pair pair(Width::narrow);
  pair.append(kStart, 1);
  pair.append(kStart + kNarrow - 1, 1);
  pair.expect_same();
}

TEST(TimeRing, TakesAPowerOfTwoAndNoMore) {
  EXPECT_EQ(TimeRing::room_for(0, Width::wide), 64U);
  EXPECT_EQ(TimeRing::room_for(16, Width::narrow), 64U);
  EXPECT_EQ(TimeRing::room_for(17, Width::narrow), 128U);
  EXPECT_EQ(TimeRing::room_for(8, Width::wide), 64U);
  EXPECT_EQ(TimeRing::room_for(9, Width::wide), 128U);
  EXPECT_EQ(TimeRing::room_for(10'000'000, Width::wide), std::size_t{1} << 27);
}

// As many as a log may ever hold: the counters do not run over.
TEST(TimeRing, HoldsTenMillion) {
  constexpr std::int64_t kMost = 10'000'000;
  Pair pair(Width::wide);
  pair.append(kStart, kMost);
  for (Micros i = 1; i <= 2; ++i) {
    pair.keep_newest(kMost / 2);
    pair.append(kStart + i, kMost / 2);
    EXPECT_EQ(pair.ring().size(), kMost);
    EXPECT_EQ(pair.ring()[0], kStart + i - 1);
    EXPECT_EQ(pair.ring()[kMost - 1], kStart + i);
    pair.expect_same_count_after(kStart + i - 1);
  }
}

}  // namespace
}  // namespace ratelimit::testing
