// The table of the in-memory backend: key -> state, bounded, behind one lock.
//
// Keys are kept in the order in which they recover. So when there is no room, a key that has
// recovered is found at once if there is any, and else the one that recovers first.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "policy/rules.hpp"

namespace ratelimit::memory {

/// Keeps the keys of limiters apart: limiters with one space share their keys.
enum class Space : std::uint32_t {};

class Table {
 public:
  /// Requires: max_keys >= 1.
  explicit Table(std::size_t max_keys) : max_keys_(max_keys) {}

  /// Decides `call` for `key`. Throws std::bad_alloc, and then nothing has changed.
  /// Requires: every call for one space has a Rule with the same State.
  template <class Rule>
  Decision apply(Space space, std::string_view key, const Rule& rule, const policy::Call& call);

  void erase(Space space, std::string_view key);

  struct Counts {
    std::uint64_t keys, forgotten, forgotten_debt, healed;
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct KeyView {
    Space space;
    std::string_view key;
    bool operator==(const KeyView&) const = default;
  };
  struct Key {
    Space space;
    std::string key;
    operator KeyView() const { return {space, key}; }  // for look-ups without a copy
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const KeyView& key) const {
      return std::hash<std::string_view>{}(key.key) ^
             (static_cast<std::size_t>(key.space) * 0x9e3779b97f4a7c15);
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const KeyView& a, const KeyView& b) const { return a == b; }
  };
  struct Entry;
  using Entries = std::unordered_map<Key, Entry, Hash, Equal>;
  using Order = std::multimap<Micros, const Key*>;  // by reset time
  struct Entry {
    policy::AnyState state;
    Order::iterator place;
  };

  void insert(Space space, std::string_view key, policy::AnyState state, Micros reset_time,
              Micros now);
  void move(Order::iterator& place, Micros reset_time);
  void forget_one(const Key& except, Micros now);

  mutable std::mutex mutex_;  // guards all that follows
  std::size_t max_keys_;
  Entries entries_;
  Order order_;
  Counts counts_{};
};

template <class Rule>
Decision Table::apply(Space space, std::string_view key, const Rule& rule,
                      const policy::Call& call) {
  using State = typename Rule::State;
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(KeyView{space, key});
  if (found == entries_.end()) {
    State state;
    const policy::Outcome outcome = policy::apply(rule, call, state);
    if (outcome.decision.allowed && call.may_write()) {
      const Micros reset_time = rule.reset_time(state);
      insert(space, key, std::move(state), reset_time, call.now);
    }
    return outcome.decision;
  }
  auto& state = *std::get_if<State>(&found->second.state);
  const policy::Outcome outcome = policy::apply(rule, call, state);
  move(found->second.place, rule.reset_time(state));
  counts_.healed += outcome.healed;
  return outcome.decision;
}

}  // namespace ratelimit::memory
