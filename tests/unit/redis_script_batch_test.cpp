// The conversation of a script call, held with no server: what is said, given what is heard.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "redis/script_batch.hpp"
#include "unit/replies.hpp"

namespace ratelimit::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Place = ScriptBatch::Place;
using Step = Exchange::Step;

constexpr Script kScript{"demo", "return 1", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"};

/// Numbers as the scripts unpack them.
std::string numbers(std::initializer_list<double> values) {
  std::string bytes;
  for (const double value : values) bytes.append(reinterpret_cast<const char*>(&value), 8);
  return bytes;
}

constexpr std::array<std::int64_t, 3> kConstants = {7, 8, 1000};

/// A batch of the demo script, which replies so many fields for a key.
ScriptBatch demo_batch(std::size_t fields) {
  return ScriptBatch(kScript, kConstants, fields, std::nullopt);
}

/// The same of one question: a charge of 5 to "rl:k".
struct DemoCall {
  explicit DemoCall(std::size_t fields) : batch(demo_batch(fields)) {
    place = batch.add("rl:k", 5).value();
  }
  ScriptBatch batch;
  ScriptBatch::Place place{};
};

std::string call_of_demo() {
  return command({"EVALSHA", kScript.sha1, "1", "rl:k", numbers({7, 8, 1000, -1, 5})});
}

std::string said(Exchange& exchange) {
  Commands out;
  EXPECT_EQ(exchange.start(out), Step::listen);
  return out.bytes;
}

TEST(ScriptBatch, IsEmptyUntilAskedSomething) {
  ScriptBatch batch = demo_batch(1);
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.size(), 0U);
  EXPECT_EQ(batch.add("a", 1), (Place{.entry = 0, .turn = 0}));
  EXPECT_FALSE(batch.empty());
  EXPECT_EQ(batch.size(), 1U);
}

TEST(ScriptBatch, SaysASentTime) {
  constexpr std::array<std::int64_t, 2> kFewer = {7, 2000};
  ScriptBatch batch(kScript, kFewer, 1, 1'700'000'000'000'000);
  (void)batch.add("a", -3);
  EXPECT_EQ(said(batch), command({"EVALSHA", kScript.sha1, "1", "a",
                                  numbers({7, 2000, 1'700'000'000'000'000, -3})}));
}

TEST(ScriptBatch, AsksForKeysThatAreChargedAlikeWithOneCharge) {
  ScriptBatch batch = demo_batch(1);
  std::string key = "a";
  (void)batch.add(key, 5);
  key = "b";  // the view need not live on
  (void)batch.add(key, 5);
  EXPECT_EQ(said(batch),
            command({"EVALSHA", kScript.sha1, "2", "a", "b", numbers({7, 8, 1000, -1, 5})}));
  Commands out;
  EXPECT_EQ(batch.hear(array({integer(4), integer(-6)}), out), Step::done);
  EXPECT_THAT(batch.fields({0, 0}), ElementsAre(4));
  EXPECT_THAT(batch.fields({1, 0}), ElementsAre(5));
  EXPECT_FALSE(batch.healed({0, 0}));
  EXPECT_TRUE(batch.healed({1, 0}));
}

TEST(ScriptBatch, FoldsWhatIsAlikeAndKeepsTheOrderOfTheRest) {
  ScriptBatch batch = demo_batch(2);
  EXPECT_EQ(batch.add("a", 5), (Place{0, 0}));
  EXPECT_EQ(batch.add("b", 5), (Place{1, 0}));
  EXPECT_EQ(batch.add("a", 5), (Place{0, 1})) << "b is of no matter to it";
  EXPECT_EQ(batch.add("a", 6), (Place{2, 0}));
  EXPECT_EQ(batch.add("a", 5), (Place{3, 0})) << "a 6 comes before it";
  EXPECT_EQ(batch.add("a", 5), (Place{3, 1}));
  EXPECT_EQ(batch.add("a", 5), (Place{3, 2}));
  EXPECT_EQ(batch.add("b", 5), (Place{1, 1}));
  EXPECT_EQ(batch.size(), 8U);
  EXPECT_EQ(said(batch), command({"EVALSHA", kScript.sha1, "4", "a", "b", "a", "a",
                                  numbers({7, 8, 1000, -1, 5, 2, 5, 2, 6, 1, 5, 3})}));
  Commands out;
  EXPECT_EQ(batch.hear(array({integer(-1), integer(10), integer(2), integer(20), integer(3),
                              integer(30), integer(4), integer(40)}),
                       out),
            Step::done);
  EXPECT_THAT(batch.fields({0, 1}), ElementsAre(0, 10));
  EXPECT_TRUE(batch.healed({0, 0}));
  EXPECT_FALSE(batch.healed({0, 1})) << "once";
  EXPECT_THAT(batch.fields({1, 0}), ElementsAre(2, 20));
  EXPECT_THAT(batch.fields({3, 2}), ElementsAre(4, 40));
}

TEST(ScriptBatch, IsFullAtItsMostKeysAndStillFolds) {
  ScriptBatch batch = demo_batch(1);
  for (std::size_t i = 0; i < ScriptBatch::kMostKeys; ++i) {
    ASSERT_TRUE(batch.add(std::to_string(i), 1));
  }
  EXPECT_EQ(batch.add("another", 1), std::nullopt);
  EXPECT_EQ(batch.add("7", 2), std::nullopt);
  EXPECT_EQ(batch.size(), ScriptBatch::kMostKeys);
  EXPECT_EQ(batch.add("7", 1), (Place{7, 1}));
}

TEST(ScriptBatch, TakesAnyKeys) {
  using namespace std::string_view_literals;
  ScriptBatch batch = demo_batch(1);
  const std::string large(std::size_t{64} * 1024, 'x');
  const std::array<std::string_view, 5> keys = {""sv, "\0"sv, "a\0\r\n$1\r\n"sv, "a\0"sv, large};
  for (std::uint32_t i = 0; i < keys.size(); ++i) EXPECT_EQ(batch.add(keys[i], 1), (Place{i, 0}));
  for (std::uint32_t i = 0; i < keys.size(); ++i) EXPECT_EQ(batch.add(keys[i], 1), (Place{i, 1}));
  EXPECT_EQ(said(batch),
            command({"EVALSHA", kScript.sha1, "5", keys[0], keys[1], keys[2], keys[3], keys[4],
                     numbers({7, 8, 1000, -1, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2})}));
}

TEST(ScriptBatch, GivesEachEntryItsOwnError) {
  ScriptBatch batch = demo_batch(2);
  for (const char* key : {"a", "b", "c"}) (void)batch.add(key, 1);
  Commands out;
  batch.start(out);
  EXPECT_EQ(batch.hear(array({integer(1), integer(2), error("OOM command not allowed"), integer(0),
                              integer(3), integer(4)}),
                       out),
            Step::done);
  EXPECT_FALSE(batch.failure({0, 0}));
  ASSERT_TRUE(batch.failure({1, 0}));
  EXPECT_EQ(batch.failure({1, 0})->code, Errc::server_full);
  EXPECT_FALSE(batch.failure({2, 0}));
  EXPECT_THAT(batch.fields({2, 0}), ElementsAre(3, 4));
}

TEST(ScriptBatch, LeavesAServerThatIsNotTheOneToAskForAKey) {
  ScriptBatch batch = demo_batch(1);
  for (const char* key : {"a", "b"}) (void)batch.add(key, 1);
  Commands out;
  batch.start(out);
  EXPECT_EQ(batch.hear(array({integer(1), error("READONLY You can't write")}), out), Step::leave);
  EXPECT_FALSE(batch.failure({0, 0}));
  EXPECT_EQ(batch.failure({1, 0})->code, Errc::server_not_ready);
}

TEST(ScriptBatch, FailsAltogetherWhereTheCallFails) {
  ScriptBatch batch = demo_batch(1);
  for (const char* key : {"a", "b"}) (void)batch.add(key, 1);
  Commands out;
  batch.start(out);
  EXPECT_EQ(batch.hear(error("BUSY Redis is busy running a script"), out), Step::done);
  for (const std::uint32_t entry : {0U, 1U}) {
    EXPECT_EQ(batch.failure({entry, 0})->code, Errc::server_not_ready);
  }
}

// As whoever pipelines them does: replies are handed in the order of the commands said.
TEST(ScriptBatch, LoadsAMissingScriptWithinAPipeline) {
  DemoCall first(1);
  DemoCall second(1);
  EXPECT_EQ(said(first.batch) + said(second.batch), call_of_demo() + call_of_demo());
  Commands out;
  EXPECT_EQ(first.batch.hear(error("NOSCRIPT No matching script."), out), Step::listen);
  EXPECT_EQ(out.bytes, command({"SCRIPT", "LOAD", kScript.source}) + call_of_demo());
  out = {};
  EXPECT_EQ(second.batch.hear(integer(2), out), Step::done) << "someone loaded it in between";
  EXPECT_EQ(first.batch.hear(text(Reply::Type::string, std::string(kScript.sha1)), out),
            Step::listen);
  EXPECT_EQ(out.bytes, "") << "its next reply comes next";
  EXPECT_EQ(first.batch.hear(integer(1), out), Step::done);
  EXPECT_THAT(first.batch.fields(first.place), ElementsAre(1));
  EXPECT_THAT(second.batch.fields(second.place), ElementsAre(2));
  EXPECT_TRUE(first.batch.loaded());
  EXPECT_FALSE(second.batch.loaded());
}

TEST(ScriptBatch, RefusesAnotherShapeOfMany) {
  for (const Reply& reply :
       {integer(1), ok(), array({}), array({integer(1)}), array({integer(1), Reply{}}),
        array({integer(1), array({integer(1)})}), array({integer(1), integer(2), integer(3)})}) {
    ScriptBatch batch = demo_batch(1);
    for (const char* key : {"a", "b"}) (void)batch.add(key, 1);
    Commands out;
    batch.start(out);
    EXPECT_EQ(batch.hear(reply, out), Step::leave);
    EXPECT_EQ(batch.failure({0, 0})->code, Errc::protocol_error);
  }
  DemoCall call(2);  // an error in another place than the first
  Commands out;
  call.batch.start(out);
  EXPECT_EQ(call.batch.hear(array({integer(1), error("OOM no")}), out), Step::leave);
  EXPECT_EQ(call.batch.failure(call.place)->code, Errc::protocol_error);
}

TEST(ScriptBatch, TakesOneInteger) {
  DemoCall call(1);
  Commands out;
  EXPECT_EQ(call.batch.start(out), Step::listen);
  EXPECT_EQ(out.bytes, call_of_demo());
  out = {};
  EXPECT_EQ(call.batch.hear(integer(42), out), Step::done);
  EXPECT_EQ(out.bytes, "");
  EXPECT_FALSE(call.batch.failure(call.place));
  EXPECT_THAT(call.batch.fields(call.place), ElementsAre(42));
  EXPECT_FALSE(call.batch.healed(call.place));
  EXPECT_FALSE(call.batch.loaded());
}

TEST(ScriptBatch, TakesSeveralIntegersAndTurnsBackAHealedOne) {
  DemoCall call(2);
  Commands out;
  call.batch.start(out);
  EXPECT_EQ(call.batch.hear(array({integer(-1), integer(-5)}), out), Step::done);
  EXPECT_THAT(call.batch.fields(call.place), ElementsAre(0, -5));
  EXPECT_TRUE(call.batch.healed(call.place));
}

TEST(ScriptBatch, LoadsAMissingScriptAndAsksOnceMore) {
  DemoCall call(1);
  Commands out;
  call.batch.start(out);
  out = {};
  EXPECT_EQ(call.batch.hear(error("NOSCRIPT No matching script."), out), Step::listen);
  EXPECT_EQ(out.bytes, command({"SCRIPT", "LOAD", kScript.source}) + call_of_demo());
  out = {};
  EXPECT_EQ(call.batch.hear(text(Reply::Type::string, std::string(kScript.sha1)), out),
            Step::listen);
  EXPECT_EQ(call.batch.hear(integer(3), out), Step::done);
  EXPECT_EQ(out.bytes, "");
  EXPECT_FALSE(call.batch.failure(call.place));
  EXPECT_TRUE(call.batch.loaded());
  EXPECT_THAT(call.batch.fields(call.place), ElementsAre(3));
}

TEST(ScriptBatch, AsksNoThirdTime) {
  DemoCall call(1);
  Commands out;
  call.batch.start(out);
  call.batch.hear(error("NOSCRIPT No matching script."), out);
  call.batch.hear(text(Reply::Type::string, std::string(kScript.sha1)), out);
  out = {};
  EXPECT_EQ(call.batch.hear(error("NOSCRIPT No matching script."), out), Step::done);
  EXPECT_EQ(out.bytes, "");
  ASSERT_TRUE(call.batch.failure(call.place));
  EXPECT_EQ(call.batch.failure(call.place)->code, Errc::script_missing);
}

TEST(ScriptBatch, SaysWhyAScriptCouldNotBeLoaded) {
  DemoCall call(1);
  Commands out;
  call.batch.start(out);
  call.batch.hear(error("NOSCRIPT No matching script."), out);
  call.batch.hear(error("NOPERM this user has no permissions to run the 'script|load' command"),
                  out);
  EXPECT_EQ(call.batch.hear(error("NOSCRIPT No matching script."), out), Step::done);
  ASSERT_TRUE(call.batch.failure(call.place));
  EXPECT_EQ(call.batch.failure(call.place)->code, Errc::access_denied);
  EXPECT_THAT(call.batch.failure(call.place)->message, HasSubstr("script|load"));
}

TEST(ScriptBatch, TakesAnAnswerEvenWhereLoadingWasRefused) {
  DemoCall call(1);  // someone else loaded it in between
  Commands out;
  call.batch.start(out);
  call.batch.hear(error("NOSCRIPT No matching script."), out);
  call.batch.hear(error("NOPERM no"), out);
  EXPECT_EQ(call.batch.hear(integer(3), out), Step::done);
  EXPECT_FALSE(call.batch.failure(call.place));
}

TEST(ScriptBatch, LeavesAServerThatIsNotTheOneToAsk) {
  for (const char* words : {"READONLY You can't write against a read only replica.",
                            "MASTERDOWN Link with MASTER is down"}) {
    DemoCall call(1);
    Commands out;
    call.batch.start(out);
    EXPECT_EQ(call.batch.hear(error(words), out), Step::leave);
    ASSERT_TRUE(call.batch.failure(call.place));
    EXPECT_EQ(call.batch.failure(call.place)->code, Errc::server_not_ready);
  }
}

TEST(ScriptBatch, RefusesAnotherShape) {
  for (const Reply& reply : {ok(), Reply{}, array({integer(1)}), array({integer(1), ok()}),
                             array({integer(1), integer(2), integer(3)})}) {
    DemoCall call(2);
    Commands out;
    call.batch.start(out);
    EXPECT_EQ(call.batch.hear(reply, out), Step::leave);
    ASSERT_TRUE(call.batch.failure(call.place));
    EXPECT_EQ(call.batch.failure(call.place)->code, Errc::protocol_error);
  }
}

}  // namespace
}  // namespace ratelimit::redis
