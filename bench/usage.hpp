// Who used the processors in a span of time: this process, the server, or others on the machine.
#pragma once

#include <sys/types.h>

#include <ctime>

#include "support/redis_server.hpp"

namespace ratelimit::bench {

/// In seconds, since some moment; meant to be subtracted.
struct Usage {
  double wall = 0;
  double client = 0;  // this process, all its threads
  double server = 0;
  double others = 0;  // the kernel's own work for none of them is theirs too

  Usage operator-(const Usage& earlier) const {
    return {wall - earlier.wall, client - earlier.client, server - earlier.server,
            others - earlier.others};
  }
};

class Meter {
 public:
  explicit Meter(testing::RedisServer& server);

  [[nodiscard]] Usage now() const;

 private:
  clockid_t server_;
};

/// The number that INFO gives as `field` of `section`.
double server_info(testing::RedisServer& server, const std::string& section,
                   const std::string& field);

}  // namespace ratelimit::bench
