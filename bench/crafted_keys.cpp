#include "crafted_keys.hpp"

#include <cstdint>
#include <cstring>
#include <random>

namespace ratelimit::bench {
namespace {

void append(std::string& key, std::uint64_t word) {
  char bytes[sizeof word];
  std::memcpy(bytes, &word, sizeof word);
  key.append(bytes, sizeof word);
}

// std::hash is MurmurHash64A: each word is mixed and folded into the hash by steps that can all be
// undone, with a seed that every program shares.
constexpr std::uint64_t kFactor = 0xc6a4a7935bd1e995U;
constexpr std::uint64_t kSeed = 0xc70f6907U;

/// Its own inverse, since 47 is more than half of the bits.
constexpr std::uint64_t shift(std::uint64_t word) { return word ^ (word >> 47); }

/// Modulo 2^64: each step of Newton's doubles the bits that are right.
constexpr std::uint64_t inverse(std::uint64_t odd) {
  std::uint64_t inverse = odd;
  for (int i = 0; i < 5; ++i) inverse *= 2 - odd * inverse;
  return inverse;
}
static_assert(kFactor * inverse(kFactor) == 1);

std::uint64_t mixed(std::uint64_t word) { return shift(word * kFactor) * kFactor; }
std::uint64_t unmixed(std::uint64_t word) {
  return shift(word * inverse(kFactor)) * inverse(kFactor);
}

}  // namespace

std::vector<std::string> colliding_in_std_hash(std::size_t count) {
  constexpr std::uint64_t kLength = 16;
  std::vector<std::string> keys(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t after_first = ((kSeed ^ kLength * kFactor) ^ mixed(i)) * kFactor;
    append(keys[i], i);
    append(keys[i], unmixed(after_first));  // what is hashed so far, taken away again
  }
  return keys;
}

std::vector<std::string> colliding_in_wyhash(std::size_t count) {
  constexpr std::uint64_t kSecret = 0x8bb84b93962eacc9U;  // the second of version 4.2
  std::vector<std::string> keys(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    append(keys[i], kSecret);
    append(keys[i], i);
    keys[i].append("the same for all");
  }
  return keys;
}

std::vector<std::string> random_keys(std::size_t count, std::size_t length) {
  std::mt19937_64 random;  // never seeded: every run draws the same
  std::vector<std::string> keys(count);
  for (std::string& key : keys) {
    while (key.size() < length) append(key, random());
    key.resize(length);
  }
  return keys;
}

}  // namespace ratelimit::bench
