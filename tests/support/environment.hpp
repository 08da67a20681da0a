// What whoever runs the tests may set for them.
#pragma once

#include <cstdlib>
#include <string>

namespace ratelimit::testing {

/// The value of an environment variable, or `otherwise` where it is not set. No test changes any.
inline std::string environment(const char* variable, const char* otherwise = "") {
  const char* const value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): see above
  return value != nullptr ? value : otherwise;
}

}  // namespace ratelimit::testing
