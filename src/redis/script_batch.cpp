#include "redis/script_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <functional>

#include "redis/command.hpp"
#include "redis/server_error.hpp"

namespace ratelimit::redis {
namespace {

/// A number as the scripts unpack it: a double, little-endian. What is not exact is beyond any
/// limit.
void append_number(std::string& out, std::int64_t number) {
  const std::int64_t exact = std::clamp(number, -kExactBound, kExactBound);
  auto bits = std::bit_cast<std::uint64_t>(static_cast<double>(exact));
  std::array<char, sizeof bits> bytes;
  for (char& byte : bytes) {
    byte = static_cast<char>(bits & 0xff);
    bits >>= 8;
  }
  out.append(bytes.data(), bytes.size());
}

}  // namespace

ScriptBatch::ScriptBatch(const Script& script, std::span<const std::int64_t> constants,
                         std::size_t fields, std::optional<Micros> now)
    : script_(script), fields_(fields), now_(now), constant_count_(constants.size()) {
  std::ranges::copy(constants, constants_.begin());
}

ScriptBatch::Entry* ScriptBatch::newest_of(std::uint32_t hash, std::string_view key) {
  for (std::size_t i = entries_.size(); i-- > 0;) {
    if (hashes_[i] != hash) continue;
    Entry& entry = entries_[i];
    if (std::string_view(words_).substr(entry.key_at, entry.key_size) == key) return &entry;
  }
  return nullptr;
}

std::optional<ScriptBatch::Place> ScriptBatch::add(std::string_view key, std::int64_t charge) {
  const auto hash = static_cast<std::uint32_t>(std::hash<std::string_view>{}(key));
  if (Entry* const entry = newest_of(hash, key); entry != nullptr && entry->charge == charge) {
    ++questions_;
    return Place{.entry = static_cast<std::uint32_t>(entry - entries_.data()),
                 .turn = entry->times++};
  }
  if (entries_.size() == kMostKeys) return std::nullopt;
  constexpr std::size_t kMostAround = 16;  // of what makes a key a word
  // First all that may throw.
  if (entries_.size() == entries_.capacity()) entries_.reserve(2 * entries_.size() + 1);
  if (words_.capacity() - words_.size() < key.size() + kMostAround) {
    words_.reserve(std::max(2 * words_.capacity(), words_.size() + key.size() + kMostAround));
  }
  open_word(words_, key.size());
  const std::size_t key_at = words_.size();
  words_.append(key);
  close_word(words_);
  hashes_[entries_.size()] = hash;
  entries_.push_back({.charge = charge, .key_at = key_at, .key_size = key.size(), .times = 1});
  ++questions_;
  return Place{.entry = static_cast<std::uint32_t>(entries_.size() - 1), .turn = 0};
}

/// Whether one number tells the charge of every entry, each made once.
bool ScriptBatch::is_plain() const {
  return std::ranges::all_of(entries_, [&](const Entry& entry) {
    return entry.times == 1 && entry.charge == entries_.front().charge;
  });
}

void ScriptBatch::append_numbers(std::string& out) const {
  const bool plain = is_plain();
  const std::size_t numbers = constant_count_ + 1 + (plain ? 1 : 2 * entries_.size());
  open_word(out, numbers * sizeof(double));
  for (std::size_t i = 0; i < constant_count_; ++i) append_number(out, constants_[i]);
  append_number(out, now_.value_or(-1));
  if (plain) {
    append_number(out, entries_.front().charge);
  } else {
    for (const Entry& entry : entries_) {
      append_number(out, entry.charge);
      append_number(out, entry.times);
    }
  }
  close_word(out);
}

void ScriptBatch::append_call(Commands& out) const {
  std::string& bytes = out.bytes;
  bytes.reserve(bytes.size() + words_.size() + entries_.size() * 2 * sizeof(double) + 160);
  open_command(out, entries_.size() + 4);
  append_word(bytes, "EVALSHA");
  append_word(bytes, script_.sha1);
  append_word(bytes, static_cast<std::int64_t>(entries_.size()));
  bytes.append(words_);
  append_numbers(bytes);
}

Exchange::Step ScriptBatch::start(Commands& out) {
  state_ = State::called;
  is_elsewhere_ = false;
  healed_ = 0;
  failure_.reset();
  failures_.clear();
  append_call(out);
  return Step::listen;
}

Exchange::Step ScriptBatch::hear(const Reply& reply, Commands& out) {
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

Exchange::Step ScriptBatch::take_answer(const Reply& reply) {
  failure_.reset();
  if (reply.type == Reply::Type::error) {
    failure_ = Error{classify(reply.text), reply.text};
    is_elsewhere_ = is_wrong_server(reply.text);
    return is_elsewhere_ ? Step::leave : Step::done;
  }
  const std::size_t count = entries_.size();
  const bool is_alone = count * fields_ == 1;  // then it is no array
  const std::span<const Reply> replies =
      is_alone ? std::span(&reply, 1) : std::span<const Reply>(reply.elements);
  bool is_sound =
      (is_alone || reply.type == Reply::Type::array) && replies.size() == count * fields_;
  answers_.resize(count * fields_);
  for (std::size_t i = 0; i < count && is_sound; ++i) {
    is_sound = take_entry(i, replies.subspan(i * fields_, fields_));
  }
  if (!is_sound) {
    failure_ = Error{Errc::protocol_error,
                     fmt::format("script {} gave a reply of another shape", script_.name)};
    return Step::leave;
  }
  // Then no other entry was written, either: those that have an answer were denied.
  is_elsewhere_ = std::ranges::any_of(replies, [](const Reply& each) {
    return each.type == Reply::Type::error && is_wrong_server(each.text);
  });
  return is_elsewhere_ ? Step::leave : Step::done;
}

bool ScriptBatch::take_entry(std::size_t entry, std::span<const Reply> fields) {
  const std::span<std::int64_t> answer = std::span(answers_).subspan(entry * fields_, fields_);
  const Reply& first = fields.front();
  const bool has_failed = first.type == Reply::Type::error;
  if (has_failed) {
    failures_.resize(entries_.size());
    failures_[entry] = Error{classify(first.text), first.text};
  }
  for (std::size_t i = has_failed ? 1 : 0; i < fields_; ++i) {
    if (fields[i].type != Reply::Type::integer) return false;
    answer[i] = fields[i].integer;
  }
  if (!has_failed && answer[0] < 0) {
    answer[0] = -(answer[0] + 1);
    healed_ |= std::uint64_t{1} << entry;
  }
  return true;
}

const Failure& ScriptBatch::failure(const Place& place) const {
  return failure_ || failures_.empty() ? failure_ : failures_[place.entry];
}

const Failure& ScriptBatch::trouble() const {
  if (failure_) return failure_;
  const auto at =
      std::ranges::find_if(failures_, [](const Failure& failure) { return is_outage(failure); });
  return at == failures_.end() ? failure_ : *at;
}

std::span<const std::int64_t> ScriptBatch::fields(const Place& place) const {
  return std::span(answers_).subspan(place.entry * fields_, fields_);
}

bool ScriptBatch::healed(const Place& place) const {
  return place.turn == 0 && (healed_ >> place.entry & 1) != 0;
}

}  // namespace ratelimit::redis
