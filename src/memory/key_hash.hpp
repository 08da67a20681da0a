// A keyed hash: tells keys apart by 128 bits that nobody outside the process can predict.
//
// Two independent sums of products (NH, of UMAC: RFC 4418) over the key, its length and its space,
// each mixed into 64 bits. Every constant is random and secret: against a multiply hash whose
// constants are known, keys can be made that collide under any seed. Keys of up to 32 bytes take
// six multiplications that do not wait for each other and two that do; longer ones are absorbed in
// steps of 16 bytes first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ratelimit::memory {

/// Keeps the keys of limiters apart: limiters with one space share their keys.
enum class Space : std::uint32_t {};

struct Digest {
  std::uint64_t tag;    // tells the key from others in the same place
  std::uint64_t place;  // says where it belongs
};

class KeyHash {
 public:
  /// Draws the secrets. Throws std::exception where the system gives no random numbers.
  KeyHash();

  Digest operator()(Space space, std::string_view key) const noexcept;

 private:
  __extension__ using Product = unsigned __int128;

  struct Words {
    std::uint64_t a, b;
  };

  static std::uint64_t read_8(const char* from) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof word);
    return word;
  }
  static std::uint64_t read_4(const char* from) noexcept {
    std::uint32_t word = 0;
    std::memcpy(&word, from, sizeof word);
    return word;
  }
  static Words read_up_to_16(const char* from, std::size_t size) noexcept;
  static Product multiply(std::uint64_t a, std::uint64_t b) noexcept { return Product{a} * b; }
  static std::uint64_t fold(Product product) noexcept {
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  static std::uint64_t mix(Product sum, std::uint64_t a, std::uint64_t b) noexcept {
    return fold(
        multiply(static_cast<std::uint64_t>(sum) ^ a, static_cast<std::uint64_t>(sum >> 64) ^ b));
  }
  Words absorb(const char* from, std::size_t size) const noexcept;

  std::array<std::uint64_t, 20> secret_;
};

/// All bytes of a text that is no longer than 16, at places that only its length decides.
inline KeyHash::Words KeyHash::read_up_to_16(const char* from, std::size_t size) noexcept {
  if (size >= 8) return {read_8(from), read_8(from + size - 8)};
  if (size >= 4) return {read_4(from), read_4(from + size - 4)};
  if (size == 0) return {0, 0};
  const auto byte = [&](std::size_t i) {
    return std::uint64_t{static_cast<unsigned char>(from[i])};
  };
  return {byte(0) | byte(size / 2) << 8, byte(size - 1)};
}

[[gnu::always_inline]] inline Digest KeyHash::operator()(Space space,
                                                         std::string_view key) const noexcept {
  const auto& s = secret_;
  const char* const from = key.data();
  const std::size_t size = key.size();
  Words first{};
  Words last{0, 0};
  Words before{0, 0};
  if (size <= 16) {
    first = read_up_to_16(from, size);
  } else {
    const char* const end = from + size;
    const char* start = from;
    if (size > 32) [[unlikely]] {
      before = absorb(from, size);
      start = end - 32;
    }
    first = {read_8(start), read_8(start + 8)};
    last = {read_8(end - 16), read_8(end - 8)};
  }
  const auto length = static_cast<std::uint64_t>(size);
  const auto owner = static_cast<std::uint64_t>(space);
  const Product one = multiply(first.a + s[0], first.b + s[1]) +
                      multiply(last.a + s[2], last.b + s[3]) +
                      multiply((length ^ before.a) + s[4], owner + s[5]);
  const Product two = multiply(first.a + s[6], first.b + s[7]) +
                      multiply(last.a + s[8], last.b + s[9]) +
                      multiply((length ^ before.b) + s[10], owner + s[11]);
  // A sum of products is linear in each word of the key; the last step is what mixes.
  return {mix(one, s[16], s[17]), mix(two, s[18], s[19])};
}

}  // namespace ratelimit::memory
