// Command lines of the benchmarks that have loops of their own: --name=value.
#pragma once

#include <charconv>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ratelimit::bench {

struct Argument {
  std::string name;   // with its dashes
  std::string value;  // empty: none
};

struct BadArgument : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct HelpWanted {};

/// Throws HelpWanted for --help.
inline std::vector<Argument> arguments(int argc, char** argv) {
  std::vector<Argument> all;
  for (int i = 1; i < argc; ++i) {
    const std::string_view text = argv[i];
    const std::size_t equals = text.find('=');
    all.push_back({std::string(text.substr(0, equals)),
                   std::string(equals == text.npos ? "" : text.substr(equals + 1))});
    if (all.back().name == "--help" || all.back().name == "-h") throw HelpWanted();
  }
  return all;
}

struct Bounds {
  double least;
  double most;
};

/// Throws BadArgument where it is no number within the bounds.
inline double number(const Argument& argument, Bounds bounds) {
  double value = 0;
  const char* const end = argument.value.data() + argument.value.size();
  const auto [stopped, error] = std::from_chars(argument.value.data(), end, value);
  if (error != std::errc() || stopped != end || value < bounds.least || value > bounds.most) {
    throw BadArgument(argument.name + "=" + argument.value);
  }
  return value;
}

/// Runs `body` as main. Returns its exit code; 2 where the command line is wrong; 1 where it throws
/// something else.
template <class Body>
int run_main(std::string_view usage, Body body) {
  const auto size = static_cast<int>(usage.size());
  try {
    return body();
  } catch (const HelpWanted&) {
    std::printf("%.*s", size, usage.data());
    return 0;
  } catch (const BadArgument& error) {
    std::fprintf(stderr, "not understood: %s\n%.*s", error.what(), size, usage.data());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace ratelimit::bench
