#include "support/trace.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <tuple>

#include "support/environment.hpp"

namespace ratelimit::testing {
namespace {

using Fields = std::map<std::string, std::int64_t>;

Policy policy_of(const std::string& kind, const Fields& fields) {
  const auto get = [&](const char* name) { return fields.at(name); };
  const auto span = [&](const char* name) { return Duration(fields.at(name)); };
  if (kind == "token_bucket") return TokenBucket{get("capacity"), get("refill"), span("period")};
  if (kind == "leaky_bucket") return LeakyBucket{get("capacity"), get("leak"), span("period")};
  if (kind == "fixed_window") return FixedWindow{get("limit"), span("window")};
  if (kind == "sliding_window_log") return SlidingWindowLog{get("limit"), span("window")};
  if (kind == "sliding_window_counter") return SlidingWindowCounter{get("limit"), span("window")};
  throw std::runtime_error("unknown policy " + kind);
}

Policy read_policy(const std::string& line) {
  std::istringstream in(line);
  std::string word;
  std::string kind;
  Fields fields;
  in >> word >> kind;
  if (word != "policy") throw std::runtime_error("the first line must start with \"policy\"");
  while (in >> word) {
    const auto equals = word.find('=');
    fields[word.substr(0, equals)] = std::stoll(word.substr(equals + 1));
  }
  return policy_of(kind, fields);
}

Duration wait_of(std::int64_t count) { return count < 0 ? never : Duration(count); }

TraceOp op_of(const std::string& word) {
  if (word == "allow") return TraceOp::allow;
  if (word == "peek") return TraceOp::peek;
  if (word == "reset") return TraceOp::reset;
  throw std::runtime_error("unknown operation " + word);
}

TraceLine read_line(const std::string& text) {
  std::istringstream in(text);
  TraceLine line;
  std::int64_t time = 0;
  std::string op;
  in >> time >> line.key >> op >> line.cost;
  line.time = TimePoint(Duration(time));
  line.op = op_of(op);
  if (line.op != TraceOp::reset) {
    int allowed = 0;
    std::int64_t retry = 0;
    std::int64_t reset = 0;
    std::int64_t delay = 0;
    in >> allowed >> line.expected.limit >> line.expected.remaining >> retry >> reset >> delay;
    line.expected.allowed = allowed != 0;
    line.expected.retry_after = wait_of(retry);
    line.expected.reset_after = wait_of(reset);
    line.expected.delay = wait_of(delay);
  }
  if (!in) throw std::runtime_error("a field is missing or not a number");
  return line;
}

}  // namespace

Trace read_trace(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string text;
  int number = 1;
  try {
    if (!std::getline(in, text)) throw std::runtime_error("nothing to read");
    Trace trace{file.stem().string(), read_policy(text), {}};
    while (std::getline(in, text)) {
      ++number;
      if (text.empty()) continue;
      trace.lines.push_back(read_line(text));
      trace.lines.back().number = number;
    }
    return trace;
  } catch (const std::exception& problem) {
    throw std::runtime_error(file.string() + ":" + std::to_string(number) + ": " + problem.what());
  }
}

std::vector<std::filesystem::path> trace_files() {
  const std::filesystem::path folder = environment("RATELIMIT_VECTORS", RATELIMIT_TEST_VECTORS);
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string describe(const Decision& decision) {
  std::ostringstream out;
  out << (decision.allowed ? "allowed" : "denied") << " error=" << to_string(decision.error)
      << " limit=" << decision.limit << " remaining=" << decision.remaining
      << " retry_after=" << decision.retry_after.count()
      << " reset_after=" << decision.reset_after.count() << " delay=" << decision.delay.count();
  return out.str();
}

bool same(const Decision& a, const Decision& b) {
  const auto fields = [](const Decision& d) {
    return std::tie(d.allowed, d.error, d.limit, d.remaining, d.retry_after, d.reset_after,
                    d.delay);
  };
  return fields(a) == fields(b);
}

}  // namespace ratelimit::testing
