// Memory straight from the system: zero, aligned to a page, and not there until it is touched.
#pragma once

#include <cstddef>

namespace ratelimit::memory {

class Pages {
 public:
  /// Throws std::bad_alloc.
  explicit Pages(std::size_t bytes);
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
