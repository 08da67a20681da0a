#include "usage.hpp"

#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <string>

namespace ratelimit::bench {
namespace {

double read(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) throw std::runtime_error("the server has gone");
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// What all processors spent idle, in seconds: kept more exactly than what they spent busy.
double idle_of_machine() {
  std::ifstream stat("/proc/stat");
  std::string cpu;
  double user = 0;
  double nice = 0;
  double system = 0;
  double idle = 0;
  double waiting = 0;
  stat >> cpu >> user >> nice >> system >> idle >> waiting;
  return (idle + waiting) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

Meter::Meter(testing::RedisServer& server) {
  const auto pid = static_cast<pid_t>(server_info(server, "server", "process_id"));
  if (::clock_getcpuclockid(pid, &server_) != 0) throw std::runtime_error("no clock of the server");
}

Usage Meter::now() const {
  static const auto processors = static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN));
  Usage usage;
  usage.wall = read(CLOCK_MONOTONIC);
  usage.client = read(CLOCK_PROCESS_CPUTIME_ID);
  usage.server = read(server_);
  usage.others = usage.wall * processors - idle_of_machine() - usage.client - usage.server;
  return usage;
}

double server_info(testing::RedisServer& server, const std::string& section,
                   const std::string& field) {
  const std::string text = server.command({"INFO", section}).text;
  const std::size_t at = text.find("\n" + field + ":");
  if (at == std::string::npos) throw std::runtime_error("INFO has no " + field);
  return std::stod(text.substr(at + field.size() + 2));
}

}  // namespace ratelimit::bench
