// Who goes next, with no server, no threads and no waiting.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "redis/lanes.hpp"

namespace ratelimit::redis {
namespace {

using Flight = std::vector<std::shared_ptr<Errand>>;

class LanesTest : public ::testing::Test {
 protected:
  std::shared_ptr<Errand> enqueue() {
    auto errand = std::make_shared<Errand>();
    errand->waiting = 1;
    lanes_.enqueue(errand);
    return errand;
  }

  /// Ends a flight all of which is done. Returns whether the lane flies again.
  bool land(Lane& lane) {
    for (const auto& errand : lane.flight) errand->state = Errand::done;
    return lanes_.depart_again(lane, now_);
  }

  Lane::Instant now_ = Deadline::Clock::now();
  Lanes lanes_{2};
};

TEST_F(LanesTest, AFreeLaneCarriesAnErrandAtOnce) {
  EXPECT_EQ(lanes_.depart(now_), nullptr);
  const auto errand = enqueue();
  Lane* const lane = lanes_.depart(now_);
  ASSERT_NE(lane, nullptr);
  EXPECT_EQ(lane->flight, Flight{errand});
  EXPECT_EQ(errand->lane, lane);
  EXPECT_TRUE(lane->was_idle);
  EXPECT_EQ(lanes_.depart(now_), nullptr) << "nothing is left in the queue";
}

TEST_F(LanesTest, NoMoreLanesThanThereAre) {
  enqueue();
  Lane* const first = lanes_.depart(now_);
  enqueue();
  Lane* const second = lanes_.depart(now_);
  EXPECT_NE(first, second);
  const auto waits = enqueue();
  EXPECT_EQ(lanes_.depart(now_), nullptr);
  EXPECT_EQ(waits->lane, nullptr);
  ASSERT_TRUE(land(*second));
  EXPECT_EQ(second->flight, Flight{waits});
  EXPECT_FALSE(second->was_idle);
}

TEST_F(LanesTest, AFlightCarriesSeveralInOrder) {
  enqueue();
  Lane* const lane = lanes_.depart(now_);
  enqueue();
  ASSERT_NE(lanes_.depart(now_), nullptr);
  Flight waiting;
  for (std::size_t i = 0; i <= Lanes::kMostErrands; ++i) waiting.push_back(enqueue());
  ASSERT_TRUE(land(*lane));
  EXPECT_EQ(lane->flight, Flight(waiting.begin(), waiting.end() - 1));
  ASSERT_TRUE(land(*lane));
  EXPECT_EQ(lane->flight, Flight{waiting.back()});
  EXPECT_FALSE(land(*lane));
}

TEST_F(LanesTest, TheLaneUsedLastGoesFirst) {
  enqueue();
  Lane* const first = lanes_.depart(now_);
  enqueue();
  Lane* const second = lanes_.depart(now_);
  EXPECT_FALSE(land(*second));
  EXPECT_FALSE(land(*first));
  enqueue();
  EXPECT_EQ(lanes_.depart(now_), first);
}

TEST_F(LanesTest, WhatNobodyWaitsForLeavesTheQueue) {
  enqueue();
  Lane* const lane = lanes_.depart(now_);
  enqueue();
  ASSERT_NE(lanes_.depart(now_), nullptr);
  const auto left = enqueue();
  const auto stays = enqueue();
  left->waiting = 2;
  lanes_.give_up(*left);
  lanes_.give_up(*left);
  ASSERT_TRUE(land(*lane));
  EXPECT_EQ(lane->flight, Flight{stays});
}

TEST_F(LanesTest, NoMoreCallersFindWhatHasDeparted) {
  std::shared_ptr<Errand> open = enqueue();
  open->open = &open;
  ASSERT_NE(lanes_.depart(now_), nullptr);
  EXPECT_EQ(open, nullptr);
}

TEST_F(LanesTest, NoMoreCallersFindWhatWasGivenUp) {
  enqueue();
  ASSERT_NE(lanes_.depart(now_), nullptr);
  enqueue();
  ASSERT_NE(lanes_.depart(now_), nullptr);
  std::shared_ptr<Errand> open = enqueue();
  const auto errand = open;
  errand->open = &open;
  lanes_.give_up(*errand);
  EXPECT_EQ(open, nullptr);
}

TEST_F(LanesTest, AFlightIsLeftToSomebodyWhoWaitsForIt) {
  enqueue();
  Lane* const lane = lanes_.depart(now_);
  enqueue();
  ASSERT_NE(lanes_.depart(now_), nullptr);
  const Flight flight{enqueue(), enqueue(), enqueue()};
  ASSERT_TRUE(land(*lane));
  lanes_.give_up(*flight[0]);
  flight[1]->state = Errand::done;
  EXPECT_EQ(Lanes::awaited(*lane), flight[2]);
  lanes_.give_up(*flight[2]);
  EXPECT_EQ(Lanes::awaited(*lane), nullptr);
  EXPECT_EQ(lane->flight.size(), 3U) << "what was sent for it may still be answered";
}

TEST_F(LanesTest, WhatAFlightHasNotDoneGoesAlongInTheNext) {
  const auto repeated = enqueue();
  Lane* const lane = lanes_.depart(now_);
  enqueue();
  ASSERT_NE(lanes_.depart(now_), nullptr);
  const auto waits = enqueue();
  ASSERT_TRUE(lanes_.depart_again(*lane, now_));
  EXPECT_EQ(lane->flight, (Flight{repeated, waits}));
  repeated->state = Errand::done;
  lanes_.give_up(*waits);
  EXPECT_FALSE(lanes_.depart_again(*lane, now_)) << "done, or waited for by nobody";
  EXPECT_TRUE(lane->flight.empty());
}

// Two lanes keep the server busy; what comes meanwhile travels together.
TEST(Lanes, UnderLoadOnlyTwoFly) {
  Lanes lanes(4);
  auto now = Deadline::Clock::now();
  const auto ask = [&](std::size_t callers) {
    auto errand = std::make_shared<Errand>();
    errand->waiting = callers;
    lanes.enqueue(errand);
    return errand;
  };
  const auto land = [&](Lane& lane) {
    for (const auto& errand : lane.flight) errand->state = Errand::done;
    return lanes.depart_again(lane, now);
  };
  ask(1);
  Lane* const first = lanes.depart(now);
  ask(1);
  ASSERT_NE(lanes.depart(now), nullptr);
  ask(1);
  Lane* const third = lanes.depart(now);
  ASSERT_NE(third, nullptr) << "there are few callers";
  const auto crowd = ask(30);
  ASSERT_TRUE(land(*first));
  EXPECT_EQ(first->flight, Flight{crowd});
  EXPECT_FALSE(land(*third));
  ask(1);
  EXPECT_EQ(lanes.depart(now), nullptr) << "there are many";
  now += 10 * Lanes::kUsualFlight;
  Lane* const fourth = lanes.depart(now);
  ASSERT_NE(fourth, nullptr) << "the others are overdue";
  EXPECT_FALSE(land(*fourth));
  EXPECT_FALSE(land(*first));
  ask(1);
  EXPECT_NE(lanes.depart(now), nullptr) << "there are few again";
}

TEST_F(LanesTest, WhatNobodyWaitsForIsNotSent) {
  enqueue();
  Lane* const lane = lanes_.depart(now_);
  enqueue();
  ASSERT_NE(lanes_.depart(now_), nullptr);
  const auto left = enqueue();
  const auto stays = enqueue();
  ASSERT_TRUE(land(*lane));
  EXPECT_TRUE(lanes_.give_up(*left)) << "the server will never hear of it";
  Lanes::send_off(*lane);
  EXPECT_EQ(lane->flight, Flight{stays});
  EXPECT_FALSE(lanes_.give_up(*stays)) << "it may have";
}

TEST_F(LanesTest, WhatOthersWaitForMayBeHeardAllTheSame) {
  enqueue();
  ASSERT_NE(lanes_.depart(now_), nullptr);
  enqueue();
  ASSERT_NE(lanes_.depart(now_), nullptr);
  const auto errand = enqueue();
  errand->waiting = 2;
  EXPECT_FALSE(lanes_.give_up(*errand));
  EXPECT_TRUE(lanes_.give_up(*errand));
}

TEST_F(LanesTest, ClearedTheyAreAsNew) {
  enqueue();
  (void)lanes_.depart(now_);
  enqueue();
  (void)lanes_.depart(now_);
  enqueue();
  lanes_.clear();
  EXPECT_EQ(lanes_.depart(now_), nullptr);
  enqueue();
  EXPECT_NE(lanes_.depart(now_), nullptr);
  enqueue();
  EXPECT_NE(lanes_.depart(now_), nullptr);
}

}  // namespace
}  // namespace ratelimit::redis
