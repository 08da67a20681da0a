#include "redis/command.hpp"

#include <array>
#include <charconv>

namespace ratelimit::redis {
namespace {

constexpr std::string_view kEndOfLine = "\r\n";

/// A number as text.
class Digits {
 public:
  explicit Digits(std::int64_t number)
      : end_(std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr) {}
  [[nodiscard]] std::string_view text() const { return {digits_.data(), end_}; }

 private:
  std::array<char, 20> digits_;
  const char* end_;
};

void append_line(std::string& out, char mark, std::size_t number) {
  out += mark;
  out.append(Digits(static_cast<std::int64_t>(number)).text()).append(kEndOfLine);
}

}  // namespace

void open_command(Commands& out, std::size_t words) {
  append_line(out.bytes, '*', words);
  ++out.count;
}

void open_word(std::string& out, std::size_t bytes) { append_line(out, '$', bytes); }

void close_word(std::string& out) { out.append(kEndOfLine); }

void append_word(std::string& out, std::string_view word) {
  open_word(out, word.size());
  out.append(word);
  close_word(out);
}

void append_word(std::string& out, std::int64_t number) { append_word(out, Digits(number).text()); }

void append_command(Commands& out, std::span<const std::string_view> words) {
  open_command(out, words.size());
  for (const std::string_view word : words) append_word(out.bytes, word);
}

}  // namespace ratelimit::redis
