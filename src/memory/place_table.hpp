// The table of the in-memory backend: states of one word, without locks, in memory that is
// allocated once.
//
// Three places in four are in the sets where keys are at home, eight to a set; the rest is for keys
// that find their home full, which may choose between two sets there. With as many live keys as the
// table is made for, one in twenty lives away from home, and hardly ever one finds no place at all
// (see reach.hpp for what happens then).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "memory/key_hash.hpp"
#include "memory/pages.hpp"
#include "memory/place.hpp"
#include "memory/reach.hpp"
#include "memory/tally.hpp"
#include "ratelimit/memory.hpp"

namespace ratelimit::memory {

class PlaceTable {
  using Set = BasicSet<Place>;

 public:
  /// Room for `keys` live keys, at 24 bytes each. Throws std::bad_alloc. Requires: keys >= 1.
  PlaceTable(std::int64_t keys, WhenFull when_full, Tally& tally);

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
  template <class Rule>
  // By value, so that on the way past it nothing need be in memory.
  [[gnu::noinline]] Decision apply_elsewhere(Spot spot, const Rule& rule,
                                             const typename Rule::Packing& packing,
                                             policy::Call call) {
    const auto view = reach(spot).apply(rule, packing, call);
    if (view.healed) tally_.count_healed();
    return rule.decide(view, call);
  }

  [[nodiscard]] Reach<Set> reach(const Spot& spot) const noexcept {
    // Two of the other sets, by bits on which the home does not depend.
    const std::size_t one = scaled(spot.digest.place << 24, others_);
    const std::size_t two = scaled(spot.digest.tag << 8, others_ - 1);
    const std::array<std::size_t, 3> sets{static_cast<std::size_t>(spot.home - sets_), homes_ + one,
                                          homes_ + two + (two >= one ? 1 : 0)};
    return {spot.tag,
            spot.first,
            {&sets_[sets[0]], &sets_[sets[1]], &sets_[sets[2]]},
            {floor(sets[0]), floor(sets[1]), floor(sets[2])},
            tally_};
  }

  /// bits / 2^64 * count.
  static std::size_t scaled(std::uint64_t bits, std::size_t count) noexcept {
    __extension__ using Product = unsigned __int128;
    return static_cast<std::size_t>((Product{bits} * count) >> 64);
  }
  [[nodiscard]] Floor* floor(std::size_t set) const noexcept {
    return floors_ != nullptr ? &floors_[set] : nullptr;
  }

  std::size_t homes_;
  std::size_t others_;
  Pages pages_;
  Set* sets_;
  std::unique_ptr<Floor[]> floors_;
  Tally& tally_;
};

}  // namespace ratelimit::memory
