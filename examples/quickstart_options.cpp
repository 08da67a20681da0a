#include "quickstart_options.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace examples {
namespace {

constexpr std::string_view kUsage =
    R"(usage: quickstart [--policy NAME] [--limit N] [--window SECONDS] [--redis URL] LOG

Replays a web server's access log (Common or Combined Log Format; - for standard input)
and says which clients a rate limit would have denied.

  --policy NAME      token, leaky, fixed, log or counter; without it, all five side by side
  --limit N          requests allowed to each client per window (10)
  --window SECONDS   length of the window (60)
  --redis URL        keep the state on a Redis server, such as redis://127.0.0.1:6379
)";

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::vector<NamedPolicy> all_policies(std::int64_t limit, ratelimit::Duration window) {
  return {{"token", ratelimit::TokenBucket{limit, limit, window}},
          {"leaky", ratelimit::LeakyBucket{limit, limit, window}},
          {"fixed", ratelimit::FixedWindow{limit, window}},
          {"log", ratelimit::SlidingWindowLog{limit, window}},
          {"counter", ratelimit::SlidingWindowCounter{limit, window}}};
}

/// A count that also fits where it is seconds and becomes microseconds; the library knows the
/// narrower bounds of each policy.
std::int64_t read_count(const std::string& option, std::string_view text) {
  constexpr std::int64_t kMost = 1'000'000'000'000;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > kMost) {
    throw UsageError(option + " takes a whole number from 1 to 10^12, not \"" + std::string(text) +
                     '"');
  }
  return value;
}

/// The arguments as they were given.
struct Arguments {
  std::string policy;
  std::string limit = "10";
  std::string window = "60";
  std::string redis;
  std::string log;
};

Arguments read_arguments(const std::vector<std::string>& words) {
  Arguments arguments;
  const std::vector<std::pair<std::string_view, std::string*>> options{
      {"--policy", &arguments.policy},
      {"--limit", &arguments.limit},
      {"--window", &arguments.window},
      {"--redis", &arguments.redis}};
  for (auto word = words.begin(); word != words.end(); ++word) {
    std::string* target = nullptr;
    for (const auto& [name, value] : options) {
      if (*word == name) target = value;
    }
    if (target != nullptr) {
      if (word + 1 == words.end() || word[1].empty()) throw UsageError(*word + " takes a value");
      *target = *++word;
    } else if (word->size() > 1 && word->front() == '-') {
      throw UsageError("unknown option " + *word);
    } else if (!arguments.log.empty()) {
      throw UsageError("one log at a time, not also \"" + *word + '"');
    } else {
      arguments.log = *word;
    }
  }
  if (arguments.log.empty()) throw UsageError("no log given");
  return arguments;
}

Options make_options(const Arguments& arguments) {
  const std::int64_t limit = read_count("--limit", arguments.limit);
  const std::chrono::seconds window(read_count("--window", arguments.window));
  Options options;
  for (const NamedPolicy& policy : all_policies(limit, window)) {
    if (arguments.policy.empty() || arguments.policy == policy.name) {
      options.policies.push_back(policy);
    }
  }
  if (options.policies.empty()) throw UsageError("no policy \"" + arguments.policy + '"');
  options.limit = std::to_string(limit) + " in " + std::to_string(window.count()) + " s";
  options.redis_url = arguments.redis;
  options.log = arguments.log;
  return options;
}

}  // namespace

std::optional<Options> read_options(int argc, const char* const* argv, int& exit_code) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  for (const std::string& word : words) {
    if (word == "--help" || word == "-h") {
      std::cout << kUsage;
      exit_code = 0;
      return std::nullopt;
    }
  }
  try {
    return make_options(read_arguments(words));
  } catch (const UsageError& error) {
    std::cerr << "quickstart: " << error.what() << "\n\n" << kUsage;
    exit_code = 2;
    return std::nullopt;
  }
}

}  // namespace examples
