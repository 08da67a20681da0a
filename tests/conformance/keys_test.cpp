// Keys and names of every kind stay apart.
#include <map>
#include <string>
#include <vector>

#include "conformance/backend_under_test.hpp"
#include "support/policies.hpp"
#include "support/test_names.hpp"

namespace ratelimit::testing {
namespace {

constexpr std::size_t kLongest = 65'536;
constexpr std::int64_t kAmple = 10'000;

/// Every kind of key, among them ones that are each other's beginnings or differ in little.
std::vector<std::string> odd_keys() {
  std::vector<std::string> keys = {
      "",     " ",        "a",       "A",          "a ",    "a:", ":a", "a:b", "b",
      "::",   "%",        "%3A",     "%25",        "a%3Ab", "{",  "}",  "{}",  "{a}",
      "{a}b", "a{",       "*",       "?",          "[a]",   "\\", "\"", "'",   "\n",
      "\r",   "\r\n",     "$-1\r\n", "a\r\nDEL a", "\t",    "-1", "0",  "1e9", "\xc3\xa4",
      "\xc3", "\xff\xfe", "\x80",    "nil",        "null"};
  using namespace std::string_literals;
  for (const auto& key : {"\0"s, "\0\0"s, "a\0"s, "a\0b"s, "a\0c"s, "\0a"s}) keys.push_back(key);
  for (const std::size_t size : {std::size_t{1000}, kLongest - 1, kLongest}) {
    keys.emplace_back(size, '\0');
    keys.emplace_back(size, 'x');
    keys.emplace_back(size, 'x').front() = 'y';
    keys.emplace_back(size, 'x').back() = 'y';
  }
  return keys;
}

std::vector<std::string> odd_names() {
  return {"a",
          "a:",
          "a:b",
          ":",
          ":a",
          "%",
          "%3A",
          "a%3A",
          "a%3Ab",
          "a%",
          "%25",
          "{a}",
          "{",
          "}",
          "{}",
          " ",
          " a",
          "a ",
          "~",
          "t1:a",
          "rl:t2:a",
          "b",
          std::string(254, 'n'),
          std::string(255, 'n')};
}

class Keys : public Conformance {};

TEST_P(Keys, OfEveryKindStayApart) {
  const auto limiter = this->limiter(with_limit(GetParam(), kAmple));
  const auto keys = odd_keys();
  std::int64_t cost = 0;
  for (const std::string& key : keys) {
    ++cost;
    ASSERT_EQ(limiter->allow(key, cost).remaining, kAmple - cost) << cost << "th key";
  }
  cost = 0;
  for (const std::string& key : keys) {
    ++cost;
    ASSERT_EQ(limiter->peek(key, 0).remaining, kAmple - cost) << cost << "th key";
  }
  ASSERT_EQ(limiter->reset(keys.back()), Errc::ok);
  ASSERT_EQ(limiter->peek(keys.back(), 0).remaining, kAmple);
  ASSERT_EQ(limiter->peek(keys.front(), 0).remaining, kAmple - 1);
}

TEST_P(Keys, OfLimitersOfDifferentNamesStayApart) {
  const std::vector<std::string> keys = {"", "a", ":", "a:b", "b", "%3A", "b:c", "{a}"};
  std::int64_t cost = 0;
  for (const std::string& name : odd_names()) {
    const auto limiter = this->limiter(with_limit(GetParam(), kAmple), name);
    for (const std::string& key : keys) {
      ++cost;
      ASSERT_EQ(limiter->allow(key, cost).remaining, kAmple - cost) << name << " and " << key;
    }
  }
  cost = 0;
  for (const std::string& name : odd_names()) {
    const auto limiter = this->limiter(with_limit(GetParam(), kAmple), name);
    for (const std::string& key : keys) {
      ++cost;
      ASSERT_EQ(limiter->peek(key, 0).remaining, kAmple - cost) << name << " and " << key;
    }
  }
}

TEST_P(Keys, LongerThanTheLongestAreRefused) {
  for (const OnError on_error : {OnError::local, OnError::allow, OnError::deny}) {
    const auto limiter = this->limiter(GetParam(), "test", {.on_error = on_error});
    const std::string key(kLongest + 1, 'x');
    for (const Decision& decision : {limiter->allow(key), limiter->peek(key)}) {
      EXPECT_FALSE(decision);
      EXPECT_EQ(decision.error, Errc::invalid_argument);
      EXPECT_EQ(decision.limit, limit_of(GetParam()));
    }
    EXPECT_EQ(limiter->reset(key), Errc::invalid_argument);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Keys, ::testing::ValuesIn(policies_of_ten_a_minute()), kind_name);

}  // namespace
}  // namespace ratelimit::testing
