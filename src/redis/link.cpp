#include "redis/link.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace ratelimit::redis {
namespace {

using Status = Link::Progress::Status;

Link::Progress failed(Failure failure) {
  return {.status = Status::failed, .failure = std::move(failure)};
}

}  // namespace

Link::Link(Site& site)
    : site_(site), connector_(site), handshake_(site.endpoint, site.client_name) {}

Link::Progress Link::advance(const Deadline& deadline) {
  switch (state_) {
    case State::connecting:
      return connect(deadline);
    case State::opening:
      return open();
    case State::logging_in:
    case State::ready:
      break;
  }
  return talk();
}

void Link::push() {
  if (state_ == State::ready) (void)send();
}

void Link::wait(const Deadline& deadline) {
  const bool is_connecting = state_ == State::connecting;
  const short found =
      socket_.wait_for(events_, is_connecting ? deadline.or_sooner(connector_.until()) : deadline);
  constexpr short kTrouble = ~(POLLIN | POLLOUT);  // shows in the next transfer
  if ((found & (receive_waits_ | kTrouble)) != 0) receive_waits_ = 0;
  if ((found & (send_waits_ | kTrouble)) != 0) send_waits_ = 0;
}

bool Link::has_sent(const Exchange& exchange) const {
  return state_ == State::ready && pipeline_.has_sent(exchange);
}

bool Link::is_quiet() {
  char byte = 0;
  return transport().receive(&byte, 1).status == IoStep::Status::want_read;
}

Link::Progress Link::connect(const Deadline& deadline) {
  if (auto failure = connector_.advance(socket_, deadline)) return failed(std::move(failure));
  events_ = connector_.events();
  if (!connector_.is_done()) return {};
  if (site_.tls) session_ = site_.tls->over(socket_.fd(), site_.endpoint.host);
  state_ = State::opening;
  return open();
}

Link::Progress Link::open() {
  IoStep opened = transport().open();
  switch (opened.status) {
    case IoStep::Status::want_read:
    case IoStep::Status::want_write:
      events_ = opened.status == IoStep::Status::want_read ? POLLIN : POLLOUT;
      opening_ = std::move(opened.text);
      return {};
    case IoStep::Status::closed:
      return failed(Error{Errc::unreachable, "the server closed the connection"});
    case IoStep::Status::failed:
      return failed(Error{Errc::unreachable, opened.text});
    case IoStep::Status::done:
      break;
  }
  state_ = State::logging_in;
  return pipeline_.ask(handshake_) ? talk() : end_login();
}

/// Lets those speak who have waited for it.
Link::Progress Link::end_login() {
  if (handshake_.failure()) {
    const Error& why = *handshake_.failure();
    return failed(Error{why.code, "logging in: " + why.message});
  }
  if (!pipeline_.ended_well()) {
    return failed(Error{Errc::unreachable, "logging in: more answers than commands"});
  }
  state_ = State::ready;
  return {.status = Status::ready};
}

Link::Progress Link::talk() {
  for (;;) {
    if (auto failure = send()) return failed(std::move(failure));
    Exchange* ended = nullptr;
    switch (pipeline_.next(ended)) {
      case Pipeline::Status::ended:
        if (ended == &handshake_) return end_login();
        return {.status = Status::ended, .exchange = ended};
      case Pipeline::Status::broken:
        return failed(
            error(Errc::protocol_error, "the server sent what is no reply, or too large a one"));
      case Pipeline::Status::incomplete:
        break;
    }
    if (!pipeline_.awaits()) {
      // A session may hold what the socket does not show.
      receive_waits_ = session_ ? 0 : POLLIN;
      return {.status = pipeline_.ended_well() ? Status::idle : Status::over};
    }
    if (send_waits_ == 0 && !pipeline_.unsent().empty()) continue;  // said to what was heard
    events_ = static_cast<short>(receive_waits_ | send_waits_);
    if (receive_waits_ != 0) return {};
    if (auto failure = receive()) return failed(std::move(failure));
  }
}

/// Sends what there is to send, or as much as the peer takes now.
Failure Link::send() {
  while (send_waits_ == 0 && !pipeline_.unsent().empty()) {
    const IoStep sent = transport().send(pipeline_.unsent());
    switch (sent.status) {
      case IoStep::Status::done:
        pipeline_.mark_sent(sent.bytes);
        break;
      case IoStep::Status::want_write:
        send_waits_ = POLLOUT;
        break;
      case IoStep::Status::want_read:
        send_waits_ = POLLIN;
        break;
      case IoStep::Status::closed:
      case IoStep::Status::failed:
        return error(Errc::connection_lost, "sending: " + sent.text);
    }
  }
  return std::nullopt;
}

Failure Link::receive() {
  std::array<char, 16384> buffer;
  const IoStep received = transport().receive(buffer.data(), buffer.size());
  switch (received.status) {
    case IoStep::Status::done:
      pipeline_.feed(std::string_view(buffer.data(), received.bytes));
      break;
    case IoStep::Status::want_read:
      receive_waits_ = POLLIN;
      break;
    case IoStep::Status::want_write:
      receive_waits_ = POLLOUT;
      break;
    case IoStep::Status::closed:
      return error(Errc::connection_lost, "the server closed the connection");
    case IoStep::Status::failed:
      return error(Errc::connection_lost, "receiving: " + received.text);
  }
  return std::nullopt;
}

/// What the login leaves open, those who wait for it do not: they have not spoken.
Error Link::error(Errc code, std::string message) const {
  if (state_ == State::ready) return {code, std::move(message)};
  return {Errc::unreachable, "logging in: " + std::move(message)};
}

std::string Link::awaited() const {
  switch (state_) {
    case State::connecting:
      return fmt::format("connecting to {}: no answer within the timeout", site_.endpoint.name());
    case State::opening:
      return opening_;
    case State::logging_in:
      return "logging in: no answer within the timeout";
    case State::ready:
      break;
  }
  return "no answer within the timeout";
}

}  // namespace ratelimit::redis
