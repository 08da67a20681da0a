// One server for a whole program of tests, empty at the start of each.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ratelimit/redis.hpp"
#include "support/policies.hpp"
#include "support/redis_server.hpp"
#include "support/test_names.hpp"

namespace ratelimit::testing {

inline RedisServer& server() {
  static RedisServer shared;
  return shared;
}

/// For tests that are not about deadlines: a busy machine must not fail them.
inline constexpr Duration kAmple = std::chrono::seconds(30);

inline RedisOptions options_for(const std::string& url) { return {.url = url, .timeout = kAmple}; }

inline std::shared_ptr<Backend> backend_with(RedisOptions options) {
  return make_redis_backend(std::move(options)).value();
}

/// The name of a limiter's key on the server, as lua/ and the README describe it. Requires: a name
/// without ':' and '%'.
inline std::string state_key(const Policy& policy, std::string_view key,
                             std::string_view name = "test") {
  constexpr const char* kTags[] = {"t2", "l2", "f2", "s2", "c2"};
  return std::string("rl:")
      .append(kTags[policy.index()])
      .append(":")
      .append(name)
      .append(":")
      .append(key);
}

/// What the server keeps for a key, byte by byte, and until when (in ms of Unix time; -1: for ever,
/// -2: nothing is kept).
struct Kept {
  std::string bytes;
  std::int64_t until_ms;
  bool operator==(const Kept&) const = default;
};

class WithServer {
 protected:
  WithServer() { server().flush(); }

  static Kept kept(const std::string& state_key) {
    return {server().command({"DUMP", state_key}).text,
            server().command({"PEXPIRETIME", state_key}).integer};
  }

  /// The server's time, in us.
  static std::int64_t server_time() {
    const RespReply time = server().command({"TIME"});
    return std::stoll(time.list.at(0).text) * 1'000'000 + std::stoll(time.list.at(1).text);
  }

  std::shared_ptr<Limiter> limiter(const Policy& policy, LimiterOptions options = {}) {
    return backend_->make_limiter("test", policy, options).value();
  }

  std::shared_ptr<Backend> backend_ = backend_with(options_for(server().url()));
};

class OnServer : public WithServer, public ::testing::Test {};
class OnServerByKind : public WithServer, public ::testing::TestWithParam<Policy> {};

}  // namespace ratelimit::testing
