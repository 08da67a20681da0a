// Reading URLs, and names of keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "redis/state_key.hpp"
#include "redis/url.hpp"

namespace ratelimit::redis {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Endpoint parsed(std::string_view url) {
  auto endpoint = parse_url(url);
  EXPECT_TRUE(endpoint) << endpoint.error().message;
  return endpoint ? *endpoint : Endpoint{};
}

std::string problem_of(std::string_view url) {
  const auto endpoint = parse_url(url);
  EXPECT_FALSE(endpoint) << url;
  if (endpoint) return {};
  EXPECT_EQ(endpoint.error().code, Errc::invalid_argument);
  return endpoint.error().message;
}

TEST(Url, DefaultsToPort6379AndDatabase0) {
  const Endpoint endpoint = parsed("redis://cache.example");
  EXPECT_EQ(endpoint.host, "cache.example");
  EXPECT_EQ(endpoint.port, 6379);
  EXPECT_EQ(endpoint.database, 0);
  EXPECT_EQ(endpoint.user, "");
  EXPECT_EQ(endpoint.password, "");
  EXPECT_FALSE(endpoint.is_unix());
  EXPECT_EQ(endpoint.name(), "cache.example:6379");
}

TEST(Url, ReadsEveryPart) {
  const Endpoint endpoint = parsed("redis://app:s%40cr%3Aet@cache.example:7000/12");
  EXPECT_EQ(endpoint.host, "cache.example");
  EXPECT_EQ(endpoint.port, 7000);
  EXPECT_EQ(endpoint.database, 12);
  EXPECT_EQ(endpoint.user, "app");
  EXPECT_EQ(endpoint.password, "s@cr:et");
  EXPECT_EQ(endpoint.name(), "cache.example:7000");
}

TEST(Url, TakesAPasswordWithoutAUserAndColonsInIt) {
  EXPECT_EQ(parsed("redis://:pw@h").user, "");
  EXPECT_EQ(parsed("redis://:pw@h").password, "pw");
  EXPECT_EQ(parsed("redis://u:p:w@h").password, "p:w");
  EXPECT_EQ(parsed("redis://u:p@w@h").password, "p@w");
}

TEST(Url, TakesIpv6InBrackets) {
  EXPECT_EQ(parsed("redis://[::1]").host, "::1");
  EXPECT_EQ(parsed("redis://[::1]:7000/3").port, 7000);
  EXPECT_EQ(parsed("redis://[::1]:7000/3").database, 3);
  EXPECT_EQ(parsed("redis://[::1]:7000").name(), "[::1]:7000");
}

TEST(Url, AsksForTlsByItsScheme) {
  EXPECT_FALSE(parsed("redis://h").tls);
  EXPECT_FALSE(parsed("unix:///a").tls);
  const Endpoint endpoint = parsed("rediss://app:pw@cache.example:7000/12");
  EXPECT_TRUE(endpoint.tls);
  EXPECT_EQ(endpoint.host, "cache.example");
  EXPECT_EQ(endpoint.port, 7000);
  EXPECT_EQ(endpoint.database, 12);
  EXPECT_EQ(endpoint.user, "app");
  EXPECT_EQ(endpoint.password, "pw");
  EXPECT_TRUE(parsed("rediss://[::1]").tls);
  EXPECT_EQ(parsed("rediss://[::1]").host, "::1");
  EXPECT_EQ(parsed("rediss://h").port, 6379);
  EXPECT_FALSE(parsed("rediss://h").is_unix());
}

TEST(Url, TakesUnixSockets) {
  EXPECT_EQ(parsed("unix:///run/redis.sock").path, "/run/redis.sock");
  EXPECT_EQ(parsed("unix://redis.sock").path, "redis.sock");
  EXPECT_EQ(parsed("unix:///run/a%20b.sock?db=5").path, "/run/a b.sock");
  EXPECT_EQ(parsed("unix:///run/a.sock?db=5").database, 5);
  const Endpoint endpoint = parsed("unix://u:p@/run/r@dis.sock");
  EXPECT_EQ(endpoint.path, "/run/r@dis.sock");
  EXPECT_EQ(endpoint.password, "p");
  EXPECT_EQ(endpoint.name(), "/run/r@dis.sock");
}

TEST(Url, SaysWhatIsWrong) {
  EXPECT_THAT(problem_of(""), HasSubstr("no scheme"));
  EXPECT_THAT(problem_of("localhost:6379"), HasSubstr("no scheme"));
  EXPECT_THAT(problem_of("http://h"), HasSubstr("another scheme"));
  EXPECT_THAT(problem_of("rediss:///1"), HasSubstr("no host"));
  EXPECT_THAT(problem_of("REDISS://h"), HasSubstr("another scheme"));
  EXPECT_THAT(problem_of("redis://"), HasSubstr("no host"));
  EXPECT_THAT(problem_of("redis://:pw@"), HasSubstr("no host"));
  EXPECT_THAT(problem_of("redis://h:0"), HasSubstr("port that is not a number from 1 to 65535"));
  EXPECT_THAT(problem_of("redis://h:65536"), HasSubstr("1 to 65535"));
  EXPECT_THAT(problem_of("redis://h:"), HasSubstr("1 to 65535"));
  EXPECT_THAT(problem_of("redis://h:12x"), HasSubstr("1 to 65535"));
  EXPECT_THAT(problem_of("redis://h/x"), HasSubstr("0 to 2147483647"));
  EXPECT_THAT(problem_of("redis://h/-1"), HasSubstr("0 to 2147483647"));
  EXPECT_THAT(problem_of("redis://h/2147483648"), HasSubstr("0 to 2147483647"));
  EXPECT_THAT(problem_of("redis://h?db=1"), HasSubstr("query"));
  EXPECT_THAT(problem_of("redis://[::1"), HasSubstr("[ without a ]"));
  EXPECT_THAT(problem_of("redis://[::1]7"), HasSubstr("after the ]"));
  EXPECT_THAT(problem_of("redis://u@h"), HasSubstr("user without a password"));
  EXPECT_THAT(problem_of("redis://u:@h"), HasSubstr("empty password"));
  EXPECT_THAT(problem_of("redis://u:%4@h"), HasSubstr("hex digits"));
  EXPECT_THAT(problem_of("redis://u:%zz@h"), HasSubstr("hex digits"));
  EXPECT_THAT(problem_of("unix://"), HasSubstr("no path"));
  EXPECT_THAT(problem_of("unix:///a?x=1"), HasSubstr("?db=N"));
  EXPECT_THAT(problem_of("unix:///" + std::string(200, 'a')), HasSubstr("at most 107"));
}

TEST(Url, ShowsNoSecret) {
  for (const char* url :
       {"redis://u:hunter2@h:0", "redis://u:hunter2@h?x", "rediss://u:hunter2@h:0",
        "http://u:hunter2@h", "redis://u:hunter2%@h", "unix://u:hunter2@", "redis://:hunter2@",
        "u:hunter2@h", "redis://u:a@hunter2@h:0", "redis://u:hunter2/a@h:1",
        "redis://u:a/hunter2@h:1", "redis://:12/hunter2@h:1", "hunter2@://x",
        "redis://u:a?hunter2@h", "unix://u:hunter2/a@/run/x.sock?z"}) {
    EXPECT_THAT(problem_of(url), Not(HasSubstr("hunter2"))) << url;
    EXPECT_THAT(problem_of(url), HasSubstr("***")) << url;
  }
  EXPECT_THAT(problem_of("rediss://u:hunter2@h:0"), HasSubstr("\"rediss://***@h:0\""));
}

TEST(StateKey, IsReadable) {
  EXPECT_EQ(state_key_stem("rl:", "t2", "login") + "alice", "rl:t2:login:alice");
}

TEST(StateKey, KeepsNamesAndKeysApart) {
  const std::string parts[] = {"",  ":",   "::",  "a",    "a:",  ":a",
                               "%", "%3A", "%25", "a%3A", "{a}", "\n"};
  std::set<std::string> keys;
  std::size_t pairs = 0;
  for (const auto& name : parts) {
    for (const auto& key : parts) {
      for (const char* tag : {"t2", "f2"}) {
        keys.insert(state_key_stem("rl:", tag, name) + key);
        ++pairs;
      }
    }
  }
  EXPECT_EQ(keys.size(), pairs);
}

}  // namespace
}  // namespace ratelimit::redis
