// A server that misbehaves as it is told: what a peer may do to a client that only a scripted one
// does on demand.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <thread>

namespace ratelimit::testing {

/// One accepted connection, as the script that serves it sees it. Every method that waits ends when
/// the server is stopped or the client has gone.
class Peer {
 public:
  Peer(int fd, int stop_fd) : fd_(fd), stop_fd_(stop_fd) {}

  /// Waits until the client has said something, and takes it. Returns whether it did.
  bool listen();

  /// Sends `bytes`. Returns whether the client took them all.
  bool say(std::string_view bytes);

  /// Sends `bytes` one at a time with a pause before each.
  void drip(std::string_view bytes, std::chrono::milliseconds pause);

  /// Sends `bytes` again and again, `total` bytes in all or until the client has gone.
  void flood(std::string_view bytes, std::size_t total);

  /// Takes what the client says and answers nothing, until it has gone.
  void hang();

  /// Neither reads nor answers until the server is stopped.
  void ignore() const;

  /// Closes at once and throws away what is unread: the client sees a reset.
  void reset() const;

  /// What the client has said so far.
  [[nodiscard]] const std::string& heard() const { return heard_; }

 private:
  enum class Wait : unsigned char { ready, quiet, over };
  [[nodiscard]] Wait wait_for(short events, int milliseconds) const;

  int fd_;
  int stop_fd_;
  std::string heard_;
};

/// Listens on a loopback address, on a free port unless given, and runs `script` for each
/// connection, on a thread of its own.
class ScriptedServer {
 public:
  using Script = std::function<void(Peer&)>;

  explicit ScriptedServer(Script script, const std::string& address = "127.0.0.1", int port = 0);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int accepted() const { return accepted_.load(); }

 private:
  void accept_all();

  Script script_;
  int listener_ = -1;
  int stop_fd_ = -1;  // becomes readable when the server stops, and stays so
  int port_ = 0;
  std::atomic<int> accepted_ = 0;
  std::list<std::thread> conversations_;  // of the accepting thread, until it has ended
  std::thread acceptor_;
};

/// A port on which nobody listens: connections are refused.
std::string refused_url();

/// A listener whose backlog is full: connecting to it hangs.
class FullBacklog {
 public:
  explicit FullBacklog(const std::string& address = "127.0.0.1");
  ~FullBacklog();
  FullBacklog(const FullBacklog&) = delete;
  FullBacklog& operator=(const FullBacklog&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }

 private:
  int listener_ = -1;
  int port_ = 0;
  std::list<int> waiting_;
};

}  // namespace ratelimit::testing
