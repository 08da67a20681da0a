// Exchanges that share a connection, with no connection.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "redis/pipeline.hpp"

namespace ratelimit::redis {
namespace {

/// Asks one thing after the other, and ends with the reply to the last; leaves at "-READONLY".
class Questions final : public Exchange {
 public:
  explicit Questions(std::vector<std::string> words) : words_(std::move(words)) {}

  Step start(Commands& out) override { return say(out); }

  Step hear(const Reply& reply, Commands& out) override {
    heard.push_back(reply.text);
    return reply.text == "READONLY" ? Step::leave : say(out);
  }

  [[nodiscard]] const Failure& trouble() const override { return failure_; }
  [[nodiscard]] bool may_be_repeated() const override { return false; }

  std::vector<std::string> heard;

 private:
  Step say(Commands& out) {
    if (heard.size() == words_.size()) return Step::done;
    append_command(out, std::array<std::string_view, 1>{words_[heard.size()]});
    return Step::listen;
  }

  std::vector<std::string> words_;
  Failure failure_;
};

using Heard = std::vector<std::string>;
using Status = Pipeline::Status;

class PipelineTest : public ::testing::Test {
 protected:
  /// Takes what is to be sent, as the words of its commands.
  std::string take_sent() {
    std::string said(pipeline_.unsent());
    pipeline_.mark_sent(said.size());
    std::string words;
    for (std::size_t at = 0; (at = said.find("$", at)) != std::string::npos; ++at) {
      const std::size_t word = said.find("\r\n", at) + 2;
      words += said.substr(word, said.find("\r\n", word) - word) + " ";
    }
    return words;
  }

  /// The exchange that ends by these bytes; null: none.
  const Exchange* feed(std::string_view bytes) {
    pipeline_.feed(bytes);
    Exchange* ended = nullptr;
    return pipeline_.next(ended) == Status::ended ? ended : nullptr;
  }

  Pipeline pipeline_;
  Questions first_{{"A", "B"}};
  Questions second_{{"C"}};
};

TEST_F(PipelineTest, EachHearsTheRepliesToItsOwnCommands) {
  ASSERT_TRUE(pipeline_.ask(first_));
  ASSERT_TRUE(pipeline_.ask(second_));
  EXPECT_EQ(take_sent(), "A C ");
  EXPECT_EQ(feed("+a\r\n+c"), nullptr);
  EXPECT_EQ(take_sent(), "B ") << "said to what was heard, after what others had said";
  EXPECT_EQ(feed("\r\n"), &second_);
  EXPECT_EQ(feed("+b\r\n"), &first_);
  EXPECT_EQ(first_.heard, (Heard{"a", "b"}));
  EXPECT_EQ(second_.heard, (Heard{"c"}));
  EXPECT_FALSE(pipeline_.awaits());
  EXPECT_TRUE(pipeline_.ended_well());
}

TEST_F(PipelineTest, SeveralEndByOneReading) {
  pipeline_.ask(second_);
  Questions third({"D"});
  pipeline_.ask(third);
  EXPECT_EQ(feed("+c\r\n+d\r\n"), &second_);
  Exchange* ended = nullptr;
  EXPECT_EQ(pipeline_.next(ended), Status::ended);
  EXPECT_EQ(ended, &third);
}

TEST_F(PipelineTest, AnAnswerTooManyIsNobodys) {
  pipeline_.ask(second_);
  EXPECT_EQ(feed("+c\r\n+x\r\n"), &second_);
  EXPECT_FALSE(pipeline_.awaits());
  EXPECT_FALSE(pipeline_.ended_well());
}

TEST_F(PipelineTest, WhoLeavesTakesTheConnectionAlong) {
  pipeline_.ask(second_);
  EXPECT_EQ(feed("-READONLY\r\n"), &second_);
  EXPECT_FALSE(pipeline_.ended_well());
}

TEST_F(PipelineTest, NoReplyAtAllBreaksIt) {
  pipeline_.ask(second_);
  pipeline_.feed("what\r\n");
  Exchange* ended = nullptr;
  EXPECT_EQ(pipeline_.next(ended), Status::broken);
}

TEST_F(PipelineTest, WhoHasNothingToSayHasEnded) {
  Questions silent({});
  EXPECT_FALSE(pipeline_.ask(silent));
  EXPECT_FALSE(pipeline_.awaits());
}

TEST_F(PipelineTest, KnowsWhomTheServerMayHaveHeard) {
  pipeline_.ask(first_);
  const std::size_t first_ends = pipeline_.unsent().size();
  pipeline_.ask(second_);
  pipeline_.mark_sent(first_ends - 1);
  EXPECT_FALSE(pipeline_.has_sent(first_));
  pipeline_.mark_sent(1);
  EXPECT_TRUE(pipeline_.has_sent(first_));
  EXPECT_FALSE(pipeline_.has_sent(second_));
  (void)take_sent();
  EXPECT_TRUE(pipeline_.has_sent(second_));
  (void)feed("+a\r\n");
  EXPECT_FALSE(pipeline_.has_sent(first_)) << "of what it says now";
  (void)take_sent();
  EXPECT_TRUE(pipeline_.has_sent(first_));
}

}  // namespace
}  // namespace ratelimit::redis
