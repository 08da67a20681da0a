// Sessions on the way: nothing blocks, nothing raises a signal, nothing is left behind in OpenSSL's
// queue, whatever the peer does.
#include <gmock/gmock.h>
#include <openssl/err.h>

#include <atomic>
#include <thread>
#include <vector>

#include "redis/tls_server.hpp"
#include "support/scripted_server.hpp"

namespace ratelimit::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

class TlsSession : public ::testing::Test {
 protected:
  TlsSession() { serve(certificates().server); }

  /// To the server itself.
  static std::unique_ptr<TlsLine> line() { return line_to(tls_server().port()); }

  static std::unique_ptr<TlsLine> line_to(int port, const std::string& host = "localhost") {
    return std::make_unique<TlsLine>(*context_with(trusting()), port, host);
  }
};

TEST_F(TlsSession, AServerThatNeverAnswersIsNotWaitedFor) {
  const ScriptedServer server([](Peer& peer) { peer.hang(); });
  const auto stalled = line_to(server.port());
  const auto start = steady_clock::now();
  for (int i = 0; i < 1000; ++i) {
    const IoStep step = stalled->transport().open();
    ASSERT_EQ(step.status, Status::want_read);
    ASSERT_THAT(step.text, HasSubstr("no answer"));
  }
  EXPECT_LT(steady_clock::now() - start, 5s);
}

TEST_F(TlsSession, AHandshakeThatIsCutOffFails) {
  for (const std::size_t bytes : {0U, 1U, 5U, 6U, 100U, 130U, 400U, 600U}) {
    const ScriptedServer server(relay(bytes));
    const auto cut = line_to(server.port());
    const IoStep step = cut->open();
    EXPECT_EQ(step.status, Status::failed) << bytes;
    EXPECT_THAT(step.text, HasSubstr("TLS handshake")) << bytes;
    EXPECT_THAT(step.text, Not(HasSubstr("out of patience"))) << bytes;
    EXPECT_EQ(cut->transport().open().text, step.text) << "and again";
  }
}

TEST_F(TlsSession, AHandshakeThatIsResetFails) {
  const ScriptedServer server([](Peer& peer) {
    if (peer.listen()) peer.reset();
  });
  const IoStep step = line_to(server.port())->open();
  EXPECT_EQ(step.status, Status::failed);
  EXPECT_THAT(step.text, HasSubstr("TLS handshake: Connection reset"));
}

TEST_F(TlsSession, WhatIsNoTlsIsRecognised) {
  for (const char* const answer :
       {"-ERR unknown command\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "+OK\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n", "\x01\x02\x03\x04\x05\x06\x07\x08"}) {
    const ScriptedServer server([answer](Peer& peer) {
      if (peer.listen() && peer.say(answer)) peer.hang();
    });
    const IoStep step = line_to(server.port())->open();
    EXPECT_EQ(step.status, Status::failed) << answer;
    EXPECT_THAT(step.text, HasSubstr("speaks no TLS")) << answer;
  }
}

TEST_F(TlsSession, NamesAreToldAndAddressesAreNot) {
  std::string hello;
  ScriptedServer server([&hello](Peer& peer) {
    if (peer.listen()) hello = peer.heard();
  });
  (void)line_to(server.port(), "redis.example")->open();
  EXPECT_THAT(hello, HasSubstr("redis.example"));
  for (const char* const address : {"127.0.0.1", "::1"}) {
    (void)line_to(server.port(), address)->open();
    EXPECT_THAT(hello, Not(AnyOf(HasSubstr(address), HasSubstr("redis.example"))));
  }
}

TEST_F(TlsSession, MuchIsSentAndReceivedInPieces) {
  std::string value(3'000'000, '\0');
  for (std::size_t i = 0; i < value.size(); ++i) value[i] = static_cast<char>('a' + i % 23);
  const std::string head = "$" + std::to_string(value.size()) + "\r\n";
  for (const std::size_t at_once : {997U, 16'384U, 100'000U}) {
    const auto open = line();
    ASSERT_EQ(open->open().status, Status::done);
    ASSERT_EQ(open->send("*2\r\n$4\r\nECHO\r\n" + head + value + "\r\n").status, Status::done);
    const std::size_t size = head.size() + value.size() + 2;
    ASSERT_EQ(open->receive(size, at_once).status, Status::done);
    EXPECT_TRUE(open->heard == head + value + "\r\n") << at_once;
  }
}

TEST_F(TlsSession, AServerThatDoesNotReadIsNotWaitedFor) {
  const auto open = line();
  ASSERT_EQ(open->open().status, Status::done);
  tls_server().pause();
  const std::string command = "*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n";
  std::string all;
  for (int i = 0; i < 1'000'000; ++i) all += command;
  std::size_t sent = 0;
  IoStep step;
  while (step.status == Status::done && sent < all.size()) {
    step = open->transport().send(std::string_view(all).substr(sent));
    sent += step.bytes;
  }
  EXPECT_EQ(step.status, Status::want_write);
  tls_server().resume();
  // What was begun goes on, from another place in memory, to the end of its command.
  const std::size_t end = (sent + 100'000) / command.size() * command.size();
  ASSERT_EQ(open->send(std::string(all, sent, end - sent)).status, Status::done);
  const std::string answer = "$5\r\nhello\r\n";
  const std::size_t answers = end / command.size();
  ASSERT_EQ(open->receive(answers * answer.size()).status, Status::done);
  EXPECT_EQ(open->heard.substr(open->heard.size() - answer.size()), answer);
}

TEST_F(TlsSession, AServerThatClosesIsNoSignal) {
  const auto open = line();
  ASSERT_EQ(open->ping(), "");
  tls_server().command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  EXPECT_EQ(open->receive(1).status, Status::closed);
  EXPECT_EQ(open->receive(1).status, Status::closed) << "for ever";
  IoStep step;
  for (int i = 0; i < 100 && step.status == Status::done; ++i) {
    step = open->send("PING\r\n");
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_THAT(step.status, AnyOf(Status::failed, Status::closed));
}

TEST_F(TlsSession, AServerThatDiesIsNoSignal) {
  for (const bool reads_first : {true, false}) {
    const auto open = line();
    ASSERT_EQ(open->ping(), "");
    tls_server().kill();  // no word of farewell
    if (reads_first) {
      EXPECT_EQ(open->receive(1).status, Status::closed);
    }
    IoStep step;
    for (int i = 0; i < 100 && step.status == Status::done; ++i) {
      step = open->send("PING\r\n");
      std::this_thread::sleep_for(1ms);
    }
    EXPECT_THAT(step.status, AnyOf(Status::failed, Status::closed));
    if (step.status == Status::failed) {
      EXPECT_THAT(step.text, HasSubstr("TLS: "));
    }
    tls_server().start();
  }
}

TEST_F(TlsSession, OutlivesItsContext) {
  auto context = context_with(trusting());
  TlsLine open(*context, tls_server().port(), "localhost");
  context.reset();
  EXPECT_EQ(open.ping(), "");
}

// In the child of a fork the parent's sessions go, and the parent still needs them.
TEST_F(TlsSession, SaysNothingWhenItGoes) {
  std::atomic<std::size_t> heard = 0;
  std::atomic<bool> over = false;
  const ScriptedServer server([&](Peer& peer) {
    relay(1'000'000, &heard)(peer);
    over = true;
  });
  auto open = line_to(server.port());
  ASSERT_EQ(open->ping(), "");
  const std::size_t before = heard;
  open.reset();
  for (int i = 0; i < 5000 && !over; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(over);
  EXPECT_EQ(heard, before);
}

TEST_F(TlsSession, KeepsOpenSslsErrorsApartFromOthers) {
  const auto soil = [] { ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR); };
  soil();
  const auto context = context_with(trusting());
  EXPECT_EQ(ERR_peek_error(), 0U);
  soil();
  EXPECT_FALSE(redis::TlsContext::make({.ca_file = "/dev/null"}));
  EXPECT_FALSE(redis::TlsContext::make({.ca_file = certificates().file("junk", "junk")}));
  EXPECT_EQ(ERR_peek_error(), 0U);
  TlsLine open(*context, tls_server().port(), "localhost");
  soil();
  EXPECT_EQ(open.ping(), "");
  soil();  // would be taken for the session's own
  char byte = 0;
  EXPECT_EQ(open.transport().receive(&byte, 1).status, Status::want_read);
  EXPECT_EQ(ERR_peek_error(), 0U);
  TlsLine refused(*context, tls_server().port(), "redis.example");
  EXPECT_EQ(refused.open().status, Status::failed);
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST_F(TlsSession, ManyThreadsShareAContext) {
  const auto context = context_with(trusting());
  std::vector<std::thread> threads;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        TlsLine open(*context, tls_server().port(), "localhost");
        answered += open.ping().empty() ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(answered, 80);
}

}  // namespace
}  // namespace ratelimit::testing
