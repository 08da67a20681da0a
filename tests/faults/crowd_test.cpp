// Many callers on few connections, while the server is slow, silent or away: each keeps its own
// deadline, and what one leaves behind another takes up.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "faults/faulty_limiter.hpp"
#include "stress/threads.hpp"
#include "support/redis_server.hpp"
#include "support/scripted_server.hpp"

namespace ratelimit::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// So many keys as the last command of ours asks for.
int keys_asked(std::string_view heard) {
  constexpr std::string_view kBefore = "EVALSHA\r\n$40\r\n";
  constexpr std::size_t kSha1AndSize = std::string_view("\r\n$1\r\n").size() + 40;
  const auto count = heard.substr(heard.rfind(kBefore) + kBefore.size() + kSha1AndSize, 2);
  return std::stoi(std::string(count));
}

/// "Nothing is owed" for so many keys.
std::string reply_to(std::string_view heard) {
  const int keys = keys_asked(heard);
  if (keys == 1) return ":0\r\n";
  std::string reply = "*" + std::to_string(keys) + "\r\n";
  for (int i = 0; i < keys; ++i) reply += ":0\r\n";
  return reply;
}

class Crowd : public ::testing::Test {
 protected:
  static std::shared_ptr<Backend> backend(const std::string& url, Duration timeout,
                                          std::int64_t connections, std::int64_t failures = 0) {
    return make_redis_backend({.url = url,
                               .timeout = timeout,
                               .max_connections = connections,
                               .failures_to_open = failures})
        .value();
  }

  /// A call that begins so long after the test.
  std::thread call_after(Clock::duration after, Limiter& limiter, const std::string& key,
                         Decision& decision) {
    return std::thread([this, after, &limiter, key, &decision] {
      std::this_thread::sleep_until(start_ + after);
      decision = limiter.allow(key);
    });
  }

  Clock::time_point start_ = Clock::now();
};

// One connection. The first flight is the first caller's; the second one has two callers, of whom
// one must give up before the answer comes, and, should it have driven, leave that to the other.
TEST_F(Crowd, WhoGivesUpLeavesTheLaneToThoseWhoStillWait) {
  ScriptedServer server([](Peer& peer) {
    if (!peer.listen() || !peer.say("+OK\r\n") || !peer.listen()) return;
    peer.drip(reply_to(peer.heard()).substr(0, 1), 1000ms);
    peer.say(reply_to(peer.heard()).substr(1));
    if (!peer.listen()) return;
    const std::string late = reply_to(peer.heard());
    peer.drip(late.substr(0, 1), 1550ms);
    peer.say(late.substr(1));
    while (peer.listen() && peer.say(reply_to(peer.heard()))) {
    }
  });
  const auto backend = this->backend(server.url(), 2000ms, 1);
  const auto limiter = limiter_on(*backend, OnError::deny);
  Decision first;
  Decision gives_up;
  Decision waits;
  std::vector<std::thread> callers;
  callers.push_back(call_after(0ms, *limiter, "alice", first));
  callers.push_back(call_after(300ms, *limiter, "bob", gives_up));  // until 2300 ms
  callers.push_back(call_after(800ms, *limiter, "carol", waits));   // until 2800 ms
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(to_string(first.error), "ok");
  EXPECT_EQ(to_string(gives_up.error), "timeout");
  EXPECT_EQ(to_string(waits.error), "ok") << "the answer came at 2550 ms";
  EXPECT_EQ(to_string(limiter->allow("dave").error), "ok");
  EXPECT_EQ(backend->statistics().connects, 1U) << "the late answer was read and dropped";
}

TEST_F(Crowd, WhoWasNeverSentKnowsThatItWasNotCharged) {
  ScriptedServer server([](Peer& peer) {
    if (peer.listen() && peer.say("+OK\r\n") && peer.listen()) peer.hang();
  });
  const auto backend = this->backend(server.url(), 200ms, 1);
  const auto limiter = limiter_on(*backend, OnError::deny);
  Decision sent;
  Decision queued;
  std::thread first = call_after(0ms, *limiter, "alice", sent);
  std::thread second = call_after(50ms, *limiter, "bob", queued);
  first.join();
  second.join();
  EXPECT_EQ(to_string(sent.error), "timeout");
  // Its flight begins when the first is abandoned, at 200 ms, on a connection of its own: it may be
  // heard at last.
  EXPECT_NE(to_string(queued.error), "ok");
  EXPECT_LE(Clock::now() - start_, 250ms + 1s);
}

TEST_F(Crowd, AThousandOnAServerThatHangsEndByTheirDeadlines) {
  constexpr int kCallers = 1000;
  RedisServer server;
  const auto backend = this->backend(server.url(), 300ms, 4);
  const auto limiter = limiter_on(*backend, OnError::deny);
  ASSERT_TRUE(limiter->allow("alice"));
  server.pause();
  std::atomic<int> degraded = 0;
  std::vector<Clock::duration> took(kCallers);
  on_threads(kCallers, [&](int number) {
    const auto [decision, span] = timed_allow(*limiter);
    degraded += decision.degraded() ? 1 : 0;
    took[static_cast<std::size_t>(number)] = span;
  });
  server.resume();
  EXPECT_EQ(degraded, kCallers);
  EXPECT_LE(*std::ranges::max_element(took), 300ms + 2s) << "ample: a thousand threads wake up";
  EXPECT_EQ(to_string(limiter->allow("bob").error), "ok");
  // Each flight that was abandoned cost a connection, and each of four lanes may have had two.
  EXPECT_LE(backend->statistics().connects, 1U + 8U + 1U);
}

TEST_F(Crowd, WhileTheBreakerIsOpenCallsCostNothing) {
  constexpr int kCalls = 1000;
  const auto backend = this->backend(refused_url(), 100ms, 4, 5);
  const auto limiter = limiter_on(*backend, OnError::deny);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(to_string(limiter->allow("alice").error), "unreachable");
  int refused = 0;
  for (int i = 0; i < kCalls; ++i) refused += limiter->allow("alice").error == Errc::circuit_open;
  EXPECT_GE(refused, kCalls / 2) << "some are probes";
  EXPECT_EQ(backend->statistics().errors, 5U + kCalls);
  EXPECT_NE(backend->statistics().last_error.find("connecting"), std::string::npos);
}

TEST_F(Crowd, TheServersReturnIsSeenSoon) {
  RedisServer server;
  const auto backend = this->backend(server.url(), 100ms, 4, 5);
  const auto limiter = limiter_on(*backend, OnError::deny);
  server.kill();
  while (limiter->allow("alice").error != Errc::circuit_open) {
  }
  server.start();
  const auto back = Clock::now();
  while (limiter->allow("alice").degraded()) std::this_thread::yield();
  EXPECT_LE(Clock::now() - back, 250ms + 1s) << "ample: this machine may be busy";
}

}  // namespace
}  // namespace ratelimit::testing
