// The keys that the benchmarks of the memory path bring, and the order in which they come.
//
// A service has just read the key of a request, so it lies in the cache. Here a key's text is
// prefetched some decisions before its turn, so that what is measured is the decision and not how
// long it takes to fetch 20 to 320 MB of texts in no order: that would cost every subject the same,
// and make slow ones look less slow than they are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ratelimit::bench {

enum class Law : std::uint8_t { uniform, zipf };

struct KeySetName {
  const char* text;
  std::size_t count;
  Law law;  // zipf: the n-th key comes 1/n times as often as the first
};

inline constexpr KeySetName kHot{"hot", 1, Law::uniform};
inline constexpr KeySetName kThousand{"1k", 1'000, Law::uniform};
inline constexpr KeySetName kMillion{"1M", 1'000'000, Law::uniform};
inline constexpr KeySetName kMillionZipf{"1M_zipf", 1'000'000, Law::zipf};
inline constexpr KeySetName kTenMillion{"10M", 10'000'000, Law::uniform};

/// A key of 21 characters, as an account and a path might make them, in one cache line.
struct alignas(32) KeyText {
  [[nodiscard]] std::string_view view() const { return {text.data(), 21}; }

  /// Becomes the key after this one, of a billion, in a nanosecond or two.
  void count_up() {
    std::size_t digit = 13;
    while (text[digit] == '9') text[digit--] = '0';
    ++text[digit];
  }

  std::array<char, 22> text{"user:000000000:basket"};
};

class KeySet {
 public:
  explicit KeySet(const KeySetName& name);

  [[nodiscard]] std::size_t count() const { return texts_.size(); }
  [[nodiscard]] std::span<const KeyText> keys() const { return texts_; }

 private:
  friend class Walk;

  std::vector<KeyText> texts_;
  std::vector<std::uint32_t> order_;  // drawn beforehand, the same for all; a power of 2 of them
};

/// The set of that name, made when it is first asked for. Thread safety: any thread.
const KeySet& key_set(const KeySetName& name);

/// Walks through a set in its order, for ever. Less than a nanosecond a step.
class Walk {
 public:
  /// Every thread starts elsewhere.
  Walk(const KeySet& keys, int thread)
      : texts_(keys.texts_.data()),
        order_(keys.order_.data()),
        last_(keys.order_.size() - 1),
        at_(keys.order_.size() / 16 * static_cast<std::size_t>(thread)) {}

  std::string_view next() {
    __builtin_prefetch(&texts_[order_[(at_ + kAhead) & last_]]);
    return texts_[order_[at_++ & last_]].view();
  }

 private:
  static constexpr std::size_t kAhead = 64;

  const KeyText* texts_;
  const std::uint32_t* order_;
  std::size_t last_;
  std::size_t at_;
};

}  // namespace ratelimit::bench
