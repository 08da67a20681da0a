// What is the least that a decision on a key can cost on this machine? What no limiter that keeps
// its states in a table can leave out: hash the key, have its place brought into the cache to be
// written, read a clock, load the place, swap it. Whose place it is, is not looked at, and nothing
// is computed.
//
// The hash is the library's own, and so are the size of the table and the kind of its pages; the
// clock is the processor's counter where there is one.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/unix_clock.hpp"
#include "memory/key_hash.hpp"
#include "memory/pages.hpp"
#include "memory/place.hpp"
#include "memory_decision.hpp"

namespace ratelimit::bench {
namespace {

using memory::Cell;
using memory::Digest;
using memory::Pages;
using memory::Place;

std::uint64_t instant() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return static_cast<std::uint64_t>(UnixClock::shared().now());
#endif
}

class Floor {
 public:
  /// Three places for two keys, as in the library's table.
  explicit Floor(std::int64_t keys)
      : count_(static_cast<std::size_t>(keys) * 3 / 2),
        pages_(count_ * sizeof(Place)),
        places_(static_cast<Place*>(pages_.data())) {}

  /// Returns whether nobody else swapped at the same time.
  bool operator()(std::string_view key) {
    __extension__ using Product = unsigned __int128;
    const Digest digest = hash_(key);
    Place& place = places_[static_cast<std::size_t>((Product{digest.place} * count_) >> 64)];
    __builtin_prefetch(&place, 1);
    const std::uint64_t now = instant();
    const Cell cell{place.tag(), place.word()};
    return place.replace(cell, {digest.tag, now});
  }

 private:
  memory::KeyHash hash_;
  std::size_t count_;
  Pages pages_;
  Place* places_;
};

}  // namespace

void add_floor() {
  add("floor", kAllSets, kAllThreads, [](const KeySet& keys) {
    Floor& floor = kept(std::to_string(keys.count()), [&] {
      auto made = std::make_unique<Floor>(room_for(keys));
      for (const KeyText& key : keys.keys()) (*made)(key.view());
      return made;
    });
    return [&floor](std::string_view key) {
      while (!floor(key)) {
      }
      return true;
    };
  });
}

}  // namespace ratelimit::bench
