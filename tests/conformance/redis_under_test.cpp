// Holds the Redis backend, and with it the scripts, to account: on one server for the whole
// program.
#include "conformance/backend_under_test.hpp"
#include "ratelimit/redis.hpp"
#include "support/redis_server.hpp"

namespace ratelimit::testing {

std::shared_ptr<Backend> fresh_backend(const std::shared_ptr<const Clock>& clock) {
  static RedisServer server;
  server.flush();
  // These tests are about answers, not about deadlines: a busy machine must not fail them. What would
  // answer here, were the server away, needs little room, and statistics read all of it.
  return make_redis_backend({.url = server.url(),
                             .timeout = std::chrono::seconds(30),
                             .clock = clock,
                             .local_max_keys = 1000})
      .value();
}

std::int64_t usual_decisions() { return 60'000; }

}  // namespace ratelimit::testing
