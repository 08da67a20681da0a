// The places that one key may have, and how it comes to one without a lock.
//
// A place holds {tag, word}, changed by one compare-and-swap over both, so a charge and an eviction
// can never pass each other by. What needs care is that two threads may bring one new key at the
// same time and find two places for it. So a newcomer first *claims* a place: its tag with a mark,
// and a number that is used once in place of a state. Then it looks at every other place, and only
// if none carries its tag it *settles*: swaps the claim for its first state.
//
//   look at all  ->  claim one  ->  look at all others: a settled one? give up the claim, use that
//                                                       other claims?  drop them, or go for theirs
//                               ->  settle
//
// Never do two places hold a settled state of one key. Say p and q did, claimed in this order and
// both still held from claim to settling. Whoever settled q looked at p after q was claimed, and so
// after p was: it saw p's claim, and dropped it, or p's settled state, and did not settle. The
// argument needs one order of all claims and looks, which sequential consistency gives, and that a
// dropped claim is not taken for a later one, which its number gives.
//
// Where debts are inherited, each set has a floor: the latest recovery of those who had to leave it
// in debt, and when the last of them had to. It is raised before a key is dropped, and read by a
// newcomer once it is alone (without what it raised itself, as long as nobody else did since): then
// the key, if it ever had to leave a place in its reach, left before that, and its state was not
// above that set's floor. So it starts with no less than it owed, whatever came between. What a
// floor keeps beside it is when: no debt lasts longer than a span from there. So a call that was
// held up after it had read the clock counts as a clock that steps back.
//
// No charge is lost: whoever finds another's claim for its own key may settle it with its own
// charge; the other one's swap then fails, and it finds the key settled. Whoever is interrupted
// holds up nobody.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/instant.hpp"
#include "memory/place.hpp"
#include "memory/tally.hpp"
#include "policy/call.hpp"
#include "policy/word.hpp"

namespace ratelimit::memory {

/// Places that lie together: two cache lines, of which most keys need only one. Requires: Size is
/// a power of 2.
template <class Place, std::size_t Size = 8>
struct alignas(128) BasicSet {
  static constexpr std::size_t kSize = Size;
  std::array<Place, Size> places;
};

/// Marks a tag as a claim's.
inline constexpr std::uint64_t kClaimed = std::uint64_t{1} << 63;

/// A number that no claim has had. As a word it lies beyond every instant.
inline std::uint64_t claim_number() {
  constexpr std::uint64_t kBlock = std::uint64_t{1} << 16;
  constexpr std::uint64_t kBeyond = std::uint64_t{1} << 63;
  static std::atomic<std::uint64_t> blocks = 0;
  thread_local std::uint64_t next = 0;
  if (next % kBlock == 0) {
    next = kBeyond + blocks.fetch_add(1, std::memory_order_relaxed) * kBlock;
  }
  return next++;
}

/// Puts `call` to the key whose state was `cell` when it was looked at. Returns whether it still
/// was.
template <class Place, class Rule>
[[gnu::always_inline]] inline bool charge(Place& place, const Cell& cell, const Rule& rule,
                                          const typename Rule::Packing& packing,
                                          const typename Rule::View& view,
                                          const typename Rule::Verdict& verdict,
                                          const policy::Call& call) {
  typename Rule::State state{packing.unpack(cell.word)};
  // Where nothing is stored, it has still to be seen that the tag and the word belong together.
  return policy::update(rule, view, verdict, call, state)
             ? place.replace(cell, {cell.tag, packing.pack(state)})
             : place.load() == cell;
}

template <class Set>
class Reach {
 public:
  static constexpr std::size_t kSets = 3;

  using Place = typename decltype(Set::places)::value_type;

  struct Sets {
    /// A key's home, and two sets for those that find their home full: three different ones.
    std::array<Set*, kSets> sets;
    /// Their floors, each an instant and a word; null: debts are forgotten.
    std::array<Place*, kSets> floors;
  };

  /// `first`: the place at home that is tried first. No state of anybody's waits for more than
  /// `longest_wait`. Requires: kClaimed is not in `tag`, which is not 0.
  Reach(std::uint64_t tag, std::size_t first, const Sets& sets, Micros longest_wait, Tally& tally)
      : tag_(tag),
        first_(first),
        sets_(sets.sets),
        floors_(sets.floors),
        longest_wait_(longest_wait),
        tally_(tally) {}

  /// Has all but the home on its way into the cache.
  void prefetch_others() const noexcept {
    for (std::size_t set = 1; set < kSets; ++set) {
      __builtin_prefetch(&sets_[set]->places.front(), 1);
      __builtin_prefetch(&sets_[set]->places.back(), 1);
    }
  }

  template <class Rule>
  [[nodiscard]] typename Rule::View apply(const Rule& rule, const typename Rule::Packing& packing,
                                          const policy::Call& call) const {
    for (;;) {
      Place* const place = find();
      if (place == nullptr) {
        if (const auto view = arrive(rule, packing, call)) return *view;
        continue;
      }
      const Cell cell{tag_, place->word()};
      if (cell.word == 0) continue;  // just emptied
      const auto view = rule.look({packing.unpack(cell.word)}, call);
      if (charge(*place, cell, rule, packing, view, rule.judge(view, call), call)) return view;
    }
  }

  /// The key's state, or what it would start with.
  template <class Rule>
  [[nodiscard]] typename Rule::State state(const Rule& rule, const typename Rule::Packing& packing,
                                           Micros now) const {
    for (;;) {
      Place* const place = find();
      if (place == nullptr) return newcomer(rule, packing, now, {});
      if (const Cell cell = place->load(); cell.tag == tag_) return {packing.unpack(cell.word)};
    }
  }

  void erase() const {
    while (Place* const place = find()) {
      if (const Cell cell = place->load(); cell.tag == tag_) place->replace(cell, kEmpty);
    }
  }

 private:
  static constexpr Cell kEmpty{0, 0};

  /// The first place of which `is_it(place, set)` is true; null where there is none. In the order
  /// in which they are tried: what shares a cache line stays together.
  template <class IsIt>
  [[nodiscard, gnu::always_inline]] Place* first_place(const IsIt& is_it) const {
    for (std::size_t set = 0; set < kSets; ++set) {
      const std::size_t first = set == 0 ? first_ : 0;
      for (std::size_t i = 0; i < Set::kSize; ++i) {
        Place& place = sets_[set]->places[first ^ i];
        if (is_it(place, set)) return &place;
      }
    }
    return nullptr;
  }

  /// Where the key is settled; null: nowhere.
  [[nodiscard]] Place* find() const {
    return first_place([this](const Place& place, std::size_t) { return place.tag() == tag_; });
  }

  template <class Rule>
  [[nodiscard]] std::optional<typename Rule::View> arrive(const Rule& rule,
                                                          const typename Rule::Packing& packing,
                                                          const policy::Call& call) const;

  /// A place in one of the sets, and what was seen there.
  struct Choice {
    Place* place;
    Cell cell;
    std::size_t set;
  };

  /// A floor that this call has raised, for somebody who is not the key.
  struct Raised {
    const Place* floor = nullptr;
    Cell before{0, 0};
    Cell after{0, 0};
  };

  /// What the key starts with: nothing, or what those owed who had to leave, but for `own`.
  template <class Rule>
  [[nodiscard]] typename Rule::State newcomer(const Rule& rule,
                                              const typename Rule::Packing& packing, Micros now,
                                              const Raised& own) const;
  [[nodiscard]] bool is_in_debt(const Cell& cell, Micros now) const;
  [[nodiscard]] Raised raise(std::size_t set, policy::Word word, Micros now) const;

  /// A floor's tag: an instant, and how often it was raised.
  static constexpr int kFloorCountBits = 11;
  static constexpr std::uint64_t kFloorCounts = (std::uint64_t{1} << kFloorCountBits) - 1;
  static Micros instant_of_floor(const Cell& floor) {
    return static_cast<Micros>(floor.tag >> kFloorCountBits);
  }

  struct Claim {
    Place* place;  // null: one must look again
    Raised raised;
  };
  [[nodiscard]] Claim claim(Micros now) const;
  [[nodiscard]] Choice choose(Micros now) const;
  [[nodiscard]] bool is_alone(const Place& place) const;

  std::uint64_t tag_;
  std::size_t first_;
  std::array<Set*, kSets> sets_;
  std::array<Place*, kSets> floors_;
  Micros longest_wait_;
  Tally& tally_;
};

/// Puts `call` to a key that has no place. Gives nothing where another thread was faster.
template <class Set>
template <class Rule>
std::optional<typename Rule::View> Reach<Set>::arrive(const Rule& rule,
                                                      const typename Rule::Packing& packing,
                                                      const policy::Call& call) const {
  typename Rule::State state;
  typename Rule::View view;
  const auto is_charged = [&](const Raised& own) {
    state = newcomer(rule, packing, call.now, own);
    view = rule.look(state, call);
    return policy::update(rule, view, rule.judge(view, call), call, state);
  };
  if (!is_charged({})) return view;

  const auto [place, raised] = claim(call.now);
  if (place == nullptr) return std::nullopt;
  const Cell claimed = place->load();
  if (claimed.tag != (tag_ | kClaimed)) return std::nullopt;
  if (!is_alone(*place)) {
    place->replace(claimed, kEmpty);
    return std::nullopt;
  }
  // Others may have raised the floors meanwhile.
  if (floors_[0] != nullptr && !is_charged(raised)) {
    place->replace(claimed, kEmpty);
    return view;
  }
  if (!place->replace(claimed, {tag_, packing.pack(state)})) return std::nullopt;
  return view;
}

/// A place that carries a claim for this key, be it another thread's. Whoever had to make room is
/// gone even if the claim is given up later.
template <class Set>
typename Reach<Set>::Claim Reach<Set>::claim(Micros now) const {
  const auto [place, cell, set] = choose(now);
  if (cell.tag == tag_) return {};  // it has come meanwhile
  if (cell.tag == (tag_ | kClaimed)) return {place, {}};
  const bool owes = is_in_debt(cell, now);
  const Raised raised = owes ? raise(set, cell.word, now) : Raised{};
  if (!place->replace(cell, {tag_ | kClaimed, claim_number()})) return {};
  if (cell.tag != 0 && (cell.tag & kClaimed) == 0) tally_.count_forgotten(owes);
  return {place, raised};
}

/// Whom a newcomer replaces: nobody, at home or else in the emptier of the other sets; where there
/// is no such place, who recovered longest ago, at home or else elsewhere; else the one who
/// recovers first; and where all places are being claimed, another newcomer. If the key itself is
/// seen, that.
template <class Set>
typename Reach<Set>::Choice Reach<Set>::choose(Micros now) const {
  constexpr std::uint64_t kAway = std::uint64_t{1} << 63;  // beyond every word
  std::array<Choice, kSets> empty{};
  std::array<std::size_t, kSets> empty_places{};
  Choice recovered{};
  std::uint64_t recovered_order = ~std::uint64_t{0};
  Choice least{};
  Choice sure{};
  const auto is_sure = [&](Place& place, std::size_t set) {
    const Choice choice{&place, place.load(), set};
    const auto [tag, word] = choice.cell;
    if ((tag & ~kClaimed) == tag_ || (tag == 0 && set == 0)) {
      sure = choice;
      return true;
    }
    if (tag == 0) {
      if (empty_places[set]++ == 0) empty[set] = choice;
    } else if ((tag & kClaimed) != 0) {
      return false;
    } else if (policy::is_live(word, now, longest_wait_)) {
      if (least.place == nullptr || word < least.cell.word) least = choice;
    } else if (const std::uint64_t order = word | (set == 0 ? 0 : kAway); order < recovered_order) {
      recovered_order = order;
      recovered = choice;
    }
    return false;
  };
  if (first_place(is_sure) != nullptr) return sure;
  const Choice& nobody = empty[empty_places[2] > empty_places[1] ? 2 : 1];
  if (nobody.place != nullptr) return nobody;
  if (recovered.place != nullptr) return recovered;
  if (least.place != nullptr) return least;
  Place& any = sets_[0]->places[first_];
  return {&any, any.load(), 0};
}

template <class Set>
template <class Rule>
typename Rule::State Reach<Set>::newcomer(const Rule& rule, const typename Rule::Packing& packing,
                                          Micros now, const Raised& own) const {
  typename Rule::State strictest;
  if (floors_[0] == nullptr) return strictest;
  for (const Place* const floor : floors_) {
    Cell cell = floor->load();
    if (floor == own.floor && cell == own.after) cell = own.before;
    const typename Rule::State state{
        rule.inherited(cell.word, instant_of_floor(cell), now, packing)};
    if (packing.pack(state) > packing.pack(strictest)) strictest = state;
  }
  return strictest;
}

template <class Set>
bool Reach<Set>::is_in_debt(const Cell& cell, Micros now) const {
  return cell.tag != 0 && cell.tag != tag_ && (cell.tag & kClaimed) == 0 &&
         policy::is_live(cell.word, now, longest_wait_);
}

/// Puts a debt that is about to be dropped into the floor of its set. Counts, so that whoever
/// raised a floor can tell whether anybody did since.
template <class Set>
typename Reach<Set>::Raised Reach<Set>::raise(std::size_t set, policy::Word word,
                                              Micros now) const {
  if (floors_[set] == nullptr) return {};
  for (;;) {
    const Cell before = floors_[set]->load();
    // An instant further ahead than anybody may wait comes from a clock that ran wild.
    const bool is_wild = instant_of_floor(before) - now > longest_wait_;
    const auto at =
        static_cast<std::uint64_t>(is_wild ? now : std::max(instant_of_floor(before), now));
    const std::uint64_t count = (before.tag + 1) & kFloorCounts;
    const Cell after{at << kFloorCountBits | count, is_wild ? word : std::max(before.word, word)};
    if (floors_[set]->replace(before, after)) return {floors_[set], before, after};
  }
}

/// Whether nothing but `place` carries the key's tag. Later claims than its are dropped: whoever
/// made them will look again.
template <class Set>
bool Reach<Set>::is_alone(const Place& place) const {
  bool is_earlier = true;
  const auto is_other = [&](Place& other, std::size_t) {
    if (&other == &place) {
      is_earlier = false;
      return false;
    }
    Cell cell = other.load();
    while (cell.tag == (tag_ | kClaimed)) {
      if (is_earlier) return true;
      if (other.replace(cell, kEmpty)) return false;
      cell = other.load();
    }
    return cell.tag == tag_;
  };
  return first_place(is_other) == nullptr;
}

}  // namespace ratelimit::memory
