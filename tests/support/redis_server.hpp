// A real Redis server for the length of a test, or of a test program.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "support/resp_client.hpp"

namespace ratelimit::testing {

/// What a server that speaks TLS is told of: files in PEM form.
struct TlsFiles {
  std::string ca;
  std::string certificate;
  std::string key;
};

/// Starts redis-server on a free loopback port and on a unix socket, in a fresh folder, with
/// nothing kept on disk, and waits until it answers. Ends it and removes the folder when it goes.
///
/// The program is the one that RATELIMIT_REDIS_SERVER names, else redis-server in PATH. Where there
/// is none, or it does not start, the constructor throws std::runtime_error with what to do.
class RedisServer {
 public:
  /// `arguments` are appended to the server's command line, as in {"--maxclients", "10"}.
  explicit RedisServer(std::vector<std::string> arguments = {});

  /// The port speaks TLS and nothing else; clients need no certificate unless `arguments` say so.
  /// The unix socket stays plain.
  RedisServer(const TlsFiles& files, std::vector<std::string> arguments);
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const {
    return scheme_ + "://127.0.0.1:" + std::to_string(port_);
  }
  [[nodiscard]] std::string socket_path() const { return (folder_ / "redis.sock").string(); }
  [[nodiscard]] std::string unix_url() const { return "unix://" + socket_path(); }

  /// A connection of the test's own, as the default user; opened when first asked for.
  [[nodiscard]] RespClient& client();

  /// Sends a command on it. Throws std::runtime_error for an error reply.
  RespReply command(const std::vector<std::string>& words) { return client().expect(words); }

  /// Forgets all keys; scripts stay.
  void flush() { command({"FLUSHALL"}); }

  /// All keys of database 0, in no order.
  std::vector<std::string> keys();

  /// Ends the server at once, as a crash would (SIGKILL).
  void kill();

  /// Starts it again on the same port, with nothing kept. Requires: it is not running.
  void start();

  /// Holds the server (SIGSTOP) and lets it go on (SIGCONT).
  void pause() const;
  void resume() const;

 private:
  void start_on_a_free_port();
  bool try_start(int port);
  [[nodiscard]] bool wait_until_it_answers();
  [[nodiscard]] bool has_ended();
  void stop();
  [[nodiscard]] std::string log() const;

  std::string scheme_ = "redis";
  std::string port_option_ = "--port";
  std::vector<std::string> arguments_;
  std::filesystem::path program_;
  std::filesystem::path folder_;
  int port_ = 0;
  pid_t pid_ = -1;
  std::unique_ptr<RespClient> client_;
};

}  // namespace ratelimit::testing
