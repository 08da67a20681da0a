// Result, Errc, Decision: what results and answers are made of.
#include "ratelimit/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <type_traits>

#include "ratelimit/decision.hpp"
#include "ratelimit/error.hpp"

namespace ratelimit::testing {
namespace {

static_assert(sizeof(Errc) == 1);
static_assert(std::is_trivially_copyable_v<Decision>);
static_assert(sizeof(Decision) <= 64);
static_assert(!std::is_convertible_v<Decision, bool>);
static_assert(!std::is_convertible_v<Result<int>, bool>);

Error some_error() { return {Errc::invalid_argument, "field is 0; it must be at least 1"}; }

TEST(Result, HoldsAValue) {
  Result<std::string> result(std::string("value"));
  EXPECT_TRUE(result.has_value());
  EXPECT_TRUE(result);
  EXPECT_EQ(result.value(), "value");
  EXPECT_EQ(*result, "value");
  EXPECT_EQ(result->size(), 5U);
  result.value() = "other";
  EXPECT_EQ(std::as_const(result).value(), "other");
  EXPECT_EQ(*std::as_const(result), "other");
  EXPECT_EQ(std::as_const(result)->size(), 5U);
}

TEST(Result, GivesUpAValueThatOnlyMoves) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 7);
}

TEST(Result, HoldsAnError) {
  const Result<int> result(some_error());
  EXPECT_FALSE(result.has_value());
  EXPECT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::invalid_argument);
  EXPECT_EQ(result.error().message, some_error().message);
}

TEST(Result, ValueThrowsWhereThereIsNone) {
  Result<int> result(some_error());
  EXPECT_THROW((void)result.value(), BadResultAccess);
  EXPECT_THROW((void)std::as_const(result).value(), BadResultAccess);
  try {
    (void)std::move(result).value();
    FAIL() << "must throw";
  } catch (const BadResultAccess& problem) {
    EXPECT_EQ(problem.code(), Errc::invalid_argument);
    EXPECT_EQ(problem.what(), some_error().message);
  }
}

constexpr Errc kCodes[] = {Errc::ok,
                           Errc::invalid_argument,
                           Errc::out_of_memory,
                           Errc::unreachable,
                           Errc::circuit_open,
                           Errc::timeout,
                           Errc::connection_lost,
                           Errc::protocol_error,
                           Errc::access_denied,
                           Errc::server_not_ready,
                           Errc::server_full,
                           Errc::script_missing,
                           Errc::server_error};

TEST(Errc, EachHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Errc code : kCodes) names.insert(to_string(code));
  EXPECT_EQ(names.size(), std::size(kCodes));
  EXPECT_EQ(names.count("unknown"), 0U);
  EXPECT_EQ(to_string(Errc::ok), "ok");
  EXPECT_EQ(to_string(Errc::connection_lost), "connection_lost");
  EXPECT_EQ(to_string(static_cast<Errc>(std::size(kCodes))), "unknown") << "a code is not tested";
}

TEST(Errc, SaysWhetherTheCostWasCharged) {
  const std::set<Errc> unknown = {Errc::timeout, Errc::connection_lost, Errc::protocol_error};
  for (const Errc code : kCodes) {
    EXPECT_EQ(charged(code), unknown.count(code) != 0 ? Charged::unknown : Charged::no)
        << to_string(code);
  }
  EXPECT_EQ(charged(static_cast<Errc>(200)), Charged::unknown);
}

TEST(Decision, IsTrueIffAllowedAndDegradedIffThereWasAnError) {
  Decision decision;
  EXPECT_FALSE(decision);
  EXPECT_FALSE(decision.degraded());
  decision.allowed = true;
  EXPECT_TRUE(decision);
  decision.error = Errc::timeout;
  EXPECT_TRUE(decision.degraded());
  EXPECT_TRUE(decision);
}

}  // namespace
}  // namespace ratelimit::testing
