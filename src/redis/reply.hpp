// A reply of the server, as a value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ratelimit::redis {

struct Reply {
  enum class Type : std::uint8_t { nil, status, error, string, integer, array };

  Type type = Type::nil;
  std::int64_t integer = 0;
  std::string text;  // of a status, an error or a string
  std::vector<Reply> elements;
};

}  // namespace ratelimit::redis
