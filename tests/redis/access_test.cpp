// Who we are on the server: users, passwords, databases, names; and what a user must be allowed to
// do.
#include <gmock/gmock.h>

#include "redis/with_server.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr TokenBucket kPolicy{10, 10, seconds(60)};

class Access : public OnServer {
 protected:
  ~Access() override {
    (void)server().client().command({"ACL", "DELUSER", "app"});
    server().command({"CONFIG", "SET", "requirepass", ""});
  }

  static void make_user(std::vector<std::string> rules) {
    rules.insert(rules.begin(), {"ACL", "SETUSER", "app", "reset", "on"});
    server().command(rules);
  }

  /// The server's URL with something between the scheme and the host, and something at the end.
  static std::string url(const std::string& login, const std::string& rest = "") {
    return "redis://" + login + "127.0.0.1:" + std::to_string(server().port()) + rest;
  }

  static Decision ask(Backend& backend) {
    return backend.make_limiter("test", kPolicy, {.on_error = OnError::deny}).value()->allow("key");
  }
};

TEST_F(Access, ByUserAndPassword) {
  make_user({">p@ss:w/rd%", "~rl:*", "+@all"});
  const auto backend = backend_with(options_for(url("app:p%40ss%3aw%2Frd%25@")));
  EXPECT_EQ(ask(*backend).error, Errc::ok) << backend->statistics().last_error;
  EXPECT_THAT(server().command({"CLIENT", "LIST"}).text, HasSubstr("user=app"));
}

TEST_F(Access, ByPasswordAlone) {
  server().command({"CONFIG", "SET", "requirepass", "s3cret"});
  const auto backend = backend_with(options_for(url(":s3cret@")));
  EXPECT_EQ(ask(*backend).error, Errc::ok) << backend->statistics().last_error;
  const auto stranger = backend_with(options_for(url("")));
  EXPECT_EQ(ask(*stranger).error, Errc::access_denied);
}

TEST_F(Access, IsDeniedForAWrongPasswordWhichNoTextShows) {
  make_user({">right", "~rl:*", "+@all"});
  for (const char* const login : {"app:wr0ng-secret@", "nobody:wr0ng-secret@", ":wr0ng-secret@"}) {
    const auto backend = backend_with(options_for(url(login)));
    const Decision decision = ask(*backend);
    EXPECT_EQ(decision.error, Errc::access_denied) << login;
    EXPECT_EQ(charged(decision.error), Charged::no);
    const Statistics statistics = backend->statistics();
    EXPECT_EQ(statistics.errors, 1U);
    EXPECT_THAT(statistics.last_error, HasSubstr("access_denied"));
    EXPECT_THAT(statistics.last_error, Not(HasSubstr("wr0ng-secret")));
  }
  EXPECT_TRUE(server().keys().empty());
}

TEST_F(Access, ToADatabase) {
  const auto backend = backend_with(options_for(url("", "/3")));
  EXPECT_EQ(ask(*backend).error, Errc::ok);
  EXPECT_TRUE(server().keys().empty()) << "nothing in database 0";
  RespClient client(server().port());
  (void)client.expect({"SELECT", "3"});
  EXPECT_EQ(client.expect({"EXISTS", "rl:t2:test:key"}).integer, 1);
}

TEST_F(Access, ToADatabaseThatThereIsNot) {
  const auto backend = backend_with(options_for(url("", "/9999")));
  EXPECT_EQ(ask(*backend).error, Errc::server_error);
  EXPECT_THAT(backend->statistics().last_error, HasSubstr("SELECT"));
}

TEST_F(Access, ByUnixSocket) {
  make_user({">pass", "~rl:*", "+@all"});
  const auto backend =
      backend_with(options_for("unix://app:pass@" + server().socket_path() + "?db=2"));
  EXPECT_EQ(ask(*backend).error, Errc::ok) << backend->statistics().last_error;
  RespClient client(server().socket_path());
  (void)client.expect({"SELECT", "2"});
  EXPECT_EQ(client.expect({"EXISTS", "rl:t2:test:key"}).integer, 1);
}

TEST_F(Access, UnderAName) {
  const auto named = backend_with(options_for(url("")));
  EXPECT_EQ(ask(*named).error, Errc::ok);
  EXPECT_THAT(server().command({"CLIENT", "LIST"}).text, HasSubstr(" name=ratelimit "));
  RedisOptions options = options_for(url(""));
  options.client_name = "checkout-7";
  const auto renamed = backend_with(options);
  EXPECT_EQ(ask(*renamed).error, Errc::ok);
  EXPECT_THAT(server().command({"CLIENT", "LIST"}).text, HasSubstr(" name=checkout-7 "));
}

TEST_F(Access, WithoutAName) {
  backend_.reset();
  RedisOptions options = options_for(url(""));
  options.client_name = "";
  const auto backend = backend_with(options);
  EXPECT_EQ(ask(*backend).error, Errc::ok);
  EXPECT_THAT(server().command({"CLIENT", "LIST"}).text, Not(HasSubstr("name=ratelimit")));
}

// What the README says a user needs: no more, and nothing of it less.
class LeastAccess : public Access {
 protected:
  static std::vector<std::string> rules() {
    return {">pass", "~rl:*",     "+evalsha",  "+script|load", "+time", "+get",
            "+set",  "+getrange", "+setrange", "+pexpire",     "+del"};
  }

  /// Calls everything that limiters can do; returns the errors that were counted.
  static std::uint64_t errors_of_everything() {
    const auto backend = backend_with(options_for(url("app:pass@")));
    for (const Policy& policy : policies_of_ten_a_year()) {
      const auto limiter = backend->make_limiter("test", policy).value();
      for (int i = 0; i < 12; ++i) (void)limiter->allow("key");
      (void)limiter->peek("key");
      (void)limiter->reset("key");
    }
    EXPECT_TRUE(backend->statistics().errors == 0 ||
                backend->statistics().last_error.rfind("access_denied", 0) == 0)
        << backend->statistics().last_error;
    return backend->statistics().errors;
  }
};

TEST_F(LeastAccess, IsEnough) {
  make_user(rules());
  server().command({"SCRIPT", "FLUSH"});
  EXPECT_EQ(errors_of_everything(), 0U);
}

TEST_F(LeastAccess, IsNeededToTheLastCommand) {
  for (const std::string& rule : rules()) {
    if (rule[0] != '+') continue;
    server().flush();
    server().command({"SCRIPT", "FLUSH"});
    auto fewer = rules();
    std::erase(fewer, rule);
    make_user(fewer);
    EXPECT_GT(errors_of_everything(), 0U) << rule << " is not needed";
  }
}

TEST_F(LeastAccess, NeedsNoUploadWhereTheScriptsAreThere) {
  server().command({"SCRIPT", "FLUSH"});
  for (const Policy& policy : policies_of_ten_a_year()) (void)limiter(policy)->allow("key");
  server().flush();
  auto fewer = rules();
  std::erase(fewer, "+script|load");
  make_user(fewer);
  EXPECT_EQ(errors_of_everything(), 0U);
  server().command({"SCRIPT", "FLUSH"});
  EXPECT_GT(errors_of_everything(), 0U);
}

TEST_F(LeastAccess, IsToTheKeysOfThePrefixOnly) {
  auto elsewhere = rules();
  std::replace(elsewhere.begin(), elsewhere.end(), std::string("~rl:*"), std::string("~other:*"));
  make_user(elsewhere);
  const auto backend = backend_with(options_for(url("app:pass@")));
  EXPECT_EQ(ask(*backend).error, Errc::access_denied);
  EXPECT_TRUE(server().keys().empty());
}

// INCR, then EXPIRE: where the second fails, a naive limiter leaves a key for ever. Here each
// command that a script writes with is refused in turn.
TEST_F(LeastAccess, NoRefusedCommandLeavesAKeyWithoutExpiry) {
  for (const char* const refused :
       {"+set", "+setrange", "+pexpire", "+pttl", "+time", "+get", "+getrange"}) {
    auto fewer = rules();
    std::erase(fewer, refused);
    for (const Policy& policy : policies_of_ten_a_year()) {
      for (const bool was_there : {false, true}) {
        server().flush();
        if (was_there) (void)limiter(policy)->allow("key", 2);
        make_user(fewer);
        const auto backend = backend_with(options_for(url("app:pass@")));
        const auto limiter = backend->make_limiter("test", policy, {.on_error = OnError::deny});
        for (int i = 0; i < 3; ++i) (void)limiter.value()->allow("key");
        for (const std::string& key : server().keys()) {
          EXPECT_GT(kept(key).until_ms, 0) << kind_of(policy) << " without " << refused;
        }
      }
    }
  }
}

}  // namespace
}  // namespace ratelimit::testing
