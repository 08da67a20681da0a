// Reads decision traces: what an exact model answered to a sequence of calls. See
// tests/vectors/README.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "ratelimit/decision.hpp"
#include "ratelimit/policy.hpp"
#include "ratelimit/time.hpp"

namespace ratelimit::testing {

enum class TraceOp : std::uint8_t { allow, peek, reset };

struct TraceLine {
  int number = 0;  // in its file, from 1
  TimePoint time;
  std::string key;
  TraceOp op = TraceOp::allow;
  std::int64_t cost = 0;
  Decision expected;  // not of a reset
};

struct Trace {
  std::string name;  // of the file, without ".txt"
  Policy policy;
  std::vector<TraceLine> lines;
};

/// Reads one file. Throws std::runtime_error that names the file and the line where it can't be
/// read.
Trace read_trace(const std::filesystem::path& file);

/// The traces under tests/vectors, or under the directory that RATELIMIT_VECTORS names, by name.
std::vector<std::filesystem::path> trace_files();

/// All fields, for messages of failed tests.
std::string describe(const Decision& decision);

/// Whether all fields are equal.
bool same(const Decision& a, const Decision& b);

}  // namespace ratelimit::testing
