// The conversations, held with no server: what is said, given what is heard.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "redis/command.hpp"
#include "redis/handshake.hpp"
#include "redis/key_removal.hpp"
#include "redis/script_call.hpp"
#include "redis/server_error.hpp"

namespace ratelimit::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Step = Exchange::Step;

constexpr Script kScript{"demo", "return 1", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"};

Reply integer(std::int64_t value) { return {.type = Reply::Type::integer, .integer = value}; }
Reply text(Reply::Type type, std::string words) { return {.type = type, .text = std::move(words)}; }
Reply error(std::string words) { return text(Reply::Type::error, std::move(words)); }
Reply ok() { return text(Reply::Type::status, "OK"); }
Reply array(std::vector<Reply> elements) {
  return {.type = Reply::Type::array, .elements = std::move(elements)};
}

std::string command(std::vector<std::string_view> words) {
  std::string out;
  append_command(out, words);
  return out;
}

std::string call_of_demo() { return command({"EVALSHA", kScript.sha1, "1", "rl:k", "7", "-8"}); }

/// Makes a call of the demo script, which replies so many fields.
ScriptCall demo_call(std::size_t fields) {
  return ScriptCall(kScript, "rl:k", std::array<std::int64_t, 2>{7, -8}, fields);
}

TEST(Command, IsWrittenAsTheServerReadsIt) {
  using namespace std::string_view_literals;
  EXPECT_EQ(command({"GET", "a\0\r\n"sv, ""}), "*3\r\n$3\r\nGET\r\n$4\r\na\0\r\n\r\n$0\r\n\r\n"sv);
}

TEST(ScriptCall, TakesOneInteger) {
  ScriptCall call = demo_call(1);
  std::string out;
  EXPECT_EQ(call.start(out), Step::listen);
  EXPECT_EQ(out, call_of_demo());
  out.clear();
  EXPECT_EQ(call.hear(integer(42), out), Step::done);
  EXPECT_EQ(out, "");
  EXPECT_FALSE(call.failure());
  EXPECT_THAT(call.fields(), ElementsAre(42));
  EXPECT_FALSE(call.healed());
  EXPECT_FALSE(call.loaded());
}

TEST(ScriptCall, TakesSeveralIntegersAndTurnsBackAHealedOne) {
  ScriptCall call = demo_call(2);
  std::string out;
  call.start(out);
  EXPECT_EQ(call.hear(array({integer(-1), integer(-5)}), out), Step::done);
  EXPECT_THAT(call.fields(), ElementsAre(0, -5));
  EXPECT_TRUE(call.healed());
}

TEST(ScriptCall, LoadsAMissingScriptAndAsksOnceMore) {
  ScriptCall call = demo_call(1);
  std::string out;
  call.start(out);
  out.clear();
  EXPECT_EQ(call.hear(error("NOSCRIPT No matching script."), out), Step::listen);
  EXPECT_EQ(out, command({"SCRIPT", "LOAD", kScript.source}) + call_of_demo());
  out.clear();
  EXPECT_EQ(call.hear(text(Reply::Type::string, std::string(kScript.sha1)), out), Step::listen);
  EXPECT_EQ(call.hear(integer(3), out), Step::done);
  EXPECT_EQ(out, "");
  EXPECT_FALSE(call.failure());
  EXPECT_TRUE(call.loaded());
  EXPECT_THAT(call.fields(), ElementsAre(3));
}

TEST(ScriptCall, AsksNoThirdTime) {
  ScriptCall call = demo_call(1);
  std::string out;
  call.start(out);
  call.hear(error("NOSCRIPT No matching script."), out);
  call.hear(text(Reply::Type::string, std::string(kScript.sha1)), out);
  out.clear();
  EXPECT_EQ(call.hear(error("NOSCRIPT No matching script."), out), Step::done);
  EXPECT_EQ(out, "");
  ASSERT_TRUE(call.failure());
  EXPECT_EQ(call.failure()->code, Errc::script_missing);
}

TEST(ScriptCall, SaysWhyAScriptCouldNotBeLoaded) {
  ScriptCall call = demo_call(1);
  std::string out;
  call.start(out);
  call.hear(error("NOSCRIPT No matching script."), out);
  call.hear(error("NOPERM this user has no permissions to run the 'script|load' command"), out);
  EXPECT_EQ(call.hear(error("NOSCRIPT No matching script."), out), Step::done);
  ASSERT_TRUE(call.failure());
  EXPECT_EQ(call.failure()->code, Errc::access_denied);
  EXPECT_THAT(call.failure()->message, HasSubstr("script|load"));
}

TEST(ScriptCall, TakesAnAnswerEvenWhereLoadingWasRefused) {
  ScriptCall call = demo_call(1);  // someone else loaded it in between
  std::string out;
  call.start(out);
  call.hear(error("NOSCRIPT No matching script."), out);
  call.hear(error("NOPERM no"), out);
  EXPECT_EQ(call.hear(integer(3), out), Step::done);
  EXPECT_FALSE(call.failure());
}

TEST(ScriptCall, LeavesAServerThatIsNotTheOneToAsk) {
  for (const char* words : {"READONLY You can't write against a read only replica.",
                            "MASTERDOWN Link with MASTER is down"}) {
    ScriptCall call = demo_call(1);
    std::string out;
    call.start(out);
    EXPECT_EQ(call.hear(error(words), out), Step::leave);
    ASSERT_TRUE(call.failure());
    EXPECT_EQ(call.failure()->code, Errc::server_not_ready);
  }
}

TEST(ScriptCall, RefusesAnotherShape) {
  for (const Reply& reply : {ok(), Reply{}, array({integer(1)}), array({integer(1), ok()}),
                             array({integer(1), integer(2), integer(3)})}) {
    ScriptCall call = demo_call(2);
    std::string out;
    call.start(out);
    EXPECT_EQ(call.hear(reply, out), Step::leave);
    ASSERT_TRUE(call.failure());
    EXPECT_EQ(call.failure()->code, Errc::protocol_error);
  }
}

TEST(Handshake, SaysNothingWhereThereIsNothingToSay) {
  std::string out;
  const Endpoint endpoint;
  const std::string name;
  Handshake handshake(endpoint, name);
  EXPECT_EQ(handshake.start(out), Step::done);
  EXPECT_EQ(out, "");
}

TEST(Handshake, LogsInChoosesTheDatabaseAndGivesItsNameInOneFlight) {
  std::string out;
  const Endpoint endpoint{.user = "app", .password = "hunter2", .database = 3};
  const std::string name = "me";
  Handshake handshake(endpoint, name);
  EXPECT_EQ(handshake.start(out), Step::listen);
  EXPECT_EQ(out, command({"AUTH", "app", "hunter2"}) + command({"SELECT", "3"}) +
                     command({"CLIENT", "SETNAME", "me"}));
  EXPECT_EQ(handshake.hear(ok(), out), Step::listen);
  EXPECT_EQ(handshake.hear(ok(), out), Step::listen);
  EXPECT_EQ(handshake.hear(error("NOPERM no"), out), Step::done);  // a name is not worth a failure
  EXPECT_FALSE(handshake.failure());
}

TEST(Handshake, SendsAPasswordAlone) {
  std::string out;
  const Endpoint endpoint{.password = "hunter2"};
  const std::string name;
  Handshake handshake(endpoint, name);
  handshake.start(out);
  EXPECT_EQ(out, command({"AUTH", "hunter2"}));
}

TEST(Handshake, FailsWithTheFirstRefusalAndNoSecret) {
  std::string out;
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
  std::string out;
  const Endpoint endpoint{.database = 99};
  const std::string name;
  Handshake handshake(endpoint, name);
  handshake.start(out);
  EXPECT_EQ(handshake.hear(error("ERR DB index is out of range"), out), Step::done);
  ASSERT_TRUE(handshake.failure());
  EXPECT_THAT(handshake.failure()->message, HasSubstr("SELECT: ERR DB index"));
}

TEST(Handshake, TakesNothingButOk) {
  std::string out;
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
    std::string out;
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
  std::string out;
  EXPECT_EQ(removal.start(out), Step::listen);
  EXPECT_EQ(out, command({"DEL", "rl:k"}));
  EXPECT_EQ(removal.hear(integer(0), out), Step::done);
  EXPECT_FALSE(removal.failure());
}

TEST(KeyRemoval, TellsWhyNot) {
  KeyRemoval removal("rl:k");
  std::string out;
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
