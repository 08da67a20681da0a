// A place for one key: its tag and its state, which change together or not at all.
#pragma once

#include <atomic>
#include <cstdint>

namespace ratelimit::memory {

/// What a place holds. Tag 0: nobody.
struct Cell {
  std::uint64_t tag;
  std::uint64_t word;
  bool operator==(const Cell&) const = default;
};

/// Every access is sequentially consistent: the proof that no key ever has two places (see
/// reach.hpp) needs one order of all claims. On x86-64 that costs a load nothing.
class alignas(16) Place {
 public:
  [[nodiscard]] std::uint64_t tag() const noexcept { return tag_.load(); }
  [[nodiscard]] std::uint64_t word() const noexcept { return word_.load(); }

  /// Both, as they were at one instant.
  [[nodiscard]] Cell load() const noexcept;

  /// Puts `next` here if `now` is what is here. Returns whether it was.
  [[gnu::always_inline]] bool replace(const Cell& now, const Cell& next) noexcept {
#if defined(__x86_64__)
    return __sync_bool_compare_and_swap(both(), as_both(now), as_both(next));  // never a call
#else
    Both expected = as_both(now);
    return __atomic_compare_exchange_n(both(), &expected, as_both(next), false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
#endif
  }

 private:
  __extension__ typedef unsigned __int128 __attribute__((may_alias)) Both;

  [[nodiscard]] Both* both() const noexcept {
    return reinterpret_cast<Both*>(const_cast<Place*>(this));
  }
  static Both as_both(const Cell& cell) noexcept { return Both{cell.word} << 64 | cell.tag; }

  std::atomic<std::uint64_t> tag_ = 0;
  std::atomic<std::uint64_t> word_ = 0;
};
static_assert(sizeof(Place) == 16);

inline Cell Place::load() const noexcept {
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
  // Intel and AMD promise that an aligned load of 16 bytes is one access wherever there is AVX.
  if (__builtin_cpu_supports("avx")) [[likely]] {
    using Words = std::uint64_t __attribute__((vector_size(16)));
    Words words;
    __asm__ volatile("movdqa %1, %0" : "=x"(words) : "m"(*both()) : "memory");
    return {words[0], words[1]};
  }
#endif
#if defined(__x86_64__)
  const Both both = __sync_val_compare_and_swap(this->both(), 0, 0);
#else
  const Both both = __atomic_load_n(this->both(), __ATOMIC_SEQ_CST);
#endif
  return {static_cast<std::uint64_t>(both), static_cast<std::uint64_t>(both >> 64)};
}

}  // namespace ratelimit::memory
