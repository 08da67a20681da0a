#include "redis/command.hpp"

#include <hiredis/hiredis.h>

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace ratelimit::redis {

void append_command(std::string& out, std::span<const std::string_view> words) {
  std::vector<const char*> starts;
  std::vector<std::size_t> sizes;
  starts.reserve(words.size());
  sizes.reserve(words.size());
  for (const std::string_view word : words) {
    starts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* bytes = nullptr;
  const auto size =
      redisFormatCommandArgv(&bytes, static_cast<int>(words.size()), starts.data(), sizes.data());
  if (size < 0) throw std::bad_alloc();
  const std::unique_ptr<char, decltype(&redisFreeCommand)> owned(bytes, &redisFreeCommand);
  out.append(bytes, static_cast<std::size_t>(size));
}

}  // namespace ratelimit::redis
