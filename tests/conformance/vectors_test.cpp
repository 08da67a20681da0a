// Every line and field of the decision traces.
#include "conformance/backend_under_test.hpp"
#include "support/test_names.hpp"
#include "support/trace.hpp"

namespace ratelimit::testing {
namespace {

class Vectors : public WithBackend, public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(Vectors, HoldOnEveryLine) {
  const Trace trace = read_trace(GetParam());
  ASSERT_FALSE(trace.lines.empty());
  const auto limiter = this->limiter(trace.policy);
  for (const TraceLine& line : trace.lines) {
    const Decision decision = ask(*limiter, *clock_, line.key, {line.time, line.op, line.cost});
    if (line.op == TraceOp::reset) continue;
    ASSERT_TRUE(same(decision, line.expected))
        << "line " << line.number << "\n  decided  " << describe(decision) << "\n  expected "
        << describe(line.expected);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Vectors, ::testing::ValuesIn(trace_files()), trace_name);

}  // namespace
}  // namespace ratelimit::testing
