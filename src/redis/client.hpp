// A server as its callers see it: they share a few connections, and do the work of that themselves.
//
// A caller who finds a lane free drives it: it connects if need be, sends, waits, reads. Who finds
// none free joins those whose question may travel with its own, or waits behind them, and sleeps.
// Who ends a flight has the lane carry what has gathered meanwhile, sends that, and wakes one of
// those who wait for it to do the reading. So a lone caller hands nothing over, batches form by
// themselves, and no thread is needed but those of the callers.
//
// Each caller keeps its own deadline. One that gives up leaves the lane to another who waits for the
// same flight; what arrives for it is read and dropped. Once nobody waits, the connection is closed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "redis/breaker.hpp"
#include "redis/brief_lock.hpp"
#include "redis/deadline.hpp"
#include "redis/errand.hpp"
#include "redis/failure.hpp"
#include "redis/lanes.hpp"
#include "redis/script.hpp"
#include "redis/script_batch.hpp"
#include "redis/site.hpp"

namespace ratelimit::redis {

/// What is asked of a script.
struct Question {
  std::string_view key;  // on the server
  std::int64_t charge;
  std::optional<Micros> time;  // none: the server's
};

/// A limiter's way to its script, and where those meet who ask it at the same time.
struct Meeting {
  const Script& script;
  std::size_t fields;                     // that it replies for each key
  std::vector<std::int64_t> terms;        // that it is told, where the time is the server's
  std::vector<std::int64_t> timed_terms;  // and where it is told the time

  /// An empty batch for questions of that time. Throws std::bad_alloc.
  [[nodiscard]] std::unique_ptr<ScriptBatch> make_batch(std::optional<Micros> now) const {
    return std::make_unique<ScriptBatch>(script, now ? timed_terms : terms, fields, now);
  }

  // The client's own:
  std::shared_ptr<Errand> errand;  // in the queue; null: none
  ScriptBatch* batch = nullptr;    // the errand's only part
  std::optional<Micros> time;      // the batch's
};

/// Where an answer is to be found.
struct Answer {
  std::shared_ptr<Errand> errand;
  const ScriptBatch* batch = nullptr;  // the errand's
  ScriptBatch::Place place;            // in the batch
};

struct ClientOptions {
  std::shared_ptr<const TlsContext> tls;  // null: none is spoken
  std::string client_name;
  std::size_t connections = 1;        // the most that are ever open
  std::int64_t failures_to_open = 0;  // of the breaker
};

/// What a server says is not its to do (READONLY, MASTERDOWN), and so was not done, is asked once more
/// on a new connection, which may lead to another server.
///
/// Thread safety: all methods may be called from any thread.
/// After a fork the child opens connections of its own. Requires: no call is under way in another
/// thread while the process forks.
class Client {
 public:
  Client(Endpoint endpoint, ClientOptions options);

  /// Brings an errand of the caller's own to its end.
  ///
  /// Blocks: until the deadline at most. Errors: Errc::circuit_open; Errc::unreachable where it was
  /// not sent; Errc::timeout, connection_lost or protocol_error where it was; what the server did
  /// not let us in with. Throws std::bad_alloc, and then nothing was sent.
  Failure run(const std::shared_ptr<Errand>& errand, const Deadline& deadline);

  /// Asks a limiter's script, in a call with others who ask the same limiter or in one of its own.
  /// Errors and exceptions: as `run`.
  Failure ask(Meeting& meeting, const Question& question, const Deadline& deadline, Answer& answer);

  /// Connections opened so far.
  [[nodiscard]] std::uint64_t connects() const {
    return site_.connects.load(std::memory_order_relaxed);
  }

  [[nodiscard]] const Breaker& breaker() const { return breaker_; }

 private:
  class Wakes;

  void start_over_if_forked();  // requires: lock_ is held
  template <class Enqueue>
  Failure bring(const Deadline& deadline, Enqueue enqueue);
  Answer join(Meeting& meeting, const Question& question);  // likewise

  Failure see_through(Errand& errand, Lane* lane, const Deadline& deadline);
  Lane* take_over(Errand& errand);
  Failure leave(Errand& errand, Lane* lane);
  static std::shared_ptr<Errand> appoint(const Lane& lane);
  std::string abandon(Lane& lane) noexcept;

  bool drive(Lane& lane, const Errand& mine, const Deadline& deadline);
  void connect(Lane& lane);
  void brief(Lane& lane);
  void hear(Lane& lane, const Exchange& exchange, Wakes& wakes);
  void fail(Lane& lane, const Failure& failure, Wakes& wakes);
  void land(Lane& lane, Wakes& wakes);
  bool take_off(Lane& lane, Wakes& wakes);

  Site site_;
  Breaker breaker_;
  BriefLock lock_;
  Lanes lanes_;     // guarded by lock_
  unsigned forks_;  // guarded by lock_; of the process whose connections these are
};

}  // namespace ratelimit::redis
