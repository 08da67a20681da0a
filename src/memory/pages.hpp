// Memory straight from the system: zero, aligned to a page, and not there until it is touched.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ratelimit::memory {

/// How memory is going to be used: much of it, or here and there. What is used densely comes in
/// huge pages where there is enough of it.
enum class Use : std::uint8_t { dense, sparse };

class Pages {
 public:
  /// Throws std::bad_alloc.
  explicit Pages(std::size_t bytes, Use use = Use::dense);
  ~Pages();
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  [[nodiscard]] void* data() const { return data_; }

 private:
  std::size_t bytes_;
  void* mapped_;
  void* data_;
};

}  // namespace ratelimit::memory
