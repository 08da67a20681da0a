// What can go wrong, as a one-byte code that also says whether a cost was charged.
//
// A denied call is an answer, not an error. Codes travel in a Decision; a code with a text for
// people travels in a Result (see result.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ratelimit/export.hpp"

namespace ratelimit {

/// What happened. How to choose between two: read "charged" first, it decides whether asking again
/// may charge twice.
enum class [[nodiscard]] Errc : std::uint8_t{
    ok,                ///< The backend answered.
    invalid_argument,  ///< A bad option, policy, name, cost or key. Charged: no.
    out_of_memory,     ///< This process could not allocate. Charged: no.
    unreachable,      ///< No connection within the deadline; the command was not sent. Charged: no.
    circuit_open,     ///< Not asked, because the server has failed just now. Charged: no.
    timeout,          ///< Sent, or shared with callers who still wait, and no answer within the
                      ///< deadline. Charged: unknown.
    connection_lost,  ///< Sent, and the connection ended before the answer. Charged: unknown.
    protocol_error,   ///< Sent, and what came back is no answer. Charged: unknown.
    access_denied,  ///< The server refused the user, the password or a command (ACL). Charged: no.
    server_not_ready,  ///< The server is loading, busy, a replica, or in a failover. Charged: no.
    server_full,       ///< The server refuses writes: memory, disk or replicas. Charged: no.
    script_missing,    ///< The server has not got the script, even once it was loaded. Charged: no.
    server_error,      ///< The server answered with any other error. Charged: no.
};

/// Whether the cost of a call that ended with an error was charged.
enum class Charged : std::uint8_t { no, yes, unknown };

/// Returns whether a call that ended with `code` charged its cost; for `Errc::ok` the decision
/// tells.
[[nodiscard]] RATELIMIT_API Charged charged(Errc code) noexcept;

/// Returns the enumerator's name, such as "timeout". The text lives as long as the program.
[[nodiscard]] RATELIMIT_API std::string_view to_string(Errc code) noexcept;

/// An error code with a text for people. The text names the field, its value and the bound it
/// broke, and never holds a password.
struct Error {
  Errc code = Errc::ok;
  std::string message;
};

}  // namespace ratelimit
