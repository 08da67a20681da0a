// Keys are told apart by every byte and by their length; nothing of it is the same in another hash.
#include "memory/key_hash.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

namespace ratelimit::testing {
namespace {

using memory::Digest;
using memory::KeyHash;

using Pair = std::pair<std::uint64_t, std::uint64_t>;
Pair pair_of(const Digest& digest) { return {digest.tag, digest.place}; }

TEST(KeyHash, TellsLengthsAndBytesApart) {
  const KeyHash hash;
  std::set<Pair> seen;
  std::size_t keys = 0;
  const auto add = [&](const std::string& key) {
    seen.insert(pair_of(hash(key)));
    ++keys;
  };
  for (std::size_t size = 0; size <= 130; ++size) {
    std::string key(size, '\0');
    add(key);
    for (char& byte : key) {
      byte = '\1';
      add(key);
      byte = '\0';
    }
  }
  EXPECT_EQ(seen.size(), keys);
}

TEST(KeyHash, SpreadsKeysThatDifferInOneBit) {
  // Of each half, every bit changes for about half of the keys.
  const KeyHash hash;
  constexpr int kKeys = 4096;
  std::array<int, 128> changed{};
  for (int i = 0; i < kKeys; ++i) {
    std::string key = "user:" + std::to_string(i);
    const Digest one = hash(key);
    key.back() = static_cast<char>(key.back() ^ 1);
    const Digest other = hash(key);
    for (std::size_t bit = 0; bit < 64; ++bit) {
      changed[bit] += static_cast<int>(((one.tag ^ other.tag) >> bit) & 1);
      changed[64 + bit] += static_cast<int>(((one.place ^ other.place) >> bit) & 1);
    }
  }
  for (const int count : changed) {
    EXPECT_GT(count, kKeys / 4);
    EXPECT_LT(count, kKeys * 3 / 4);
  }
}

TEST(KeyHash, IsAnotherOneEachTime) {
  EXPECT_EQ(pair_of(KeyHash{}("key")) == pair_of(KeyHash{}("key")), false);
  const KeyHash hash;
  EXPECT_EQ(pair_of(hash("key")), pair_of(hash("key")));
}

}  // namespace
}  // namespace ratelimit::testing
