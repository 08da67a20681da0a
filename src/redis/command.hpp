// Commands, as the bytes that a server reads.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ratelimit::redis {

/// Appends one command to `out`. Throws std::bad_alloc.
void append_command(std::string& out, std::span<const std::string_view> words);

}  // namespace ratelimit::redis
