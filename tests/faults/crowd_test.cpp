// Many callers on few connections, while the server is slow, silent or away: each keeps its own
// deadline, and what one leaves behind another takes up.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "faults/faulty_limiter.hpp"
#include "stress/threads.hpp"
#include "support/environment.hpp"
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

// One connection, on which the first caller's call is never answered. The next flight, of two
// limiters' callers, waits for a login that takes so long that one of the two gives up.
TEST_F(Crowd, WhoWasNeverSentKnowsThatItWasNotCharged) {
  std::promise<std::string> all_heard;
  std::atomic<int> connections = 0;
  ScriptedServer server([&](Peer& peer) {
    if (!peer.listen()) return;
    if (++connections == 1) {
      if (peer.say("+OK\r\n")) peer.hang();
      return;
    }
    peer.drip("+", 500ms);
    peer.say("OK\r\n");
    while (peer.listen() && peer.say(reply_to(peer.heard()))) {
    }
    all_heard.set_value(peer.heard());
  });
  Decision never_answered;
  Decision gives_up;
  Decision waits;
  {
    const auto backend = this->backend(server.url(), 1000ms, 1);
    const auto limiter = limiter_on(*backend, OnError::deny);
    const auto other =
        backend->make_limiter("other", TokenBucket{3, 1, 1h}, {.on_error = OnError::deny}).value();
    std::vector<std::thread> callers;
    callers.push_back(call_after(0ms, *limiter, "alice", never_answered));  // until 1000 ms
    callers.push_back(call_after(250ms, *limiter, "bob", gives_up));        // until 1250 ms
    callers.push_back(call_after(750ms, *other, "carol", waits));           // until 1750 ms
    for (std::thread& caller : callers) caller.join();
  }
  EXPECT_EQ(to_string(never_answered.error), "timeout");
  EXPECT_EQ(to_string(gives_up.error), "unreachable");
  EXPECT_EQ(charged(gives_up.error), Charged::no);
  EXPECT_EQ(to_string(waits.error), "ok") << "the login ended at 1500 ms";
  const std::string heard = all_heard.get_future().get();
  EXPECT_NE(heard.find("carol"), std::string::npos);
  EXPECT_EQ(heard.find("bob"), std::string::npos) << "nothing of it was left behind";
}

// Long after the deadline there are still requests: none of them may be sent, be it only to harm a
// connection that works.
TEST_F(Crowd, ManyRequestsEndByOneDeadline) {
  ScriptedServer server([](Peer& peer) {
    if (peer.listen() && peer.say("+OK\r\n")) peer.hang();
  });
  const auto backend = this->backend(server.url(), 100ms, 4);
  const auto limiter = limiter_on(*backend, OnError::deny);
  std::vector<std::string> keys;
  for (int i = 0; i < 20'000; ++i) keys.push_back(std::to_string(i));
  std::vector<Request> requests;
  for (const std::string& key : keys) requests.push_back({key});
  std::vector<Decision> decisions(requests.size());
  limiter->allow_many(requests.data(), requests.size(), decisions.data());
  EXPECT_LT(Clock::now() - start_, 100ms + 2s);
  EXPECT_EQ(to_string(decisions.front().error), "timeout");
  EXPECT_EQ(to_string(decisions.back().error), "unreachable");
  EXPECT_EQ(backend->statistics().connects, 1U);
}

// Each key's own error tells of the server as well.
TEST_F(Crowd, ErrorsOfKeysOpenTheCircuit) {
  ScriptedServer server([](Peer& peer) {
    if (!peer.listen() || !peer.say("+OK\r\n")) return;
    while (peer.listen() && peer.say("*2\r\n-NOPERM no\r\n:0\r\n")) {
    }
  });
  const auto backend = this->backend(server.url(), 1000ms, 4, 5);
  const auto limiter =
      backend->make_limiter("window", FixedWindow{3, 1h}, {.on_error = OnError::deny}).value();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(to_string(limiter->allow("alice").error), "access_denied");
  EXPECT_EQ(backend->statistics().circuit_openings, 1U);
}

TEST_F(Crowd, AThousandOnAServerThatHangsEndByTheirDeadlines) {
  const auto callers = std::stoi(environment("RATELIMIT_CALLERS", "1000"));
  RedisServer server;
  const auto backend = this->backend(server.url(), 300ms, 4);
  const auto limiter = limiter_on(*backend, OnError::deny);
  ASSERT_TRUE(limiter->allow("alice"));
  server.pause();
  std::atomic<int> degraded = 0;
  std::vector<Clock::duration> took(static_cast<std::size_t>(callers));
  on_threads(callers, [&](int number) {
    const auto [decision, span] = timed_allow(*limiter);
    degraded += decision.degraded() ? 1 : 0;
    took[static_cast<std::size_t>(number)] = span;
  });
  server.resume();
  EXPECT_EQ(degraded, callers);
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
