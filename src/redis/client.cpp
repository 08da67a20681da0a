#include "redis/client.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "redis/forks.hpp"
#include "redis/futex.hpp"

namespace ratelimit::redis {
namespace {

/// Differs between processes, and from fork to fork.
std::uint64_t seed() {
  constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15;
  const auto ticks = static_cast<std::uint64_t>(Deadline::Clock::now().time_since_epoch().count());
  return ((ticks ^ static_cast<std::uint64_t>(getpid())) * kSpread) >> 32U;
}

/// A copy, without its text where there is no memory for it.
Failure copy_of(const Failure& failure, Errc code) noexcept try {
  return Error{code, failure->message};
} catch (const std::bad_alloc&) {
  return Error{code, {}};
}

/// What an errand that is done has come to.
Failure outcome(const Errand& errand) {
  return errand.failure ? copy_of(errand.failure, errand.failure->code) : std::nullopt;
}

/// What a failure means to those of whom the server may have heard: nobody knows whether they were
/// charged.
Errc heard(Errc code) { return charged(code) == Charged::unknown ? code : Errc::connection_lost; }

/// What it means to those of whom it has not: they were not charged.
Errc unheard(Errc code) { return charged(code) == Charged::unknown ? Errc::unreachable : code; }

}  // namespace

/// Errands that are done, and whose callers sleep: they are woken once the lane flies again.
class Client::Wakes {
 public:
  /// Who drives does not sleep.
  explicit Wakes(const Errand* mine) : mine_(mine) {}
  Wakes(const Wakes&) = delete;
  Wakes& operator=(const Wakes&) = delete;
  ~Wakes() { flush(); }

  void done(const std::shared_ptr<Errand>& errand) {
    errand->state.store(Errand::done, std::memory_order_release);
    const bool sleeps = errand->is_shared || errand.get() != mine_;
    if (sleeps && count_ == errands_.size()) flush();
    if (sleeps) errands_[count_++] = errand;
  }

  void flush() {
    for (; count_ > 0; errands_[count_].reset()) wake_all(errands_[--count_]->state);
  }

 private:
  const Errand* mine_;
  std::array<std::shared_ptr<Errand>, Lanes::kMostErrands> errands_;
  std::size_t count_ = 0;
};

Client::Client(Endpoint endpoint, ClientOptions options)
    : site_(std::move(endpoint), std::move(options.tls), std::move(options.client_name)),
      breaker_(options.failures_to_open, seed()),
      lanes_(options.connections),
      forks_(forks()) {}

// In the child of a fork the connections are still the parent's: to use them would mix up the
// answers of both.
void Client::start_over_if_forked() {
  if (const unsigned now = forks(); now != forks_) {
    forks_ = now;
    lanes_.clear();
    breaker_.start_over(seed());
    site_.resolver.start_over();
  }
}

Failure Client::run(const std::shared_ptr<Errand>& errand, const Deadline& deadline) {
  return bring(deadline, [&] {
    lanes_.enqueue(errand);
    errand->waiting = 1;
    return errand.get();
  });
}

Failure Client::ask(Meeting& meeting, const Question& question, const Deadline& deadline,
                    Answer& answer) {
  return bring(deadline, [&] {
    answer = join(meeting, question);
    return answer.errand.get();
  });
}

/// Sees an errand through to its end that `enqueue`, called under the lock, leaves in the queue with
/// this caller waiting for it.
template <class Enqueue>
Failure Client::bring(const Deadline& deadline, Enqueue enqueue) {
  const auto now = Deadline::Clock::now();
  if (now >= deadline.at()) return Error{Errc::unreachable, "no time was left to ask"};
  if (!breaker_.admits(now, deadline)) return Error{Errc::circuit_open, {}};
  Errand* errand = nullptr;
  Lane* lane = nullptr;
  std::shared_ptr<Errand> driver;
  {
    const std::lock_guard lock(lock_);
    start_over_if_forked();
    errand = enqueue();
    lane = lanes_.depart(now);
    // The lane carries what came first, which need not be this.
    if (lane != nullptr && errand->lane != lane) driver = appoint(*std::exchange(lane, nullptr));
  }
  if (driver) wake_one(driver->state);
  return see_through(*errand, lane, deadline);
}

Answer Client::join(Meeting& meeting, const Question& question) {
  if (meeting.errand && meeting.time == question.time) {
    if (const auto place = meeting.batch->add(question.key, question.charge)) {
      ++meeting.errand->waiting;
      meeting.errand->is_shared = true;
      return {meeting.errand, meeting.batch, *place};
    }
  }
  auto made = meeting.make_batch(question.time);
  ScriptBatch* const batch = made.get();
  const auto place = batch->add(question.key, question.charge).value();
  const auto errand = std::make_shared<Errand>();
  errand->parts.push_back({std::move(made)});
  errand->waiting = 1;
  lanes_.enqueue(errand);
  // Nothing throws from here on.
  if (meeting.errand) meeting.errand->open = nullptr;  // it is full, or of another time
  meeting.errand = errand;
  meeting.batch = batch;
  meeting.time = question.time;
  errand->open = &meeting.errand;
  return {errand, batch, place};
}

/// Waits for the errand, and drives the lane that carries it while nobody else does; at first the
/// one given, if any.
Failure Client::see_through(Errand& errand, Lane* lane, const Deadline& deadline) {
  for (;;) {
    if (lane != nullptr && !drive(*lane, errand, deadline)) return leave(errand, lane);
    lane = nullptr;
    switch (errand.state.load(std::memory_order_acquire)) {
      case Errand::done:
        return outcome(errand);
      case Errand::vacant:
        lane = take_over(errand);
        break;
      default:
        if (!sleep_while(errand.state, Errand::pending, deadline)) return leave(errand, nullptr);
        break;
    }
  }
}

/// Takes the lane that carries the errand, unless another was faster.
Lane* Client::take_over(Errand& errand) {
  const std::lock_guard lock(lock_);
  if (errand.state.load(std::memory_order_relaxed) != Errand::vacant) return nullptr;
  errand.state.store(Errand::pending, std::memory_order_relaxed);
  return errand.lane;
}

/// Ends a caller's wait, with an answer or without. Another takes over the lane that it drives, or
/// that it was asked to drive; where nobody waits for the flight, it is abandoned.
Failure Client::leave(Errand& errand, Lane* lane) {
  bool is_done = false;
  bool is_unheard = false;
  std::shared_ptr<Errand> successor;
  {
    const std::lock_guard lock(lock_);
    const auto state = errand.state.load(std::memory_order_acquire);
    is_done = state == Errand::done;
    if (!is_done) is_unheard = lanes_.give_up(errand);
    if (state == Errand::vacant) {
      errand.state.store(Errand::pending, std::memory_order_relaxed);
      lane = errand.lane;
    }
    if (lane != nullptr) successor = appoint(*lane);
  }
  if (successor) wake_one(successor->state);
  std::string awaited;
  if (lane != nullptr && !successor) awaited = abandon(*lane);
  if (is_done) return outcome(errand);
  return Error{is_unheard ? Errc::unreachable : Errc::timeout, std::move(awaited)};
}

/// Leaves the lane to one of those who wait for its flight; null where nobody does. Requires:
/// lock_ is held.
std::shared_ptr<Errand> Client::appoint(const Lane& lane) {
  auto errand = Lanes::awaited(lane);
  if (errand) errand->state.store(Errand::vacant, std::memory_order_relaxed);
  return errand;
}

/// Gives up a flight that nobody waits for: what may still be answered must not be read as an answer
/// to others. Returns what it has waited for.
std::string Client::abandon(Lane& lane) noexcept {
  std::string awaited;
  try {
    if (lane.link) awaited = lane.link->awaited();
  } catch (const std::bad_alloc&) {
    awaited.clear();  // it is said without
  }
  breaker_.fail(Errc::timeout, lane.departed, Deadline::Clock::now());
  lane.was_heard = false;
  lane.link.reset();
  Wakes wakes(nullptr);
  land(lane, wakes);
  return awaited;
}

/// Drives a lane until its flight is over and it has been given on. Returns false where it must be
/// left before that: the deadline has passed, or there is an answer to `mine` and others' are due.
bool Client::drive(Lane& lane, const Errand& mine, const Deadline& deadline) {
  using Status = Link::Progress::Status;
  Wakes wakes(&mine);
  bool is_late = false;
  try {
    for (connect(lane);;) {
      if (lane.link->is_ready()) brief(lane);
      auto [status, ended, failure] = lane.link->advance(deadline);
      switch (status) {
        case Status::waiting:
          if (is_late || mine.state.load(std::memory_order_relaxed) == Errand::done) return false;
          is_late = deadline.passed();  // the answer may be there all the same
          wakes.flush();
          lane.link->wait(deadline);
          break;
        case Status::ready:
          break;
        case Status::ended:
          hear(lane, *ended, wakes);
          break;
        case Status::failed:
          fail(lane, failure, wakes);
          [[fallthrough]];
        case Status::over:
          lane.link.reset();
          [[fallthrough]];
        case Status::idle:
          land(lane, wakes);
          return true;
      }
    }
  } catch (const std::bad_alloc&) {
    fail(lane, Error{Errc::out_of_memory, {}}, wakes);
    lane.link.reset();
    land(lane, wakes);
    return true;
  }
}

/// Sees to it that the lane has a link, on its way if need be. One that the server has closed while
/// it was idle is made anew. Throws std::bad_alloc.
void Client::connect(Lane& lane) {
  if (lane.is_briefed) return;
  if (lane.link && std::exchange(lane.was_idle, false) && !lane.link->is_quiet()) lane.link.reset();
  if (!lane.link) lane.link = std::make_unique<Link>(site_);
}

/// Asks what the flight is to ask, unless that was done. Throws std::bad_alloc.
void Client::brief(Lane& lane) {
  if (lane.is_briefed) return;
  {
    const std::lock_guard lock(lock_);
    Lanes::send_off(lane);
  }
  for (const auto& errand : lane.flight) {
    ++errand->flights;
    for (const auto& part : errand->parts) {
      if (!part.ended) lane.link->ask(*part.exchange);
    }
  }
  lane.is_briefed = true;
}

/// Takes note that an exchange of the flight has ended. One that another server is to be asked goes
/// along in the next flight, once, on a connection that is made anew.
void Client::hear(Lane& lane, const Exchange& exchange, Wakes& wakes) {
  lane.was_heard = true;
  if (is_outage(exchange.trouble())) lane.outage = exchange.trouble()->code;
  for (const auto& errand : lane.flight) {
    const auto part = std::ranges::find_if(
        errand->parts, [&](const auto& each) { return each.exchange.get() == &exchange; });
    if (part == errand->parts.end()) continue;
    part->ended = !exchange.may_be_repeated() || errand->flights > 1;
    if (std::ranges::all_of(errand->parts, &Errand::Part::ended)) wakes.done(errand);
    return;
  }
}

/// Ends all of the flight that has not ended.
void Client::fail(Lane& lane, const Failure& failure, Wakes& wakes) {
  bool is_any = false;
  for (const auto& errand : lane.flight) {
    if (errand->state.load(std::memory_order_relaxed) == Errand::done) continue;
    is_any = true;
    const bool was_heard = std::ranges::any_of(errand->parts, [&](const auto& part) {
      return !part.ended && lane.link && lane.link->has_sent(*part.exchange);
    });
    errand->failure = copy_of(failure, was_heard ? heard(failure->code) : unheard(failure->code));
    wakes.done(errand);
  }
  lane.was_heard = false;  // what comes now says more
  if (!is_any || failure->code == Errc::out_of_memory) return;
  const auto now = Deadline::Clock::now();
  if (failure->code == Errc::access_denied) {
    breaker_.refuse(lane.departed, now);
  } else {
    breaker_.fail(failure->code, lane.departed, now);
  }
}

/// Has a lane whose flight is over carry what has gathered, and leaves it to one of those who wait
/// for that.
void Client::land(Lane& lane, Wakes& wakes) {
  for (;;) {
    const auto now = Deadline::Clock::now();
    if (lane.was_heard && lane.outage) {
      breaker_.fail(*lane.outage, lane.departed, now);
    } else if (lane.was_heard) {
      breaker_.succeed();
    }
    {
      const std::lock_guard lock(lock_);
      if (!lanes_.depart_again(lane, now)) return;
    }
    if (!take_off(lane, wakes)) continue;
    std::shared_ptr<Errand> driver;
    {
      const std::lock_guard lock(lock_);
      driver = appoint(lane);
    }
    if (driver) {
      wake_one(driver->state);
      return;
    }
    lane.link.reset();  // they have all given up meanwhile
  }
}

/// Sends what a new flight asks, where the connection stands. Returns false where that has ended it.
bool Client::take_off(Lane& lane, Wakes& wakes) try {
  connect(lane);
  if (lane.link->is_ready()) {
    brief(lane);
    lane.link->push();
  }
  return true;
} catch (const std::bad_alloc&) {
  fail(lane, Error{Errc::out_of_memory, {}}, wakes);
  lane.link.reset();
  return false;
}

}  // namespace ratelimit::redis
