// Every line and field of the decision traces on the pure policies.
#include <gtest/gtest.h>

#include <map>

#include "support/pure.hpp"
#include "support/test_names.hpp"
#include "support/trace.hpp"

namespace ratelimit::testing {
namespace {

class PolicyVectors : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(PolicyVectors, HoldOnEveryLine) {
  const Trace trace = read_trace(GetParam());
  ASSERT_FALSE(trace.lines.empty());
  std::map<std::string, PureKey> keys;
  for (const TraceLine& line : trace.lines) {
    PureKey& key = keys.try_emplace(line.key, trace.policy).first->second;
    const Decision decision = key.ask({line.time, line.op, line.cost});
    if (line.op == TraceOp::reset) continue;
    ASSERT_TRUE(same(decision, line.expected))
        << "line " << line.number << "\n  decided  " << describe(decision) << "\n  expected "
        << describe(line.expected);
  }
}

INSTANTIATE_TEST_SUITE_P(All, PolicyVectors, ::testing::ValuesIn(trace_files()), trace_name);

}  // namespace
}  // namespace ratelimit::testing
