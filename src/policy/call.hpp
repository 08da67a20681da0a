// What the policies share: the shape of a question, the shape of a rule, and the one way to run it.
//
// A rule is a policy made ready to decide. It is pure: no clock, no lock, no I/O. Each rule gives
//
//   kScript                            the name of its script in lua/
//   kStateTag                          marks its states; its digit is the version of their form
//   State                              what is kept for a key; default: never seen
//   View                               what of a State matters to one call; kFields numbers
//   limit()                            the most that fits
//   look(state, call)                  State -> View; a state from a clock that ran wild is healed
//   judge(view, call)                  View -> Verdict: whether the cost fits, what is used then
//   decide(view, verdict, call)        the Decision
//   denial_heals(view)                 whether even a denied call stores what was seen
//   store(view, verdict, call, state)  the state once the call has written
//   reset_time(state)                  the instant from which the state is the same as none
//   after(view, call, times)           what a call like `call` at the same instant sees once so many
//                                      of them were made, as many granted as fit; healed before
//                                      the first only
//   script_terms()                     what the policy's script is told of the policy
//   script_charge(call)                and of a call
//   view_of(fields, healed)            the View that a script replied; none where it cannot be one
//
//   longest_wait()                     how far ahead of now a State's Word is believed to recover
//   packing()                          what its Words depend on; 0 where a State may not fit one
//
// and, where a State may fit a Word (policy/word.hpp),
//
//   Packing(packing)                   packs a State into a Word and unpacks it
//   inherited(floor, at, now, packing) the strictest State that a key of this policy may have had
//                                      which was dropped with a Word up to `floor`, at the instant
//                                      `at` or before; as none where a clock ran wild by then
//
// and, where units may be charged in advance (memory/lease.hpp),
//
//   lease_span(view)                   for how long units that are charged now are the same as if
//                                      charged when they are given out
//
// and, where a State has no fixed size, and is a view of room that whoever keeps it owns,
//
//   room_for(state, view, call)        to how many bytes of room `state` must move before
//                                      `update`; 0: it need not
//   move(view, room, state)            moves what matters of it to `room`
//   most_room()                        the most that room_for tells
//
// A backend that keeps States looks, judges, runs `update`, and has the decision made of what it
// saw. Where they are kept elsewhere, a script looks and stores, and the View that it replies is
// judged here: so a decision is computed in one place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/instant.hpp"
#include "ratelimit/decision.hpp"

namespace ratelimit::policy {

enum class Op : std::uint8_t { charge, peek };

/// One question: may `cost` be spent at `now`? Requires: cost >= 0.
struct Call {
  Op op;
  Micros now;
  std::int64_t cost;

  /// Whether anything may be stored: a peek and a cost of 0 change nothing.
  [[nodiscard]] bool may_write() const { return op == Op::charge && cost > 0; }

  /// What the call adds where it is allowed.
  [[nodiscard]] std::int64_t charge() const { return op == Op::charge ? cost : 0; }
};

constexpr bool is_within(std::int64_t value, std::int64_t low, std::int64_t high) {
  return low <= value && value <= high;
}

/// A rule whose units may be charged in advance.
template <class Rule>
concept Leases = requires(const Rule& rule, const typename Rule::View& view) {
  rule.lease_span(view);
};

/// A rule whose States are views of room.
template <class Rule>
concept NeedsRoom = requires(const Rule& rule) {
  rule.most_room();
};

/// Changes `state`, of which `view` is what matters to `call`, if the call changes it. Returns
/// whether it does. Requires: `state` has the room that the call needs.
template <class Rule>
[[gnu::always_inline]] inline bool update(const Rule& rule, const typename Rule::View& view,
                                          const typename Rule::Verdict& verdict, const Call& call,
                                          typename Rule::State& state) {
  const bool stored = call.may_write() && (verdict.allowed || rule.denial_heals(view));
  if (stored) rule.store(view, verdict, call, state);
  return stored;
}

/// The decision on what a backend saw.
template <class Rule>
Decision decide(const Rule& rule, const typename Rule::View& view, const Call& call) {
  return rule.decide(view, rule.judge(view, call), call);
}

/// The longest key, in bytes.
inline constexpr std::size_t kLongestKey = std::size_t{64} * 1024;

/// Whether a limiter may be asked this at all.
inline bool is_valid(std::string_view key, std::int64_t cost) {
  return cost >= 0 && key.size() <= kLongestKey;
}

/// The decision of a call that was not made, for the reason `error`.
inline Decision degraded_decision(std::int64_t limit, bool allowed, Errc error) {
  Decision decision;
  decision.allowed = allowed;
  decision.error = error;
  decision.limit = limit;
  return decision;
}

}  // namespace ratelimit::policy
