#include "redis/client.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "redis/handshake.hpp"

namespace ratelimit::redis {

class Client::Lease {
 public:
  explicit Lease(Client& client) : client_(client) {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  /// Waits for its turn. Returns whether it came before the deadline.
  bool take(const Deadline& deadline) {
    std::unique_lock lock(client_.mutex_);
    client_.start_over_if_forked();
    held_ = client_.returned_.wait_until(
        lock, deadline.at(), [this] { return client_.leased_ < client_.max_connections_; });
    if (!held_) return false;
    ++client_.leased_;
    if (!client_.idle_.empty()) {
      connection = std::move(client_.idle_.back());
      client_.idle_.pop_back();
    }
    return true;
  }

  ~Lease() {
    if (!held_) return;
    if (connection && !connection->ended_well()) connection.reset();
    {
      const std::lock_guard lock(client_.mutex_);
      --client_.leased_;
      if (connection) client_.idle_.push_back(std::move(connection));  // reserved: cannot throw
    }
    client_.returned_.notify_one();
  }

  std::unique_ptr<Connection> connection;

 private:
  Client& client_;
  bool held_ = false;
};

Client::Client(Endpoint endpoint, std::string client_name, std::size_t max_connections)
    : endpoint_(std::move(endpoint)),
      client_name_(std::move(client_name)),
      max_connections_(max_connections),
      resolver_(endpoint_),
      pid_(getpid()) {
  idle_.reserve(max_connections);
}

Failure Client::run(Exchange& exchange, const Deadline& deadline) {
  Lease lease(*this);
  if (!lease.take(deadline)) {
    return Error{Errc::unreachable,
                 fmt::format("all {} connections were busy until the timeout", max_connections_)};
  }
  // One that has been idle may have been closed by the server since.
  if (lease.connection && !lease.connection->is_quiet()) lease.connection.reset();
  if (!lease.connection) {
    if (auto failure = open(lease.connection, deadline)) return failure;
  }
  return lease.connection->run(exchange, deadline);
}

// In the child of a fork the connections are still the parent's: to use them would mix up the
// answers of both.
void Client::start_over_if_forked() {
  if (const pid_t pid = getpid(); pid != pid_) {
    pid_ = pid;
    leased_ = 0;
    idle_.clear();
    resolver_.start_over();
  }
}

Failure Client::open(std::unique_ptr<Connection>& connection, const Deadline& deadline) {
  const auto addresses = resolver_.resolve(deadline);
  if (!addresses) return addresses.error();
  const std::size_t count = addresses->size();
  const std::size_t first = good_address_.load(std::memory_order_relaxed);
  IoResult connected;
  for (std::size_t i = 0; i < count && !deadline.passed(); ++i) {
    const std::size_t at = (first + i) % count;
    Socket socket;
    // One that hangs must leave time for the others.
    connected = socket.connect((*addresses)[at], deadline.share(count - i));
    if (!connected.ok()) continue;
    good_address_.store(at, std::memory_order_relaxed);
    connects_.fetch_add(1, std::memory_order_relaxed);
    auto opened = std::make_unique<Connection>(std::move(socket));
    if (auto failure = log_in(*opened, deadline)) return failure;
    connection = std::move(opened);
    return std::nullopt;
  }
  resolver_.distrust();
  return Error{Errc::unreachable,
               fmt::format("connecting to {}: {}", endpoint_.name(), connected.text())};
}

Failure Client::log_in(Connection& connection, const Deadline& deadline) {
  Handshake handshake(endpoint_, client_name_);
  auto failure = connection.run(handshake, deadline);
  if (!failure && !handshake.failure() && !connection.ended_well()) {
    failure = Error{Errc::protocol_error, "more answers than commands"};
  }
  if (!failure) return std::move(handshake.failure());
  // What the handshake leaves open, the caller's exchange does not: it was never sent.
  failure->code = Errc::unreachable;
  failure->message = "logging in: " + failure->message;
  return failure;
}

}  // namespace ratelimit::redis
