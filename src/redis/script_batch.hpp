// Many decisions' talk with the server: run one script for all of their keys; where the server has
// not got it, load it and run it once more. The header of each script in lua/ tells what is said.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "redis/exchange.hpp"
#include "redis/failure.hpp"
#include "redis/script.hpp"

namespace ratelimit::redis {

/// How much longer than its state a key is kept, in ms: the last of a script's constants.
inline constexpr std::int64_t kServerTimeSlack = 1'000;
/// A sent clock may stand still while the server's goes on: for most of an hour.
inline constexpr std::int64_t kSentTimeSlack = 3'560'000;

/// Questions are put in order: each sees what those before it wrote. Questions that are alike, with
/// none of another charge for their key between them, are one entry: what the script replies is
/// what the first of them sees.
///
/// Thread safety: none.
class ScriptBatch final : public Exchange {
 public:
  static constexpr std::size_t kMostKeys = 64;  // entries, that is
  static constexpr std::size_t kMostConstants = 4;

  /// Where the answer to a question is.
  struct Place {
    std::uint32_t entry;
    std::uint32_t turn;  // how many calls of the same entry come before
    bool operator==(const Place&) const = default;
  };

  /// `constants` are the policy's, and the slack; `fields` is how many numbers the script replies
  /// for a key; no `now`: the server's. Keeps a reference to `script`. Does not allocate.
  /// Requires: 1 to kMostConstants constants.
  ScriptBatch(const Script& script, std::span<const std::int64_t> constants, std::size_t fields,
              std::optional<Micros> now);

  /// Adds a question; `key` and `charge` are what the script takes. None where it is full.
  /// Throws std::bad_alloc, and is then unchanged.
  /// Requires: not started.
  std::optional<Place> add(std::string_view key, std::int64_t charge);

  [[nodiscard]] std::size_t size() const { return questions_; }
  [[nodiscard]] bool empty() const { return questions_ == 0; }

  /// Requires: not empty.
  Step start(Commands& out) override;
  Step hear(const Reply& reply, Commands& out) override;

  // To be read when done:

  /// Why there is no answer: to any question, or to this one.
  [[nodiscard]] const Failure& failure() const { return failure_; }
  [[nodiscard]] bool may_be_repeated() const override { return is_elsewhere_; }
  [[nodiscard]] const Failure& failure(const Place& place) const;
  [[nodiscard]] const Failure& trouble() const override;

  /// The answer to the first question of the entry. A first field below 0 has been turned back, and
  /// `healed` says so, for that question only. Requires: no failure.
  [[nodiscard]] std::span<const std::int64_t> fields(const Place& place) const;
  [[nodiscard]] bool healed(const Place& place) const;

  /// Whether the script was loaded on the way.
  [[nodiscard]] bool loaded() const { return loaded_; }

 private:
  enum class State : std::uint8_t { called, loading, called_again };

  struct Entry {
    std::int64_t charge;
    std::size_t key_at;  // in words_
    std::size_t key_size;
    std::uint32_t times;
  };

  [[nodiscard]] Entry* newest_of(std::uint32_t hash, std::string_view key);
  [[nodiscard]] bool is_plain() const;
  void append_call(Commands& out) const;
  void append_numbers(std::string& out) const;
  Step take_answer(const Reply& reply);
  bool take_entry(std::size_t entry, std::span<const Reply> fields);

  const Script& script_;
  const std::size_t fields_;
  const std::optional<Micros> now_;
  std::array<std::int64_t, kMostConstants> constants_{};
  std::size_t constant_count_;

  std::array<std::uint32_t, kMostKeys> hashes_;  // of the entries' keys
  std::vector<Entry> entries_;
  std::string words_;  // the keys, as words of a command
  std::size_t questions_ = 0;

  State state_ = State::called;
  bool is_elsewhere_ = false;  // whether the server has said that it is not the one to ask
  bool loaded_ = false;
  std::uint64_t healed_ = 0;  // a bit for each entry
  std::vector<std::int64_t> answers_;
  Failure failure_;                // of all
  std::vector<Failure> failures_;  // of entries; empty where none failed alone
};

}  // namespace ratelimit::redis
