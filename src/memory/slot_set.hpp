// Slots that lie together: for each key its tag, when its state recovers, and the state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/instant.hpp"
#include "policy/rules.hpp"

namespace ratelimit::memory {

/// Who makes room first: at one instant, tells states that matter from those that do not.
struct Present {
  Micros now;
  Micros longest_wait;  // no state waits longer, but where a clock ran wild

  [[nodiscard]] bool is_live(Micros reset_time) const {
    return reset_time > now && reset_time <= now + longest_wait;
  }
};

/// The tags share a cache line, so a key is found, or not, at the cost of one, and so do the reset
/// times, from which the one who makes room is chosen. All zero: empty.
struct alignas(64) SlotSet {
  static constexpr std::size_t kSize = 8;

  std::array<std::uint64_t, kSize> tags;  // 0: nobody
  std::array<Micros, kSize> reset_times;  // 0: nobody
  std::array<policy::AnyState, kSize> states;

  /// A slot for which nobody's debt is forgotten; kSize: there is none.
  [[nodiscard]] std::size_t free_slot(const Present& present) const {
    std::size_t i = 0;
    while (i < kSize && present.is_live(reset_times[i])) ++i;
    return i;
  }
};
static_assert(std::is_trivially_copyable_v<policy::AnyState>);
static_assert(sizeof(SlotSet) == 384, "48 bytes a slot");

}  // namespace ratelimit::memory
