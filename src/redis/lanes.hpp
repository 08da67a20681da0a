// Who goes next: the queue of errands, and the lanes that carry them, as a state machine without
// I/O or locks. A lane is the right to one connection.
//
// An errand is in the queue, or one lane carries it, in one flight with others. Somebody who waits
// for an errand of the flight drives the lane. A few callers have a lane each. Under load only two
// lanes fly: while the callers of one flight wake up, the server works at the other, and what comes
// meanwhile travels together. So errands may wait in the queue while a lane is free, but only for
// flights that are not overdue: each that lands takes along what has gathered.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "redis/errand.hpp"
#include "redis/link.hpp"

namespace ratelimit::redis {

struct Lane {
  using Instant = Deadline::Clock::time_point;

  std::vector<std::shared_ptr<Errand>> flight;
  std::size_t callers = 0;     // who waited for it when it departed
  std::unique_ptr<Link> link;  // null: none
  Instant departed;            // when the flight did
  bool is_briefed = false;     // whether the link was asked what the flight is to ask
  bool was_heard = false;      // whether there was any answer to it
  std::optional<Errc> outage;  // that one of them told of
  bool was_idle = false;       // before the flight: the connection may have been closed since
};

/// Thread safety: none; the client's lock is held for every call.
class Lanes {
 public:
  static constexpr std::size_t kMostErrands = 4;    // in one flight
  static constexpr std::size_t kBusyUnderLoad = 2;  // lanes
  static constexpr auto kUsualFlight = std::chrono::milliseconds(2);

  /// Throws std::bad_alloc.
  explicit Lanes(std::size_t count);

  /// Puts an errand at the end of the queue. Throws std::bad_alloc, and then has changed nothing.
  void enqueue(const std::shared_ptr<Errand>& errand);

  /// Has a free lane carry what is in the queue. Returns it; null where none is free, or enough of
  /// them fly, or nothing is in the queue. The lane that was used last goes first: its connection is
  /// the likeliest to stand.
  Lane* depart(Lane::Instant now);

  /// Ends a lane's flight and has it carry what is in the queue, after what of the flight is not done
  /// and is still waited for. Returns false where there was nothing: it is free now.
  bool depart_again(Lane& lane, Lane::Instant now);

  /// A caller waits no longer. An errand that nobody waits for leaves the queue. Returns whether it
  /// is certain that the server never hears of it.
  bool give_up(Errand& errand);

  /// Takes what nobody waits for out of a flight that is about to be sent; the rest counts as sent.
  static void send_off(Lane& lane);

  /// An errand of the lane's flight that is not done and that somebody waits for; null: none.
  static std::shared_ptr<Errand> awaited(const Lane& lane);

  /// Forgets all errands and connections: they are another process's.
  void clear();

 private:
  [[nodiscard]] bool is_busy(Lane::Instant now) const;
  void take_flight(Lane& lane, Lane::Instant now);

  std::size_t callers_ = 0;  // of all flights
  std::vector<Lane> lanes_;
  std::vector<Lane*> free_;  // the last used at the back
  std::deque<std::shared_ptr<Errand>> queue_;
};

}  // namespace ratelimit::redis
