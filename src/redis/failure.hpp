// Why a call to the server did not give an answer.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "ratelimit/error.hpp"

namespace ratelimit::redis {

/// Nothing, where all went well.
using Failure = std::optional<Error>;

inline Failure failure(Errc code, std::string message) { return Error{code, std::move(message)}; }

}  // namespace ratelimit::redis
