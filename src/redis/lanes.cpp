#include "redis/lanes.hpp"

#include <algorithm>
#include <utility>

namespace ratelimit::redis {

Lanes::Lanes(std::size_t count) : lanes_(count) {
  free_.reserve(count);
  for (Lane& lane : lanes_) {
    lane.flight.reserve(kMostErrands);
    free_.push_back(&lane);
  }
}

void Lanes::enqueue(const std::shared_ptr<Errand>& errand) { queue_.push_back(errand); }

/// Whether enough lanes fly for what is asked, and may be expected to land soon.
bool Lanes::is_busy(Lane::Instant now) const {
  if (callers_ < lanes_.size()) return false;
  std::size_t in_time = 0;
  for (const Lane& lane : lanes_) {
    in_time += !lane.flight.empty() && now - lane.departed < kUsualFlight;
    if (in_time == kBusyUnderLoad) return true;
  }
  return false;
}

Lane* Lanes::depart(Lane::Instant now) {
  if (free_.empty() || queue_.empty() || is_busy(now)) return nullptr;
  Lane* const lane = free_.back();
  free_.pop_back();
  lane->was_idle = true;
  take_flight(*lane, now);
  return lane;
}

bool Lanes::depart_again(Lane& lane, Lane::Instant now) {
  std::erase_if(lane.flight, [](const auto& errand) {
    return errand->waiting == 0 || errand->state == Errand::done;
  });
  callers_ -= std::exchange(lane.callers, 0);
  lane.was_idle = false;
  if (lane.flight.empty() && queue_.empty()) {
    free_.push_back(&lane);  // reserved: cannot throw
    return false;
  }
  take_flight(lane, now);
  return true;
}

void Lanes::take_flight(Lane& lane, Lane::Instant now) {
  lane.departed = now;
  lane.is_briefed = false;
  lane.was_heard = false;
  lane.outage.reset();
  while (!queue_.empty() && lane.flight.size() < kMostErrands) {
    auto& errand = lane.flight.emplace_back(std::move(queue_.front()));
    queue_.pop_front();
    errand->lane = &lane;
    if (errand->open != nullptr) std::exchange(errand->open, nullptr)->reset();
  }
  for (const auto& errand : lane.flight) lane.callers += errand->waiting;
  callers_ += lane.callers;
}

bool Lanes::give_up(Errand& errand) {
  if (--errand.waiting > 0) return false;
  if (errand.lane != nullptr) return !errand.sent;
  if (errand.open != nullptr) std::exchange(errand.open, nullptr)->reset();
  std::erase_if(queue_, [&](const auto& each) { return each.get() == &errand; });
  return true;
}

void Lanes::send_off(Lane& lane) {
  std::erase_if(lane.flight, [](const auto& errand) { return errand->waiting == 0; });
  for (const auto& errand : lane.flight) errand->sent = true;
}

std::shared_ptr<Errand> Lanes::awaited(const Lane& lane) {
  for (const auto& errand : lane.flight) {
    if (errand->waiting > 0 && errand->state != Errand::done) return errand;
  }
  return nullptr;
}

void Lanes::clear() {
  for (const auto& errand : queue_) {
    if (errand->open != nullptr) errand->open->reset();
  }
  queue_.clear();
  free_.clear();
  callers_ = 0;
  for (Lane& lane : lanes_) {
    lane.link.reset();
    lane.flight.clear();
    lane.callers = 0;
    free_.push_back(&lane);
  }
}

}  // namespace ratelimit::redis
