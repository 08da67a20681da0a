#include "memory/key_hash.hpp"

#include <random>

namespace ratelimit::memory {

KeyHash::KeyHash() {
  std::random_device device;
  const auto draw = [&] { return (std::uint64_t{device()} << 32) | device(); };
  const auto draw_words = [&] { return Words{draw(), draw()}; };
  for (Secrets* const secrets : {&tag_, &place_}) {
    *secrets = {.length = draw(), .first = draw_words(), .last = draw_words()};
  }
  chains_ = draw_words();
  chain_secrets_ = draw_words();
}

// What comes before the last 32 bytes, in two chains. A chain forgets what it took in where a
// factor is 0, which happens to one in 2^64 keys, and nobody can say to which.
KeyHash::Words KeyHash::absorb(const char* from, std::size_t size) const noexcept {
  Words chain = chains_;
  for (const char* const end = from + size - 32; from < end; from += 16) {
    const std::uint64_t a = read_8(from);
    const std::uint64_t b = read_8(from + 8);
    chain = {fold(multiply(a ^ chain.a, b ^ chain_secrets_.a)),
             fold(multiply(b ^ chain.b, a ^ chain_secrets_.b))};
  }
  return chain;
}

}  // namespace ratelimit::memory
