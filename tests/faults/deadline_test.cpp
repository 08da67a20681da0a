// Whatever a server does with time, a call ends by its deadline: one deadline over all of its
// waits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "faults/faulty_limiter.hpp"
#include "support/scripted_server.hpp"

namespace ratelimit::testing {
namespace {

using namespace std::chrono_literals;

/// The shortest of a few calls: a deadline that is not kept makes each of them late, a busy machine
/// only some.
void expect_by_deadline(const std::string& url, Errc error) {
  constexpr int kTries = 3;
  constexpr auto kGrace = 20ms;
  const auto backend = backend_on(url);
  const auto limiter = limiter_on(*backend, OnError::deny);
  auto shortest = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < kTries; ++i) {
    const auto [decision, took] = timed_allow(*limiter);
    EXPECT_FALSE(decision.allowed);
    EXPECT_EQ(to_string(decision.error), to_string(error)) << backend->statistics().last_error;
    shortest = std::min(shortest, took);
  }
  EXPECT_LE(shortest, kDeadline + kGrace);
}

TEST(Deadline, HoldsWhereNothingIsAnswered) {
  ScriptedServer server([](Peer& peer) { peer.hang(); });
  expect_by_deadline(server.url(),
                     Errc::unreachable);  // it hangs in the handshake: nothing was sent
}

TEST(Deadline, HoldsWhereTheScriptCallIsNotAnswered) {
  ScriptedServer server([](Peer& peer) {
    if (peer.listen() && peer.say("+OK\r\n")) peer.hang();
  });
  expect_by_deadline(server.url(), Errc::timeout);
}

TEST(Deadline, HoldsWhereTheAnswerDrips) {
  ScriptedServer server([](Peer& peer) {
    if (!peer.listen() || !peer.say("+OK\r\n") || !peer.listen()) return;
    peer.drip(":1000000000000000000\r\n", 30ms);
  });
  expect_by_deadline(server.url(), Errc::timeout);
}

TEST(Deadline, CoversHandshakeAndAnswerTogether) {
  ScriptedServer server([](Peer& peer) {
    if (!peer.listen()) return;
    peer.drip("+OK\r\n", 6ms);  // 30 ms of the 100
    if (!peer.listen()) return;
    peer.drip(":0\r\n", 22ms);  // 88 ms more
  });
  expect_by_deadline(server.url(), Errc::timeout);
}

TEST(Deadline, HoldsWhereConnectingHangs) {
  const FullBacklog server;
  expect_by_deadline(server.url(), Errc::unreachable);
}

TEST(Deadline, HoldsForThoseWhoWaitForAConnection) {
  std::atomic<int> open = 0;
  std::atomic<int> most_open = 0;
  ScriptedServer server([&](Peer& peer) {
    most_open = std::max(most_open.load(), ++open);
    peer.hang();
    --open;
  });
  const auto backend =
      make_redis_backend({.url = server.url(), .timeout = kDeadline, .max_connections = 1}).value();
  const auto limiter = limiter_on(*backend, OnError::deny);
  std::vector<Timed> calls(16);
  std::vector<std::thread> threads;
  threads.reserve(calls.size());
  for (auto& call : calls) {
    threads.emplace_back([&] { call = timed_allow(*limiter); });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& call : calls) {
    // Who shares a call with others that still wait cannot know whether it is sent.
    EXPECT_THAT(to_string(call.decision.error), ::testing::AnyOf("unreachable", "timeout"));
    EXPECT_LE(call.took, kDeadline + 1s);  // not one deadline after the other
  }
  // One connection at a time; a closed one may be noticed late.
  EXPECT_LE(most_open, 2);
}

TEST(Deadline, HoldsUnderSignals) {
  // A signal a millisecond, each of which ends a wait.
  struct sigaction ignore {};
  ignore.sa_handler = [](int) {};  // stays, since the last signal may come late
  ASSERT_EQ(sigaction(SIGALRM, &ignore, nullptr), 0);
  const itimerval every_ms{{0, 1000}, {0, 1000}};
  ASSERT_EQ(setitimer(ITIMER_REAL, &every_ms, nullptr), 0);
  {
    ScriptedServer server([](Peer& peer) {
      if (peer.listen() && peer.say("+OK\r\n")) peer.hang();
    });
    expect_by_deadline(server.url(), Errc::timeout);
  }
  const itimerval never_again{};
  ASSERT_EQ(setitimer(ITIMER_REAL, &never_again, nullptr), 0);
}

}  // namespace
}  // namespace ratelimit::testing
