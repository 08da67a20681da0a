// Holds the in-memory backend to account.
#include "conformance/backend_under_test.hpp"
#include "ratelimit/memory.hpp"

namespace ratelimit::testing {

std::shared_ptr<Backend> fresh_backend(const std::shared_ptr<const Clock>& clock) {
  return make_memory_backend({.clock = clock}).value();
}

std::int64_t usual_decisions() { return 500'000; }

}  // namespace ratelimit::testing
