// The subjects of bench_redis_scripts: commands sent over and over by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ratelimit/ratelimit.hpp"
#include "redis_wire.hpp"
#include "support.hpp"
#include "support/redis_server.hpp"

namespace ratelimit::bench {

/// Keys on the server have names of so many bytes.
inline constexpr std::size_t kNameSize = 24;

/// The n-th key of `size` bytes. Requires: it has fewer digits.
std::string key_text(std::size_t size, std::size_t number);

/// A script of somebody else.
struct ForeignScript {
  std::string name;
  std::string source;
  std::size_t keys = 1;
  std::vector<std::string> arguments;
};

/// A token bucket as one would write it at home: a hash of what is left and of when that was.
ForeignScript hash_bucket(Outcome outcome);

struct Bench {
  testing::RedisServer& server;
  Wire& wire;
  std::size_t pipeline;  // commands sent together
};

/// Does some decisions. Returns how many. Throws std::runtime_error where one comes out otherwise.
using Step = std::function<std::int64_t()>;

struct Script {
  std::string name;
  std::function<Step()> start;                 // on a server without keys
  std::function<std::string()> remark = {};    // of the state after a round
  std::function<void(std::size_t)> fill = {};  // calls it once for each of so many keys
};

/// Any command that allows whatever it is asked.
Script command_script(const Bench& bench, std::string name, const std::vector<std::string>& words);

Script foreign_script(const Bench& bench, const ForeignScript& foreign);

/// The library's script, one key a call.
Script library_script(const Bench& bench, const std::string& name, const Policy& policy,
                      Outcome outcome);

/// As library_script, on one key that holds what so many calls left there.
Script deep_script(const Bench& bench, const std::string& name, const Policy& policy,
                   Outcome outcome, std::size_t calls);

/// Limiter::allow_many with 64 keys, on one connection.
Script many_script(const Bench& bench, const std::string& name, const Policy& policy,
                   Outcome outcome);

}  // namespace ratelimit::bench
