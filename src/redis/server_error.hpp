// What a server's error reply means for the call that it answers.
#pragma once

#include <string_view>

#include "ratelimit/error.hpp"

namespace ratelimit::redis {

/// Returns the code for an error reply's text, of which only the first words are read: the rest
/// differs between servers. Errc::script_missing is a NOSCRIPT: load the script and ask again.
Errc classify(std::string_view error_text);

/// Whether the server says that it is not the one to ask. A new connection may find another behind
/// the same name.
bool is_wrong_server(std::string_view error_text);

}  // namespace ratelimit::redis
