// One decision's talk with the server: run the script; where the server has not got it, load it and
// run it once more.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "redis/exchange.hpp"
#include "redis/failure.hpp"
#include "redis/script.hpp"

namespace ratelimit::redis {

class ScriptCall final : public Exchange {
 public:
  /// `fields` is how many integers the script replies: one alone, several as an array.
  /// Keeps a reference to `script` and a view of `key`.
  ScriptCall(const Script& script, std::string_view key, std::span<const std::int64_t> arguments,
             std::size_t fields);

  Step start(std::string& out) override;
  Step hear(const Reply& reply, std::string& out) override;

  // To be read when done:

  /// Why there is no answer.
  [[nodiscard]] Failure& failure() { return failure_; }

  /// The answer. A first field below 0 has been turned back, and `healed` says so.
  [[nodiscard]] std::span<const std::int64_t> fields() const { return fields_; }
  [[nodiscard]] bool healed() const { return healed_; }

  /// Whether the script was loaded on the way.
  [[nodiscard]] bool loaded() const { return loaded_; }

 private:
  enum class State : std::uint8_t { called, loading, called_again };

  void append_call(std::string& out) const;
  Step take_answer(const Reply& reply);
  bool take_fields(const Reply& reply);

  const Script& script_;
  std::string_view key_;
  std::vector<std::string> arguments_;
  std::vector<std::int64_t> fields_;
  State state_ = State::called;
  Failure failure_;
  bool healed_ = false;
  bool loaded_ = false;
};

}  // namespace ratelimit::redis
