// Names parametrised tests after what they run: a trace's file or a policy's kind.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "support/policies.hpp"

namespace ratelimit::testing {

/// What GoogleTest takes for a name: letters, digits and underscores.
inline std::string as_test_name(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return text;
}

inline std::string trace_name(const ::testing::TestParamInfo<std::filesystem::path>& info) {
  return as_test_name(info.param.stem().string());
}

inline std::string kind_name(const ::testing::TestParamInfo<Policy>& info) {
  return kind_of(info.param);
}

}  // namespace ratelimit::testing
