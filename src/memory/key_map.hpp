// The in-memory backend's map for states that do not fit a word: logs, and policies of unusual
// numbers. Bounded, behind one lock.
//
// Keys are kept in the order in which they recover. So when there is no room, a key that has
// recovered is found at once if there is any, and else the one that recovers first.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "memory/homes.hpp"
#include "memory/key_hash.hpp"
#include "memory/tally.hpp"
#include "policy/rules.hpp"

namespace ratelimit::memory {

class KeyMap {
 public:
  /// Requires: max_keys >= 1.
  KeyMap(std::size_t max_keys, Tally& tally)
      : max_keys_(max_keys), entries_(0, Hash{&hash_}), tally_(tally) {}

  template <class Rule>
  struct Seen {
    typename Rule::View view;  // of the state before the call
    bool stored;               // the state has changed
  };

  /// From now on states may wait for so long; see Rule::longest_wait.
  void admit(Micros longest_wait);

  /// Puts `call` to `key`, which has the State that `initial()` gives where it is not in the
  /// map. Throws std::bad_alloc, and then nothing has changed. Requires: every call for one space
  /// has a Rule with the same State.
  template <class Rule, class Initial>
  Seen<Rule> apply(Space space, std::string_view key, const Rule& rule, const policy::Call& call,
                   Initial initial);

  void erase(Space space, std::string_view key);

  [[nodiscard]] std::uint64_t count_keys() const;

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
    std::size_t operator()(const KeyView& key) const { return (*hash)(key.key).place; }
    const KeyHash* hash;
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
  KeyHash hash_;
  Micros longest_wait_ = 0;
  Entries entries_;
  Order order_;
  Tally& tally_;
};

template <class Rule, class Initial>
KeyMap::Seen<Rule> KeyMap::apply(Space space, std::string_view key, const Rule& rule,
                                 const policy::Call& call, Initial initial) {
  using State = typename Rule::State;
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(KeyView{space, key});
  if (found == entries_.end()) {
    State state = initial();
    const auto view = rule.look(state, call);
    const bool stored = policy::update(rule, view, rule.judge(view, call), call, state);
    if (stored) {
      const Micros reset_time = rule.reset_time(state);
      insert(space, key, std::move(state), reset_time, call.now);
    }
    if (view.healed) tally_.count_healed();
    return {view, stored};
  }
  auto& state = *std::get_if<State>(&found->second.state);
  const auto view = rule.look(state, call);
  const bool stored = policy::update(rule, view, rule.judge(view, call), call, state);
  if (stored) move(found->second.place, rule.reset_time(state));
  if (view.healed) tally_.count_healed();
  return {view, stored};
}

}  // namespace ratelimit::memory
