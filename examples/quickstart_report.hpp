// What the quickstart prints: a column for each policy, and beneath it the clients that it limits
// most.
#pragma once

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "access_log.hpp"

namespace examples {

/// What one policy did to a log.
struct Tally {
  std::string_view policy;
  std::uint64_t decisions = 0;
  std::uint64_t degraded = 0;         // of these: made without the backend
  std::vector<std::uint64_t> denied;  // for each client of the log
  std::chrono::nanoseconds time{0};   // that the decisions took
};

/// Prints all figures. Only the last line depends on where and when they were made.
void print_report(std::ostream& out, const AccessLog& log, const std::vector<Tally>& tallies);

/// Prints the first lines that could not be read, and why.
void print_bad_lines(std::ostream& out, const AccessLog& log);

}  // namespace examples
