// What a server says and what is said to it, for tests of conversations without a server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "redis/command.hpp"
#include "redis/reply.hpp"

namespace ratelimit::redis {

inline Reply integer(std::int64_t value) {
  return {.type = Reply::Type::integer, .integer = value};
}
inline Reply text(Reply::Type type, std::string words) {
  return {.type = type, .text = std::move(words)};
}
inline Reply error(std::string words) { return text(Reply::Type::error, std::move(words)); }
inline Reply ok() { return text(Reply::Type::status, "OK"); }
inline Reply array(std::vector<Reply> elements) {
  return {.type = Reply::Type::array, .elements = std::move(elements)};
}

inline std::string command(std::vector<std::string_view> words) {
  Commands out;
  append_command(out, words);
  return out.bytes;
}

}  // namespace ratelimit::redis
