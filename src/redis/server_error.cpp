#include "redis/server_error.hpp"

#include <array>
#include <utility>

namespace ratelimit::redis {

namespace {

/// Redis 6 puts what failed inside a script behind words of its own:
/// "ERR Error running script (call to f_...): @user_script:52: @user_script: 52: -OOM command ...".
std::string_view unwrapped(std::string_view error_text) {
  if (!error_text.starts_with("ERR Error running script")) return error_text;
  const auto at = error_text.rfind(": -");
  return at == std::string_view::npos ? error_text : error_text.substr(at + 3);
}

}  // namespace

Errc classify(std::string_view error_text) {
  error_text = unwrapped(error_text);
  using enum Errc;
  static constexpr auto kCodes = std::to_array<std::pair<std::string_view, Errc>>({
      {"NOSCRIPT", script_missing},
      {"OOM", server_full},
      {"MISCONF", server_full},
      {"NOREPLICAS", server_full},
      {"LOADING", server_not_ready},
      {"BUSY", server_not_ready},
      {"READONLY", server_not_ready},
      {"MASTERDOWN", server_not_ready},
      {"CLUSTERDOWN", server_not_ready},
      {"TRYAGAIN", server_not_ready},
      {"MOVED", server_not_ready},
      {"ASK", server_not_ready},
      {"NOAUTH", access_denied},
      {"WRONGPASS", access_denied},
      {"NOPERM", access_denied},
      {"DENIED", access_denied},
  });
  const auto first_word = error_text.substr(0, error_text.find(' '));
  for (const auto& [word, code] : kCodes) {
    if (first_word == word) return code;
  }
  // Errors that have no word of their own.
  if (error_text.starts_with("ERR max number of clients")) return server_not_ready;
  if (error_text.starts_with("ERR The user executing the script can't")) return access_denied;
  if (error_text.starts_with("ERR ACL failure in script")) return access_denied;
  if (error_text.starts_with("ERR AUTH ")) return access_denied;
  if (error_text.starts_with("ERR invalid password")) return access_denied;
  return server_error;
}

bool is_wrong_server(std::string_view error_text) {
  error_text = unwrapped(error_text);
  return error_text.starts_with("READONLY ") || error_text.starts_with("MASTERDOWN ");
}

}  // namespace ratelimit::redis
