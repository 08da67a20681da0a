// Commands, as the bytes that a server reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ratelimit::redis {

/// Commands in a row, each of which will have one reply.
struct Commands {
  std::string bytes;
  std::size_t count = 0;
};

/// Appends the opening of a command of so many words, which are to follow. Throws std::bad_alloc.
void open_command(Commands& out, std::size_t words);

/// Appends a word of it. Throws std::bad_alloc.
void append_word(std::string& out, std::string_view word);
void append_word(std::string& out, std::int64_t number);

/// Appends the opening of a word of so many bytes, which are to follow, and then close_word.
void open_word(std::string& out, std::size_t bytes);
void close_word(std::string& out);

/// Appends one command. Throws std::bad_alloc.
void append_command(Commands& out, std::span<const std::string_view> words);

}  // namespace ratelimit::redis
