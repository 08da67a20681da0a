// The names of keys on the server: PREFIX TAG:NAME:KEY, such as "rl:t2:login:alice".
#pragma once

#include <string>
#include <string_view>

namespace ratelimit::redis {

/// All of it up to the user's key. Distinct (tag, name, key) never give the same whole: in the name
/// ':' and '%' are percent-encoded, so the ':' after it is where the key begins.
inline std::string state_key_stem(std::string_view prefix, std::string_view tag,
                                  std::string_view name) {
  std::string stem(prefix);
  stem.append(tag) += ':';
  for (const char c : name) {
    if (c == ':') {
      stem += "%3A";
    } else if (c == '%') {
      stem += "%25";
    } else {
      stem += c;
    }
  }
  return stem += ':';
}

}  // namespace ratelimit::redis
