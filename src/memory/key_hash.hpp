// A keyed hash: tells keys apart by 128 bits that nobody outside the process can predict.
//
// Two independent sums of products (NH, of UMAC: RFC 4418) over the key and its length, each mixed
// into 64 bits. Every constant is random and secret: against a multiply hash whose constants are
// known, keys can be made that collide under any seed. Keys of up to 32 bytes take six
// multiplications that do not wait for each other and two that do; longer ones are absorbed in
// steps of 16 bytes first.
//
// What shares a table and must not share keys has a hash each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ratelimit::memory {

struct Digest {
  std::uint64_t tag;    // tells the key from others in the same place
  std::uint64_t place;  // says where it belongs
};

/// One of `count` by the highest bits: bits / 2^64 * count.
inline std::size_t scaled(std::uint64_t bits, std::size_t count) noexcept {
  __extension__ using Product = unsigned __int128;
  return static_cast<std::size_t>((Product{bits} * count) >> 64);
}

class KeyHash {
 public:
  /// Draws the secrets. Throws std::exception where the system gives no random numbers.
  KeyHash();

  Digest operator()(std::string_view key) const noexcept;

 private:
  __extension__ using Product = unsigned __int128;

  struct Words {
    std::uint64_t a, b;
  };

  /// The constants of one sum.
  struct Secrets {
    std::uint64_t length;  // the length's factor
    Words first, last;     // added to the words of the key
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
  /// A sum of products is linear in each word of the key: this is what mixes. `length` is the key's
  /// with its factor: it tells keys apart whose words are the same.
  static std::uint64_t mix(Product sum, std::uint64_t length) noexcept {
    return fold(
        multiply(static_cast<std::uint64_t>(sum) + length, static_cast<std::uint64_t>(sum >> 64)));
  }
  [[gnu::always_inline]] static Product product(const Words& words, const Words& secrets) noexcept {
    return multiply(words.a + secrets.a, words.b + secrets.b);
  }
  Words absorb(const char* from, std::size_t size) const noexcept;

  Secrets tag_;
  Secrets place_;
  Words chains_;         // what the two chains start from
  Words chain_secrets_;  // and mix in at each step
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

[[gnu::always_inline]] inline Digest KeyHash::operator()(std::string_view key) const noexcept {
  const char* const from = key.data();
  const auto size = static_cast<std::uint64_t>(key.size());
  if (size <= 16) {
    const Words words = read_up_to_16(from, size);
    return {mix(product(words, tag_.first), size * tag_.length),
            mix(product(words, place_.first), size * place_.length)};
  }
  const char* const end = from + size;
  const char* start = from;
  Words lengths{size, size};
  if (size > 32) [[unlikely]] {
    const Words before = absorb(from, size);
    lengths = {size ^ before.a, size ^ before.b};
    start = end - 32;
  }
  const Words first{read_8(start), read_8(start + 8)};
  const Words last{read_8(end - 16), read_8(end - 8)};
  return {
      mix(product(first, tag_.first) + product(last, tag_.last), lengths.a * tag_.length),
      mix(product(first, place_.first) + product(last, place_.last), lengths.b * place_.length)};
}

}  // namespace ratelimit::memory
