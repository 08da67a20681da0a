#include "memory/key_hash.hpp"

#include <random>

namespace ratelimit::memory {

KeyHash::KeyHash() : secret_() {
  std::random_device device;
  for (std::uint64_t& word : secret_) {
    word = (std::uint64_t{device()} << 32) | device();
  }
}

// What comes before the last 32 bytes, in two chains. A chain forgets what it took in where a
// factor is 0, which happens to one in 2^64 keys, and nobody can say to which.
KeyHash::Words KeyHash::absorb(const char* from, std::size_t size) const noexcept {
  const auto& s = secret_;
  Words chain{s[12], s[13]};
  for (const char* const end = from + size - 32; from < end; from += 16) {
    const std::uint64_t a = read_8(from);
    const std::uint64_t b = read_8(from + 8);
    chain = {fold(multiply(a ^ chain.a, b ^ s[14])), fold(multiply(b ^ chain.b, a ^ s[15]))};
  }
  return chain;
}

}  // namespace ratelimit::memory
