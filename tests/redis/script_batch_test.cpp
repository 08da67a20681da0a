// Many questions in one script call, on a real server: each is answered as the pure policies answer
// them one by one.
//
// RATELIMIT_DECISIONS=N asks for N decisions in all; RATELIMIT_SEED=N draws others.
#include "redis/script_batch.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "policy/rules.hpp"
#include "redis/with_server.hpp"
#include "support/environment.hpp"
#include "support/pure.hpp"
#include "support/schedule.hpp"
#include "support/trace.hpp"

namespace ratelimit::testing {
namespace {

using redis::Exchange;
using redis::Reply;
using redis::ScriptBatch;

/// The words of the first command of `bytes`, which is taken off.
std::vector<std::string> take_command(std::string_view& bytes) {
  const auto number = [&] {
    const std::size_t end = bytes.find("\r\n");
    const std::size_t value = std::stoul(std::string(bytes.substr(1, end - 1)));
    bytes.remove_prefix(end + 2);
    return value;
  };
  std::vector<std::string> words(number());
  for (std::string& word : words) {
    word = bytes.substr(0, number());
    bytes.remove_prefix(word.size() + 2);
  }
  return words;
}

Reply reply_of(const RespReply& heard) {
  Reply reply;
  reply.text = heard.text;
  reply.integer = heard.integer;
  using Type = RespReply::Type;
  switch (heard.type) {
    case Type::text:
      reply.type = Reply::Type::string;
      break;
    case Type::error:
      reply.type = Reply::Type::error;
      break;
    case Type::integer:
      reply.type = Reply::Type::integer;
      break;
    case Type::nil:
      break;
    case Type::list:
      reply.type = Reply::Type::array;
      for (const RespReply& element : heard.list) reply.elements.push_back(reply_of(element));
      break;
  }
  return reply;
}

/// Holds the conversation with the server.
void run(Exchange& exchange) {
  redis::Commands out;
  auto step = exchange.start(out);
  std::string said;
  while (step == Exchange::Step::listen) {
    said += std::exchange(out, {}).bytes;
    std::string_view left = said;
    const auto words = take_command(left);
    said = left;
    step = exchange.hear(reply_of(server().client().command(words)), out);
  }
  ASSERT_EQ(step, Exchange::Step::done);
}

policy::Rule rule_of(const Policy& policy) {
  return policy::compile("test", policy, LimiterOptions{}).value();
}

/// The questions of one script call, and their answers.
class Batch {
 public:
  Batch(const policy::Rule& rule, std::optional<Micros> now)
      : rule_(rule), now_(now.value_or(0)), batch_(made(rule, now)) {}

  /// Returns whether there was room.
  bool add(const std::string& key, const Question& question) {
    const policy::Call call = call_of(question);
    const auto place = std::visit(
        [&](const auto& rule) { return batch_.add(key, rule.script_charge(call)); }, rule_);
    if (place) asked_.push_back({*place, call});
    return place.has_value();
  }

  void run() { testing::run(batch_); }

  [[nodiscard]] std::size_t size() const { return asked_.size(); }
  [[nodiscard]] bool healed(std::size_t i) const { return batch_.healed(asked_[i].place); }
  [[nodiscard]] Errc error(std::size_t i) const {
    const auto& failure = batch_.failure(asked_[i].place);
    return failure ? failure->code : Errc::ok;
  }

  [[nodiscard]] Decision decision(std::size_t i) const {
    const auto& [place, call] = asked_[i];
    return std::visit(
        [&, place = place, call = call]<class Rule>(const Rule& rule) {
          const auto fields = batch_.fields(place).template first<Rule::View::kFields>();
          const auto view = rule.view_of(fields, batch_.healed({place.entry, 0}));
          if (!view) throw std::runtime_error("the script replied what cannot be");
          return policy::decide(rule, rule.after(*view, call, place.turn), call);
        },
        rule_);
  }

 private:
  struct Asked {
    ScriptBatch::Place place;
    policy::Call call;
  };

  static policy::Call call_of(const Question& question) {
    return {question.op == TraceOp::peek ? policy::Op::peek : policy::Op::charge,
            question.now.time_since_epoch().count(), question.cost};
  }

  static ScriptBatch made(const policy::Rule& any, std::optional<Micros> now) {
    return std::visit(
        [&]<class Rule>(const Rule& rule) {
          std::vector<std::int64_t> constants;
          for (const std::int64_t term : rule.script_terms()) constants.push_back(term);
          constants.push_back(now ? redis::kSentTimeSlack : redis::kServerTimeSlack);
          return ScriptBatch(redis::script_named(Rule::kScript), constants, Rule::View::kFields,
                             now);
        },
        any);
  }

  const policy::Rule& rule_;
  const Micros now_;
  ScriptBatch batch_;
  std::vector<Asked> asked_;
};

std::int64_t number_from(const char* variable, std::int64_t otherwise) {
  const std::string text = environment(variable);
  return text.empty() ? otherwise : std::stoll(text);
}

class BatchDifferential : public OnServerByKind {
 protected:
  struct Subject {
    std::string name;
    PureKey pure;
    Walk walk;
  };

  /// A cost around what remains, or anything.
  std::int64_t cost_for(const Subject& subject, TimePoint now, std::int64_t limit) {
    PureKey key = subject.pure;
    const std::int64_t left = std::max<std::int64_t>(0, key.ask({now, TraceOp::peek, 0}).remaining);
    const auto below = [&](std::int64_t bound) {
      return static_cast<std::int64_t>(bits_() % static_cast<std::uint64_t>(bound + 1));
    };
    switch (bits_() % 10) {
      case 0:
        return left;
      case 1:
        return left + 1;
      case 2:
        return below(limit);
      case 3:
        return limit + 1;
      case 4:
        return std::numeric_limits<std::int64_t>::max();
      case 5:
        return left / 2;
      case 6:
        return left / 3 + 1;
      case 7:
        return below(left);
      default:
        return below(3);
    }
  }

  void compare(const Policy& policy, std::int64_t decisions) {
    server().flush();
    const policy::Rule rule = rule_of(policy);
    std::vector<Subject> subjects;
    for (int i = 0; i < 4; ++i) {
      subjects.push_back({"key " + std::to_string(i), PureKey(policy), Walk(policy, kStart)});
    }
    while (decisions > 0) {
      const TimePoint now = subjects[bits_() % 4].walk.next(random_step(bits_)).now;
      for (Subject& subject : subjects) subject.walk = Walk(policy, now);
      Batch batch(rule, now.time_since_epoch().count());
      std::vector<Decision> expected;
      std::vector<std::string> asked;
      const std::size_t most = bits_() % 3 == 0 ? 100 : 1 + bits_() % 8;
      Subject* subject = nullptr;
      Question question;
      while (asked.size() < most) {
        if (subject == nullptr || bits_() % 2 == 0) {
          subject = &subjects[bits_() % 4];
          question = {now, bits_() % 4 == 0 ? TraceOp::peek : TraceOp::allow,
                      cost_for(*subject, now, limit_of(policy))};
        }
        if (!batch.add(subject->name, question)) break;
        expected.push_back(subject->pure.ask(question));
        subject->walk.heard(question, expected.back());
        asked.push_back(describe(question) + " for " + subject->name);
      }
      batch.run();
      if (HasFatalFailure()) return;
      for (std::size_t i = 0; i < asked.size(); ++i) {
        ASSERT_EQ(batch.error(i), Errc::ok);
        ASSERT_TRUE(same(batch.decision(i), expected[i]))
            << describe(policy) << ", question " << i << " of " << asked.size() << ": " << asked[i]
            << "\n  decided  " << describe(batch.decision(i)) << "\n  expected "
            << describe(expected[i]);
      }
      decisions -= static_cast<std::int64_t>(asked.size());
    }
  }

  static constexpr TimePoint kStart = TimePoint(std::chrono::seconds(1'700'000'000));
  std::mt19937_64 bits_{static_cast<std::uint64_t>(number_from("RATELIMIT_SEED", 20'260'729))};
};

TEST_P(BatchDifferential, DecidesAsThePurePoliciesOneByOne) {
  std::vector<Policy> policies;
  for (const Policy& policy : policies_of_all_sizes()) {
    if (policy.index() == GetParam().index()) policies.push_back(policy);
  }
  policies.push_back(with_limit(policies_of_ten_a_minute()[GetParam().index()], 1000));
  const std::int64_t each =
      number_from("RATELIMIT_DECISIONS", 150'000) / 5 / static_cast<std::int64_t>(policies.size());
  for (const Policy& policy : policies) {
    compare(policy, each + 1);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Each, BatchDifferential, ::testing::ValuesIn(policies_of_ten_a_minute()),
                         kind_name);

class BatchOfKind : public OnServerByKind {
 protected:
  const policy::Rule rule_ = rule_of(GetParam());
};

Question charge(std::int64_t cost) { return {{}, TraceOp::allow, cost}; }

TEST_P(BatchOfKind, AnswersWhatChargesNothingWhereTheServerIsFull) {
  {
    Batch before(rule_, std::nullopt);
    before.add("spent", charge(10));
    before.add("wrong", charge(1));
    before.run();
  }
  server().command({"DEL", "wrong"});
  server().command({"LPUSH", "wrong", "1"});
  server().command({"CONFIG", "SET", "maxmemory", "1"});
  Batch batch(rule_, std::nullopt);
  batch.add("spent", charge(1));
  batch.add("new", charge(1));
  batch.add("new", charge(11));
  batch.add("spent", {{}, TraceOp::peek, 0});
  batch.add("wrong", charge(2));
  batch.add("other", charge(0));
  batch.run();
  server().command({"CONFIG", "SET", "maxmemory", "0"});
  const std::vector<Errc> expected = {Errc::ok, Errc::server_full, Errc::ok,
                                      Errc::ok, Errc::server_full, Errc::ok};
  for (std::size_t i = 0; i < batch.size(); ++i) EXPECT_EQ(batch.error(i), expected[i]) << i;
  EXPECT_FALSE(batch.decision(0).allowed);
  EXPECT_FALSE(batch.decision(2).allowed);
  EXPECT_EQ(batch.decision(2).remaining, 10) << "nothing was charged by what failed before it";
  EXPECT_EQ(batch.decision(3).remaining, 0);
  EXPECT_TRUE(batch.decision(5).allowed);
  EXPECT_THAT(server().keys(), ::testing::UnorderedElementsAre("spent", "wrong"));
}

TEST_P(BatchOfKind, HealsEachKeyByItself) {
  server().command({"LPUSH", "b", "1"});
  Batch batch(rule_, std::nullopt);
  for (const char* key : {"a", "b", "b", "c", "b"}) batch.add(key, charge(3));
  batch.run();
  const std::vector<std::int64_t> remaining = {7, 7, 4, 7, 1};
  for (std::size_t i = 0; i < batch.size(); ++i) {
    EXPECT_EQ(batch.healed(i), i == 1) << i;
    EXPECT_EQ(batch.decision(i).remaining, remaining[i]) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Each, BatchOfKind, ::testing::ValuesIn(policies_of_ten_a_year()),
                         kind_name);

}  // namespace
}  // namespace ratelimit::testing
