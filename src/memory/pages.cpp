#include "memory/pages.hpp"

#include <sys/mman.h>

#include <new>

namespace ratelimit::memory {
namespace {

// From here on a table costs more in misses of the address cache than a huge page costs to clear.
constexpr std::size_t kWorthHugePages = std::size_t{4} << 20;

}  // namespace

Pages::Pages(std::size_t bytes)
    : bytes_(bytes),
      data_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
  if (data_ == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (bytes >= kWorthHugePages) (void)::madvise(data_, bytes, MADV_HUGEPAGE);
#endif
}

Pages::~Pages() { (void)::munmap(data_, bytes_); }

}  // namespace ratelimit::memory
