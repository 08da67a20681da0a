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

  Lanes lanes_{2};
};

TEST_F(LanesTest, AFreeLaneCarriesAnErrandAtOnce) {
  EXPECT_EQ(lanes_.depart(), nullptr);
  const auto errand = enqueue();
  Lane* const lane = lanes_.depart();
  ASSERT_NE(lane, nullptr);
  EXPECT_EQ(lane->flight, Flight{errand});
  EXPECT_EQ(errand->lane, lane);
  EXPECT_TRUE(lane->was_idle);
  EXPECT_EQ(lanes_.depart(), nullptr) << "nothing is left in the queue";
}

TEST_F(LanesTest, NoMoreLanesThanThereAre) {
  enqueue();
  Lane* const first = lanes_.depart();
  enqueue();
  Lane* const second = lanes_.depart();
  EXPECT_NE(first, second);
  const auto waits = enqueue();
  EXPECT_EQ(lanes_.depart(), nullptr);
  EXPECT_EQ(waits->lane, nullptr);
  ASSERT_TRUE(lanes_.depart_again(*second));
  EXPECT_EQ(second->flight, Flight{waits});
  EXPECT_FALSE(second->was_idle);
}

TEST_F(LanesTest, AFlightCarriesSeveralInOrder) {
  enqueue();
  Lane* const lane = lanes_.depart();
  enqueue();
  ASSERT_NE(lanes_.depart(), nullptr);
  Flight waiting;
  for (std::size_t i = 0; i <= Lanes::kMostErrands; ++i) waiting.push_back(enqueue());
  ASSERT_TRUE(lanes_.depart_again(*lane));
  EXPECT_EQ(lane->flight, Flight(waiting.begin(), waiting.end() - 1));
  ASSERT_TRUE(lanes_.depart_again(*lane));
  EXPECT_EQ(lane->flight, Flight{waiting.back()});
  EXPECT_FALSE(lanes_.depart_again(*lane));
}

TEST_F(LanesTest, TheLaneUsedLastGoesFirst) {
  enqueue();
  Lane* const first = lanes_.depart();
  enqueue();
  Lane* const second = lanes_.depart();
  EXPECT_FALSE(lanes_.depart_again(*second));
  EXPECT_FALSE(lanes_.depart_again(*first));
  enqueue();
  EXPECT_EQ(lanes_.depart(), first);
}

TEST_F(LanesTest, WhatNobodyWaitsForLeavesTheQueue) {
  enqueue();
  Lane* const lane = lanes_.depart();
  enqueue();
  ASSERT_NE(lanes_.depart(), nullptr);
  const auto left = enqueue();
  const auto stays = enqueue();
  left->waiting = 2;
  lanes_.give_up(*left);
  lanes_.give_up(*left);
  ASSERT_TRUE(lanes_.depart_again(*lane));
  EXPECT_EQ(lane->flight, Flight{stays});
}

TEST_F(LanesTest, NoMoreCallersFindWhatHasDeparted) {
  std::shared_ptr<Errand> open = enqueue();
  open->open = &open;
  ASSERT_NE(lanes_.depart(), nullptr);
  EXPECT_EQ(open, nullptr);
}

TEST_F(LanesTest, NoMoreCallersFindWhatWasGivenUp) {
  enqueue();
  ASSERT_NE(lanes_.depart(), nullptr);
  enqueue();
  ASSERT_NE(lanes_.depart(), nullptr);
  std::shared_ptr<Errand> open = enqueue();
  const auto errand = open;
  errand->open = &open;
  lanes_.give_up(*errand);
  EXPECT_EQ(open, nullptr);
}

TEST_F(LanesTest, AFlightIsLeftToSomebodyWhoWaitsForIt) {
  enqueue();
  Lane* const lane = lanes_.depart();
  enqueue();
  ASSERT_NE(lanes_.depart(), nullptr);
  const Flight flight{enqueue(), enqueue(), enqueue()};
  ASSERT_TRUE(lanes_.depart_again(*lane));
  lanes_.give_up(*flight[0]);
  flight[1]->state = Errand::done;
  EXPECT_EQ(Lanes::awaited(*lane), flight[2]);
  lanes_.give_up(*flight[2]);
  EXPECT_EQ(Lanes::awaited(*lane), nullptr);
  EXPECT_EQ(lane->flight.size(), 3U) << "what was sent for it may still be answered";
}

TEST_F(LanesTest, ClearedTheyAreAsNew) {
  enqueue();
  (void)lanes_.depart();
  enqueue();
  (void)lanes_.depart();
  enqueue();
  lanes_.clear();
  EXPECT_EQ(lanes_.depart(), nullptr);
  enqueue();
  EXPECT_NE(lanes_.depart(), nullptr);
  enqueue();
  EXPECT_NE(lanes_.depart(), nullptr);
}

}  // namespace
}  // namespace ratelimit::redis
