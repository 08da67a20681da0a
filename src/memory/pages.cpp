#include "memory/pages.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <new>

namespace ratelimit::memory {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

// From here on a table costs more in misses of the address cache than a huge page costs to clear.
constexpr std::size_t kWorthHugePages = 2 * kHugePage;

}  // namespace

// Huge pages start at multiples of their size: what is mapped before the first one is never
// touched.
Pages::Pages(std::size_t bytes, [[maybe_unused]] Use use) : bytes_(bytes + kHugePage) {
  mapped_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped_ == MAP_FAILED) throw std::bad_alloc();
  const auto start = reinterpret_cast<std::uintptr_t>(mapped_);
  data_ = static_cast<std::byte*>(mapped_) + (kHugePage - start % kHugePage) % kHugePage;
#ifdef MADV_HUGEPAGE
  if (use == Use::dense && bytes >= kWorthHugePages) (void)::madvise(data_, bytes, MADV_HUGEPAGE);
#endif
}

Pages::~Pages() { (void)::munmap(mapped_, bytes_); }

}  // namespace ratelimit::memory
