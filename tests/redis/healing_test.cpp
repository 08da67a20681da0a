// What is found at a key that no script of ours left there heals, and is counted.
#include "redis/with_server.hpp"
#include "support/trace.hpp"

namespace ratelimit::testing {
namespace {

class Healing : public OnServerByKind {
 protected:
  std::string state_key() const { return testing::state_key(GetParam(), "key"); }

  /// Expects that the key counts as unused, that a peek leaves it as it is, and that the next
  /// charge replaces it.
  void expect_healed(const std::string& what) {
    const std::uint64_t healed_before = backend_->statistics().healed;
    const auto limiter = this->limiter(GetParam());
    const Kept garbage = kept(state_key());
    const Decision peeked = limiter->peek("key", 0);
    EXPECT_EQ(peeked.error, Errc::ok) << what;
    EXPECT_EQ(peeked.remaining, 10) << what;
    EXPECT_EQ(kept(state_key()), garbage) << what;

    EXPECT_EQ(limiter->allow("key", 4).remaining, 6) << what;
    EXPECT_EQ(backend_->statistics().healed, healed_before + 2) << what;
    EXPECT_GT(kept(state_key()).until_ms, 0) << what;
    EXPECT_EQ(limiter->allow("key", 4).remaining, 2) << what;
    EXPECT_EQ(backend_->statistics().healed, healed_before + 2) << what;
    EXPECT_EQ(backend_->statistics().errors, 0U) << backend_->statistics().last_error;
  }
};

TEST_P(Healing, OfGarbage) {
  using namespace std::string_literals;
  for (const auto& garbage :
       {"garbage"s, ":"s, "::"s, "-"s, "1:2:3:4"s, "nan"s, "inf"s, "1e400"s, "0x10"s, " 1"s, "1 "s,
        "1.5"s, "\0"s, "1\0"s, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s,
        "99999999999999999999999999999999999"s, "1:99999999999999999999"s,
        // As long as states are, of one number to three: numbers that are none, no instants, or
        // from before 1970.
        "garbage!"s, "\x01\0\0\0\0\0\xf8\x7f"s, "\0\0\0\0\0\0\xf0\x7f"s, "garbage!garbage!"s,
        std::string(16, '\x01'), std::string(24, '\x7f'), std::string(22, '\0'),
        std::string(22, '\xff'), std::string(28, 'x'), std::string(5000, 'x')}) {
    server().command({"SET", state_key(), garbage});
    expect_healed(garbage);
  }
}

TEST_P(Healing, OfAnotherType) {
  const std::vector<std::vector<std::string>> others = {{"LPUSH", state_key(), "1"},
                                                        {"HSET", state_key(), "f", "1"},
                                                        {"SADD", state_key(), "1"},
                                                        {"ZADD", state_key(), "1", "1"},
                                                        {"XADD", state_key(), "*", "f", "1"}};
  for (const auto& other : others) {
    server().command({"DEL", state_key()});
    server().command(other);
    expect_healed(other[0]);
  }
}

// The same where what fits must not be charged: a denied call leaves the garbage, for the next to
// heal.
TEST_P(Healing, WaitsForACallThatCharges) {
  server().command({"SET", state_key(), "garbage"});
  const auto limiter = this->limiter(GetParam());
  EXPECT_FALSE(limiter->allow("key", 11));
  EXPECT_TRUE(limiter->allow("key", 0));
  EXPECT_EQ(server().command({"GET", state_key()}).text, "garbage");
  EXPECT_TRUE(limiter->allow("key", 10));
  EXPECT_FALSE(limiter->allow("key"));
}

// Another policy's state under this one's name, as only a renamed key could be.
TEST_P(Healing, OfAnotherPolicysState) {
  for (const Policy& policy : policies_of_ten_a_year()) {
    if (policy.index() == GetParam().index()) continue;
    server().flush();
    ASSERT_TRUE(limiter(policy)->allow("key", 10));
    server().command({"RENAME", testing::state_key(policy, "key"), state_key()});
    const auto limiter = this->limiter(GetParam());
    const Decision decision = limiter->allow("key", 1);
    EXPECT_EQ(decision.error, Errc::ok) << kind_of(policy);
    EXPECT_LE(decision.retry_after, 3 * span_of(policy)) << describe(decision);
    EXPECT_LE(decision.reset_after, 3 * span_of(policy)) << describe(decision);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Healing, ::testing::ValuesIn(policies_of_ten_a_year()), kind_name);

}  // namespace
}  // namespace ratelimit::testing
