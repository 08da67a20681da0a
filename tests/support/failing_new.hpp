// Counts the allocations of this thread, and makes the N-th fail. Linking failing_new.cpp into a
// program replaces its operator new.
#pragma once

#include <cstdint>

namespace ratelimit::testing {

/// While it lives, the allocation after `successes` further ones throws std::bad_alloc; later ones
/// succeed again.
class FailingAllocation {
 public:
  explicit FailingAllocation(std::int64_t successes) noexcept;
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;
  ~FailingAllocation();

  /// Whether an allocation has failed.
  [[nodiscard]] bool failed() const noexcept;
};

/// How often this thread has called operator new.
std::int64_t allocations() noexcept;

}  // namespace ratelimit::testing
