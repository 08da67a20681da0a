// For typed tests: the five kinds of policy, and their names in the tests'.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "ratelimit/policy.hpp"

namespace ratelimit::testing {

using AllKinds =
    ::testing::Types<TokenBucket, LeakyBucket, FixedWindow, SlidingWindowLog, SlidingWindowCounter>;

class KindNames {
 public:
  template <class Kind>
  static std::string GetName(int /*index*/);  // NOLINT: GoogleTest's name
};
template <>
inline std::string KindNames::GetName<TokenBucket>(int /*index*/) {
  return "TokenBucket";
}
template <>
inline std::string KindNames::GetName<LeakyBucket>(int /*index*/) {
  return "LeakyBucket";
}
template <>
inline std::string KindNames::GetName<FixedWindow>(int /*index*/) {
  return "FixedWindow";
}
template <>
inline std::string KindNames::GetName<SlidingWindowLog>(int /*index*/) {
  return "SlidingWindowLog";
}
template <>
inline std::string KindNames::GetName<SlidingWindowCounter>(int /*index*/) {
  return "SlidingWindowCounter";
}

}  // namespace ratelimit::testing
