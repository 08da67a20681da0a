// The conversations, held with no server: what is said, given what is heard.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "redis/handshake.hpp"
#include "redis/key_removal.hpp"
#include "redis/server_error.hpp"
#include "unit/replies.hpp"

namespace ratelimit::redis {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Step = Exchange::Step;

TEST(Command, IsWrittenAsTheServerReadsIt) {
  using namespace std::string_view_literals;
  EXPECT_EQ(command({"GET", "a\0\r\n"sv, ""}), "*3\r\n$3\r\nGET\r\n$4\r\na\0\r\n\r\n$0\r\n\r\n"sv);
}

TEST(Handshake, SaysNothingWhereThereIsNothingToSay) {
  Commands out;
  const Endpoint endpoint;
  const std::string name;
  Handshake handshake(endpoint, name);
  EXPECT_EQ(handshake.start(out), Step::done);
  EXPECT_EQ(out.bytes, "");
}

TEST(Handshake, LogsInChoosesTheDatabaseAndGivesItsNameInOneFlight) {
  Commands out;
  const Endpoint endpoint{.user = "app", .password = "hunter2", .database = 3};
  const std::string name = "me";
  Handshake handshake(endpoint, name);
  EXPECT_EQ(handshake.start(out), Step::listen);
  EXPECT_EQ(out.bytes, command({"AUTH", "app", "hunter2"}) + command({"SELECT", "3"}) +
                           command({"CLIENT", "SETNAME", "me"}));
  EXPECT_EQ(handshake.hear(ok(), out), Step::listen);
  EXPECT_EQ(handshake.hear(ok(), out), Step::listen);
  EXPECT_EQ(handshake.hear(error("NOPERM no"), out), Step::done);  // a name is not worth a failure
  EXPECT_FALSE(handshake.failure());
}

TEST(Handshake, SendsAPasswordAlone) {
  Commands out;
  const Endpoint endpoint{.password = "hunter2"};
  const std::string name;
  Handshake handshake(endpoint, name);
  handshake.start(out);
  EXPECT_EQ(out.bytes, command({"AUTH", "hunter2"}));
}

TEST(Handshake, FailsWithTheFirstRefusalAndNoSecret) {
  Commands out;
  const Endpoint endpoint{.password = "hunter2", .database = 3};
  const std::string name;
  Handshake handshake(endpoint, name);
  handshake.start(out);
  handshake.hear(error("ERR unknown command 'AUTH', with args beginning with: 'hunter2' "), out);
  EXPECT_EQ(handshake.hear(error("NOAUTH Authentication required."), out), Step::done);
  ASSERT_TRUE(handshake.failure());
  EXPECT_THAT(handshake.failure()->message, HasSubstr("unknown command"));
  EXPECT_THAT(handshake.failure()->message, Not(HasSubstr("hunter2")));
}

TEST(Handshake, FailsWhereTheDatabaseIsRefused) {
  Commands out;
  const Endpoint endpoint{.database = 99};
  const std::string name;
  Handshake handshake(endpoint, name);
  handshake.start(out);
  EXPECT_EQ(handshake.hear(error("ERR DB index is out of range"), out), Step::done);
  ASSERT_TRUE(handshake.failure());
  EXPECT_THAT(handshake.failure()->message, HasSubstr("SELECT: ERR DB index"));
}

TEST(Handshake, TakesNothingButOk) {
  Commands out;
  const Endpoint endpoint{.password = "hunter2"};
  const std::string name;
  Handshake handshake(endpoint, name);
  handshake.start(out);
  EXPECT_EQ(handshake.hear(integer(5), out), Step::done);
  ASSERT_TRUE(handshake.failure());
  EXPECT_EQ(handshake.failure()->code, Errc::protocol_error);
}

TEST(Handshake, FailsWhereTheFirstAnswerIsThatNobodyIsLetIn) {
  for (const char* words : {"ERR max number of clients reached", "LOADING Redis is loading",
                            "DENIED Redis is running in protected mode"}) {
    Commands out;
    const Endpoint endpoint;
    const std::string name = "me";
    Handshake handshake(endpoint, name);
    handshake.start(out);
    EXPECT_EQ(handshake.hear(error(words), out), Step::done);
    EXPECT_TRUE(handshake.failure()) << words;
  }
}

TEST(KeyRemoval, DeletesOneKey) {
  KeyRemoval removal("rl:k");
  Commands out;
  EXPECT_EQ(removal.start(out), Step::listen);
  EXPECT_EQ(out.bytes, command({"DEL", "rl:k"}));
  EXPECT_EQ(removal.hear(integer(0), out), Step::done);
  EXPECT_FALSE(removal.failure());
}

TEST(KeyRemoval, TellsWhyNot) {
  KeyRemoval removal("rl:k");
  Commands out;
  removal.start(out);
  EXPECT_EQ(removal.hear(error("NOPERM no"), out), Step::done);
  ASSERT_TRUE(removal.failure());
  EXPECT_EQ(removal.failure()->code, Errc::access_denied);
}

TEST(ServerError, IsKnownByItsFirstWord) {
  EXPECT_EQ(classify("NOSCRIPT No matching script. Please use EVAL."), Errc::script_missing);
  EXPECT_EQ(classify("OOM command not allowed"), Errc::server_full);
  EXPECT_EQ(classify("OOMPH is another word"), Errc::server_error);
  EXPECT_EQ(classify("ERR max number of clients reached"), Errc::server_not_ready);
  EXPECT_EQ(classify("ERR AUTH <password> called without any password configured"),
            Errc::access_denied);
  EXPECT_EQ(classify("ERR ACL failure in script: User x has no permissions to run 'get'"),
            Errc::access_denied);
  EXPECT_EQ(classify("DENIED Redis is running in protected mode"), Errc::access_denied);
  EXPECT_EQ(classify(""), Errc::server_error);
}

TEST(ServerError, IsFoundBehindTheWordsOfOlderServers) {
  const std::string wrapped =
      "ERR Error running script (call to f_0123): @user_script:9: @user_script: 9: -";
  EXPECT_EQ(classify(wrapped + "OOM command not allowed"), Errc::server_full);
  EXPECT_EQ(classify(wrapped + "READONLY You can't write"), Errc::server_not_ready);
  EXPECT_TRUE(is_wrong_server(wrapped + "READONLY You can't write"));
  EXPECT_EQ(classify("ERR Error running script (call to f_0123): attempt to compare nil"),
            Errc::server_error);
}

}  // namespace
}  // namespace ratelimit::redis
