#include "support/failing_new.hpp"

#include <cstdlib>
#include <new>

namespace ratelimit::testing {
namespace {

constexpr std::int64_t kOff = -1;

// Allocations that still succeed, of this thread alone: a test's own threads are not disturbed.
thread_local std::int64_t left = kOff;
thread_local bool has_failed = false;
thread_local std::int64_t calls = 0;

}  // namespace

FailingAllocation::FailingAllocation(std::int64_t successes) noexcept {
  left = successes;
  has_failed = false;
}

FailingAllocation::~FailingAllocation() { left = kOff; }

// An instance method, though what it tells is the thread's: it means nothing without one.
bool FailingAllocation::failed() const noexcept { return has_failed; }  // NOLINT

std::int64_t allocations() noexcept { return calls; }

namespace {

void* allocate(std::size_t size) {
  ++calls;
  if (left == 0) {
    left = kOff;
    has_failed = true;
    throw std::bad_alloc();
  }
  if (left > 0) --left;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace
}  // namespace ratelimit::testing

// NOLINTBEGIN(misc-new-delete-overloads)
void* operator new(std::size_t size) { return ratelimit::testing::allocate(size); }
void* operator new[](std::size_t size) { return ratelimit::testing::allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
// NOLINTEND(misc-new-delete-overloads)
