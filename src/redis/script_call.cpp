#include "redis/script_call.hpp"

#include <fmt/format.h>

#include <array>

#include "redis/command.hpp"
#include "redis/server_error.hpp"

namespace ratelimit::redis {

ScriptCall::ScriptCall(const Script& script, std::string_view key,
                       std::span<const std::int64_t> arguments, std::size_t fields)
    : script_(script), key_(key), fields_(fields) {
  arguments_.reserve(arguments.size());
  for (const std::int64_t argument : arguments) arguments_.push_back(fmt::to_string(argument));
}

void ScriptCall::append_call(std::string& out) const {
  std::vector<std::string_view> words{"EVALSHA", script_.sha1, "1", key_};
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  append_command(out, words);
}

Exchange::Step ScriptCall::start(std::string& out) {
  append_call(out);
  return Step::listen;
}

Exchange::Step ScriptCall::hear(const Reply& reply, std::string& out) {
  const bool is_error = reply.type == Reply::Type::error;
  switch (state_) {
    case State::called:
      if (!is_error || classify(reply.text) != Errc::script_missing) break;
      // Loaded, not sent with EVAL: newer servers evict what only EVAL brought. Both in one flight.
      append_command(out, std::array<std::string_view, 3>{"SCRIPT", "LOAD", script_.source});
      append_call(out);
      state_ = State::loading;
      return Step::listen;
    case State::loading:
      loaded_ = !is_error;
      if (is_error) failure_ = Error{classify(reply.text), "SCRIPT LOAD: " + reply.text};
      state_ = State::called_again;
      return Step::listen;
    case State::called_again:
      // If it is still missing, why it was not loaded is the better explanation.
      if (is_error && failure_ && classify(reply.text) == Errc::script_missing) return Step::done;
      break;
  }
  return take_answer(reply);
}

Exchange::Step ScriptCall::take_answer(const Reply& reply) {
  failure_.reset();
  if (reply.type == Reply::Type::error) {
    failure_ = Error{classify(reply.text), reply.text};
    return is_wrong_server(reply.text) ? Step::leave : Step::done;
  }
  if (!take_fields(reply)) {
    failure_ = Error{Errc::protocol_error,
                     fmt::format("script {} gave a reply of another shape", script_.name)};
    return Step::leave;
  }
  healed_ = fields_[0] < 0;
  if (healed_) fields_[0] = -(fields_[0] + 1);
  return Step::done;
}

bool ScriptCall::take_fields(const Reply& reply) {
  if (fields_.size() == 1) {
    fields_[0] = reply.integer;
    return reply.type == Reply::Type::integer;
  }
  if (reply.type != Reply::Type::array || reply.elements.size() != fields_.size()) return false;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (reply.elements[i].type != Reply::Type::integer) return false;
    fields_[i] = reply.elements[i].integer;
  }
  return true;
}

}  // namespace ratelimit::redis
