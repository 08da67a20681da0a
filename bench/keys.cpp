#include "keys.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <mutex>
#include <random>
#include <string>

namespace ratelimit::bench {
namespace {

// Long enough that nearly every key of a million comes, and four of five of ten million.
constexpr std::size_t kShortest = std::size_t{1} << 16;
constexpr std::size_t kLongest = std::size_t{1} << 24;

std::vector<std::uint32_t> draw(std::size_t count, Law law) {
  std::vector<std::uint32_t> order(std::clamp(std::bit_ceil(4 * count), kShortest, kLongest));
  std::mt19937_64 random;  // never seeded: every run draws the same
  if (law == Law::uniform) {
    std::uniform_int_distribution<std::uint32_t> any(0, static_cast<std::uint32_t>(count - 1));
    for (std::uint32_t& key : order) key = any(random);
    return order;
  }
  std::vector<double> weights(count);
  for (std::size_t i = 0; i < count; ++i) weights[i] = 1.0 / static_cast<double>(i + 1);
  std::discrete_distribution<std::uint32_t> any(weights.begin(), weights.end());
  for (std::uint32_t& key : order) key = any(random);
  return order;
}

}  // namespace

KeySet::KeySet(const KeySetName& name) : order_(draw(name.count, name.law)) {
  texts_.reserve(name.count);
  for (KeyText key; texts_.size() < name.count; key.count_up()) texts_.push_back(key);
}

const KeySet& key_set(const KeySetName& name) {
  static std::mutex mutex;
  static std::map<std::string, KeySet> made;
  const std::lock_guard lock(mutex);
  return made.try_emplace(name.text, name).first->second;
}

}  // namespace ratelimit::bench
