// The table of the in-memory backend: states of one word, without locks, in memory that is
// allocated once.
//
// Eight places in nine are in the sets where keys are at home, eight to a set; the rest is for keys
// that find their home full, which may choose between two sets there. With as many live keys as the
// table is made for, one in twenty lives away from home, and hardly ever one finds no place at all
// (see reach.hpp for what happens then).
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/instant.hpp"
#include "memory/key_hash.hpp"
#include "memory/pages.hpp"
#include "memory/place.hpp"
#include "memory/reach.hpp"
#include "memory/tally.hpp"

namespace ratelimit::memory {

class PlaceTable {
  using Set = BasicSet<Place>;

 public:
  /// Room for `keys` live keys, at 24 bytes each. Throws std::bad_alloc. Requires: keys >= 1.
  PlaceTable(std::int64_t keys, Tally& tally);

  /// From now on states may wait for so long; see Rule::longest_wait.
  void admit(Micros longest_wait) noexcept;

  /// Where a key belongs.
  struct Spot {
    Set* home;
    std::size_t first;  // the place there that is tried first
    std::uint64_t tag;
    Digest digest;
  };

  /// The line that a decision needs first is on its way into the cache when this returns, to be
  /// written. Read the clock after it: a precise clock holds up all that comes later.
  [[nodiscard, gnu::always_inline]] Spot spot(const Digest& digest) const noexcept {
    const std::uint64_t tag = digest.tag & ~kClaimed;
    const Spot spot{&sets_[scaled(digest.place, homes_)], digest.place % Set::kSize,
                    tag != 0 ? tag : 1, digest};
    __builtin_prefetch(&spot.home->places[spot.first], 1);
    __builtin_prefetch(&spot.home->places[spot.first ^ 4], 1);
    return spot;
  }

  template <class Rule>
  [[gnu::always_inline]] Decision apply(const Spot& spot, const Rule& rule,
                                        const typename Rule::Packing& packing,
                                        const policy::Call& call) {
    Place& first = spot.home->places[spot.first];
    const Cell cell{first.tag(), first.word()};
    if (cell.tag == spot.tag && cell.word != 0) [[likely]] {
      const auto view = rule.look({packing.unpack(cell.word)}, call);
      if (charge(first, cell, rule, packing, view, call)) [[likely]] {
        if (view.healed) [[unlikely]]
          tally_.count_healed();
        return rule.decide(view, call);
      }
    }
    return apply_elsewhere(spot, rule, packing, call);
  }

  /// The key's state; 0: none.
  [[nodiscard]] policy::Word word(const Spot& spot) const { return reach(spot).word(); }

  void erase(const Spot& spot) { reach(spot).erase(); }

  /// How many keys have a place. Reads the whole table.
  [[nodiscard]] std::uint64_t count_keys() const;

 private:
  // By value, so that on the way past it nothing need be in memory.
  template <class Rule>
  [[gnu::noinline]] Decision apply_elsewhere(Spot spot, const Rule& rule,
                                             const typename Rule::Packing& packing,
                                             policy::Call call) {
    const auto view = reach(spot).apply(rule, packing, call);
    if (view.healed) tally_.count_healed();
    return rule.decide(view, call);
  }

  [[nodiscard]] Reach<Set> reach(const Spot& spot) const noexcept {
    // Two of the other sets, by other bits than those that the home depends on most.
    const std::size_t one = scaled(std::rotl(spot.digest.place, 24), others_);
    const std::size_t two =
        scaled(std::rotl(spot.digest.place, 44) ^ (spot.digest.tag << 8), others_ - 1);
    return {spot.tag,
            spot.first,
            {spot.home, &sets_[homes_ + one], &sets_[homes_ + two + (two >= one ? 1 : 0)]},
            longest_wait_.load(std::memory_order_relaxed),
            tally_};
  }

  /// bits / 2^64 * count.
  static std::size_t scaled(std::uint64_t bits, std::size_t count) noexcept {
    __extension__ using Product = unsigned __int128;
    return static_cast<std::size_t>((Product{bits} * count) >> 64);
  }

  std::size_t homes_;
  std::size_t others_;
  Pages pages_;
  Set* sets_;
  std::atomic<Micros> longest_wait_ = 0;  // relaxed: a limiter is published after it was raised
  Tally& tally_;
};

}  // namespace ratelimit::memory
