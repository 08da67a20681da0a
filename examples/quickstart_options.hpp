// The command line of the quickstart.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ratelimit/policy.hpp"

namespace examples {

struct NamedPolicy {
  std::string_view name;
  ratelimit::Policy policy;
};

struct Options {
  std::vector<NamedPolicy> policies;  // one or all
  std::string limit;                  // in words
  std::string redis_url;              // empty: in memory
  std::string log;                    // "-": standard input
};

/// Reads the arguments. Where they can't be used, or ask for help, says so and returns nothing;
/// `exit_code` is then what to end with.
std::optional<Options> read_options(int argc, const char* const* argv, int& exit_code);

}  // namespace examples
