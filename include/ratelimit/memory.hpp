// The in-memory backend: for limits that are local anyway, and for unit tests.
#pragma once

#include <cstdint>
#include <memory>

#include "ratelimit/backend.hpp"
#include "ratelimit/clock.hpp"
#include "ratelimit/export.hpp"
#include "ratelimit/result.hpp"

namespace ratelimit {

/// Options of the in-memory backend.
struct MemoryOptions {
  /// The source of time. Null: the system's clock.
  std::shared_ptr<const Clock> clock = nullptr;

  /// The most keys that are kept, over all limiters of the backend; at least 1. When a new key
  /// finds no room, a key that has fully recovered is forgotten (which changes no decision); only
  /// where there is none, the key that would recover first is, and `Statistics::forgotten_debt`
  /// counts it.
  std::int64_t max_keys = 1'000'000;
};

/// Makes a backend whose state lives in this process.
///
/// Errors: Errc::invalid_argument for a bad option; Errc::out_of_memory.
RATELIMIT_API Result<std::shared_ptr<Backend>> make_memory_backend(MemoryOptions options = {});

}  // namespace ratelimit
