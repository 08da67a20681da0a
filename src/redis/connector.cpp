#include "redis/connector.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace ratelimit::redis {

Failure Connector::advance(Socket& socket, const Deadline& deadline) {
  if (addresses_.empty()) {
    if (auto failure = resolve(deadline)) return failure;
    if (addresses_.empty()) return std::nullopt;
  }
  for (; tried_ < addresses_.size(); ++tried_) {
    switch (try_address(socket, deadline)) {
      case Status::done:
        is_done_ = true;
        site_.good_address.store((first_ + tried_) % addresses_.size(), std::memory_order_relaxed);
        site_.connects.fetch_add(1, std::memory_order_relaxed);
        return std::nullopt;
      case Status::pending:
      case Status::busy:
        return std::nullopt;
      case Status::failed:
        is_pending_ = false;
        attempt_.reset();
        break;
    }
  }
  site_.resolver.distrust();
  return Error{Errc::unreachable,
               fmt::format("connecting to {}: {}", site_.endpoint.name(), error_text(trouble_))};
}

Failure Connector::resolve(const Deadline& deadline) {
  auto found = site_.resolver.resolve(deadline);
  if (!found && deadline.passed()) {  // whoever has more time may go on waiting
    events_ = 0;
    until_ = deadline;
    return std::nullopt;
  }
  if (!found) return found.error();
  addresses_ = *std::move(found);
  first_ = site_.good_address.load(std::memory_order_relaxed);
  return std::nullopt;
}

Connector::Status Connector::try_address(Socket& socket, const Deadline& deadline) {
  constexpr auto kPause = std::chrono::microseconds(200);  // a full queue is asked again
  // One that hangs must leave time for the others; the last one may take what there is.
  const bool is_last = tried_ + 1 == addresses_.size();
  if (!attempt_ && !is_last) attempt_ = deadline.share(addresses_.size() - tried_);
  if (attempt_ && attempt_->passed()) {
    trouble_ = ETIMEDOUT;
    return Status::failed;
  }
  const auto& address = addresses_[(first_ + tried_) % addresses_.size()];
  const auto [status, error] =
      is_pending_ ? socket.finish_connect() : socket.start_connect(address);
  trouble_ = error;
  is_pending_ = status == Status::pending;
  events_ = is_pending_ ? POLLOUT : 0;
  until_ = attempt_.value_or(deadline);
  if (status == Status::busy) until_ = until_->or_sooner(Deadline(kPause));
  return status;
}

}  // namespace ratelimit::redis
