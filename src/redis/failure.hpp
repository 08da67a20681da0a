// Why a call to the server did not give an answer.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "ratelimit/error.hpp"

namespace ratelimit::redis {

/// Nothing, where all went well.
using Failure = std::optional<Error>;

/// Whether it is the server's word that it serves nobody now, or no word of a server of ours.
inline bool is_outage(const Failure& failure) {
  return failure && (failure->code == Errc::server_not_ready ||
                     failure->code == Errc::access_denied || failure->code == Errc::protocol_error);
}

inline Failure failure(Errc code, std::string message) { return Error{code, std::move(message)}; }

}  // namespace ratelimit::redis
