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

Lane* Lanes::depart() {
  if (free_.empty() || queue_.empty()) return nullptr;
  const std::size_t busy = lanes_.size() - free_.size();
  if (busy >= kBusyUnderLoad && callers_ >= lanes_.size()) return nullptr;
  Lane* const lane = free_.back();
  free_.pop_back();
  lane->was_idle = true;
  take_flight(*lane);
  return lane;
}

bool Lanes::depart_again(Lane& lane) {
  lane.flight.clear();
  callers_ -= lane.callers;
  lane.was_idle = false;
  if (queue_.empty()) {
    free_.push_back(&lane);  // reserved: cannot throw
    return false;
  }
  take_flight(lane);
  return true;
}

void Lanes::take_flight(Lane& lane) {
  lane.is_briefed = false;
  lane.callers = 0;
  while (!queue_.empty() && lane.flight.size() < kMostErrands) {
    auto& errand = lane.flight.emplace_back(std::move(queue_.front()));
    queue_.pop_front();
    errand->lane = &lane;
    lane.callers += errand->waiting;
    if (errand->open != nullptr) std::exchange(errand->open, nullptr)->reset();
  }
  callers_ += lane.callers;
}

void Lanes::give_up(Errand& errand) {
  if (--errand.waiting > 0 || errand.lane != nullptr) return;
  if (errand.open != nullptr) std::exchange(errand.open, nullptr)->reset();
  std::erase_if(queue_, [&](const auto& each) { return each.get() == &errand; });
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
  for (Lane& lane : lanes_) {
    lane.flight.clear();
    lane.link.reset();
    free_.push_back(&lane);
  }
}

}  // namespace ratelimit::redis
