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
#include <optional>

#include "base/instant.hpp"
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

  /// From now on states may wait for so long; see Rule::longest_wait.
  void admit(Micros longest_wait) noexcept;

  /// Where a key belongs.
  struct Spot {
    Digest digest;
    Place* first;  // the place that is tried first
  };

  /// The line that a decision needs first is on its way into the cache when this returns, to be
  /// written. Read the clock after it: a precise clock holds up all that comes later.
  [[nodiscard, gnu::always_inline]] Spot spot(const Digest& digest) const noexcept {
    Set& home = home_of(digest);
    const std::size_t first = digest.place % Set::kSize;
    __builtin_prefetch(&home.places[first], 1);
    __builtin_prefetch(&home.places[first ^ 4], 1);
    return {{tag_of(digest), digest.place}, &home.places[first]};
  }

  /// Why a call was not decided at home.
  enum class Why : std::uint8_t {
    elsewhere,  // the key has no place there, or its state is to be healed
    contended,  // another thread was faster
  };

  /// Decides where the key is at home and nobody interferes; else `otherwise(why)` does, by the
  /// function below.
  template <class Rule, class Otherwise>
  [[gnu::always_inline]] Decision apply(const Spot& spot, const Rule& rule,
                                        const typename Rule::Packing& packing,
                                        const policy::Call& call, const Otherwise& otherwise) {
    Place* place = spot.first;
    std::uint64_t tag = place->tag();
    if (tag != spot.digest.tag) [[unlikely]] {
      place = home_place(spot);
      tag = place->tag();
    }
    if (tag == spot.digest.tag) [[likely]] {
      // The word may be of somebody who came after the tag was read: the charge fails then.
      const Cell cell{tag, place->word()};
      const auto view = rule.look({packing.unpack(cell.word)}, call);
      if (!view.healed) [[likely]] {
        const auto verdict = rule.judge(view, call);
        if (charge(*place, cell, rule, packing, view, verdict, call)) [[likely]] {
          return rule.decide(view, verdict, call);
        }
        return otherwise(Why::contended);
      }
    }
    return otherwise(Why::elsewhere);
  }

  /// Puts `call` to the key wherever it is, or may come to be. Returns what of its state before
  /// mattered.
  template <class Rule>
  typename Rule::View apply_anywhere(const Digest& digest, const Rule& rule,
                                     const typename Rule::Packing& packing,
                                     const policy::Call& call) {
    const Reach<Set> reach = this->reach(digest);
    reach.prefetch_others();
    const auto view = reach.apply(rule, packing, call);
    if (view.healed) tally_.count_healed();
    return view;
  }

  /// The key's state, or what it would start with.
  template <class Rule>
  [[nodiscard]] typename Rule::State state(const Digest& digest, const Rule& rule,
                                           const typename Rule::Packing& packing,
                                           Micros now) const {
    return reach(digest).state(rule, packing, now);
  }

  void erase(const Digest& digest) { reach(digest).erase(); }

  /// How many keys have a place. Reads the whole table.
  [[nodiscard]] std::uint64_t count_keys() const;

 private:
  /// The place at home that has the key's tag; any other where there is none. Without branches:
  /// which one it is cannot be foreseen.
  [[gnu::always_inline]] static Place* home_place(const Spot& spot) noexcept {
    Place* const home = spot.first - spot.digest.place % Set::kSize;
    Place* found = home;
    for (std::size_t i = 1; i < Set::kSize; ++i) {
      found = home[i].tag() == spot.digest.tag ? &home[i] : found;
    }
    return found;
  }

  /// What a place shows of the key: neither 0 nor a claim.
  static std::uint64_t tag_of(const Digest& digest) noexcept {
    const std::uint64_t tag = digest.tag & ~kClaimed;
    return tag != 0 ? tag : 1;
  }

  [[nodiscard]] Set& home_of(const Digest& digest) const noexcept {
    return sets_[scaled(digest.place, homes_)];
  }

  [[nodiscard]] Reach<Set> reach(const Digest& digest) const noexcept {
    // Two of the other sets, by other bits than those that the home depends on most.
    const std::uint64_t tag = tag_of(digest);
    const std::size_t one = scaled(std::rotl(digest.place, 24), others_);
    const std::size_t two = scaled(std::rotl(digest.place, 44) ^ (tag << 8), others_ - 1);
    const std::array<std::size_t, Reach<Set>::kSets> indices{
        scaled(digest.place, homes_), homes_ + one, homes_ + two + (two >= one ? 1 : 0)};
    typename Reach<Set>::Sets sets{};
    for (std::size_t i = 0; i < indices.size(); ++i) {
      sets.sets[i] = &sets_[indices[i]];
      sets.floors[i] = floors_ == nullptr ? nullptr : &floors_[indices[i]];
    }
    return {tag, digest.place % Set::kSize, sets, longest_wait_.load(std::memory_order_relaxed),
            tally_};
  }

  std::size_t homes_;
  std::size_t others_;
  Pages pages_;
  Set* sets_;
  std::optional<Pages> floor_pages_;
  Place* floors_ = nullptr;               // one for each set; null: debts are forgotten
  std::atomic<Micros> longest_wait_ = 0;  // relaxed: a limiter is published after it was raised
  Tally& tally_;
};

}  // namespace ratelimit::memory
