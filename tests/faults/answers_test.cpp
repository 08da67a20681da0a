// Whatever a server says, the call ends with the right code, the process lives, and what was said
// late or too much answers nobody else.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>

#include "faults/faulty_limiter.hpp"
#include "support/scripted_server.hpp"

namespace ratelimit::testing {
namespace {

using namespace std::chrono_literals;

/// Lets the client in, then runs `answer` for what it asks.
ScriptedServer::Script after_login(std::function<void(Peer&)> answer) {
  return [answer = std::move(answer)](Peer& peer) {
    if (peer.listen() && peer.say("+OK\r\n") && peer.listen()) answer(peer);
  };
}

/// Answers each command with `reply`.
ScriptedServer::Script always(std::string reply) {
  return after_login([reply = std::move(reply)](Peer& peer) {
    while (peer.say(reply) && peer.listen()) {
    }
  });
}

TEST(Answer, NobodyListens) { expect_all_modes(refused_url(), Errc::unreachable); }

TEST(Answer, ClosedAtOnce) {
  ScriptedServer server([](Peer&) {});
  expect_all_modes(server.url(), Errc::unreachable);
}

TEST(Answer, ClosedInMidCommand) {
  ScriptedServer server(after_login([](Peer&) {}));
  expect_all_modes(server.url(), Errc::connection_lost);
}

TEST(Answer, ResetInMidCommand) {
  ScriptedServer server(after_login([](Peer& peer) { peer.reset(); }));
  expect_all_modes(server.url(), Errc::connection_lost);
}

TEST(Answer, CutInMidReply) {
  ScriptedServer server(after_login([](Peer& peer) { peer.say(":12"); }));
  expect_all_modes(server.url(), Errc::connection_lost);
}

TEST(Answer, Garbage) {
  ScriptedServer server(always("?\x01\x02 what\r\n"));
  expect_all_modes(server.url(), Errc::protocol_error);
}

TEST(Answer, AnHttpServer) {
  ScriptedServer server(always("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
  expect_all_modes(server.url(), Errc::protocol_error);
}

TEST(Answer, AnotherShape) {
  for (const char* reply : {"+OK\r\n", "$2\r\nab\r\n", "*1\r\n:1\r\n", "$-1\r\n", "*0\r\n",
                            ":123456789012345678901234567890\r\n"}) {
    SCOPED_TRACE(reply);
    ScriptedServer server(always(reply));
    expect_all_modes(server.url(), Errc::protocol_error);
  }
}

TEST(Answer, HalfAGigabyteInOneString) {
  const std::string piece(1 << 16, 'x');
  ScriptedServer server(after_login([&](Peer& peer) {
    peer.say("$536870912\r\n");
    peer.flood(piece, 536870912);
  }));
  expect_all_modes(server.url(), Errc::protocol_error, 2s);
}

TEST(Answer, TwoBillionElements) {
  ScriptedServer server(always("*2147483647\r\n"));
  expect_all_modes(server.url(), Errc::protocol_error);
}

TEST(Answer, NestedDeeply) {
  std::string nested;
  for (int i = 0; i < 200'000; ++i) nested += "*1\r\n";
  ScriptedServer server(after_login([&](Peer& peer) { peer.say(nested); }));
  expect_all_modes(server.url(), Errc::protocol_error, 2s);
}

TEST(Answer, ServerErrors) {
  const std::pair<const char*, Errc> errors[] = {
      {"-OOM command not allowed when used memory > 'maxmemory'.", Errc::server_full},
      {"-MISCONF Redis is configured to save RDB snapshots", Errc::server_full},
      {"-NOREPLICAS Not enough good replicas to write.", Errc::server_full},
      {"-LOADING Redis is loading the dataset in memory", Errc::server_not_ready},
      {"-BUSY Redis is busy running a script.", Errc::server_not_ready},
      {"-READONLY You can't write against a read only replica.", Errc::server_not_ready},
      {"-MASTERDOWN Link with MASTER is down", Errc::server_not_ready},
      {"-NOAUTH Authentication required.", Errc::access_denied},
      {"-NOPERM this user has no permissions to run 'evalsha'", Errc::access_denied},
      {"-ERR The user executing the script can't run this command", Errc::access_denied},
      {"-ERR unknown command 'EVALSHA'", Errc::server_error},
      {"-", Errc::server_error},
  };
  for (const auto& [reply, code] : errors) {
    SCOPED_TRACE(reply);
    ScriptedServer server(always(std::string(reply) + "\r\n"));
    expect_all_modes(server.url(), code);
  }
}

TEST(Answer, AlwaysNoScript) {
  ScriptedServer server(after_login([](Peer& peer) {
    const std::string missing = "-NOSCRIPT No matching script.\r\n";
    while (peer.say(missing) && peer.listen() &&
           peer.say("$40\r\n0123456789012345678901234567890123456789\r\n" + missing) &&
           peer.listen()) {
    }
  }));
  expect_all_modes(server.url(), Errc::script_missing);
}

TEST(Answer, ALateOneAnswersNobody) {
  // Each connection answers its first call late, with "all is owed", and its second at once.
  ScriptedServer server(after_login([](Peer& peer) {
    peer.drip(std::string_view(":3600000000\r\n").substr(0, 1), 150ms);
    peer.say("3600000000\r\n");
    while (peer.listen() && peer.say(":0\r\n")) {
    }
  }));
  const auto backend = backend_on(server.url());
  const auto limiter = limiter_on(*backend, OnError::deny);
  EXPECT_EQ(to_string(limiter->allow("alice").error), "timeout");
  EXPECT_EQ(to_string(limiter->allow("alice").error), "timeout");  // a new connection, late again
  EXPECT_EQ(backend->statistics().connects, 2U);
}

TEST(Answer, OneTooManyAnswersNobody) {
  ScriptedServer server(after_login([](Peer& peer) {
    while (peer.say(":0\r\n:777\r\n") && peer.listen()) {
    }
  }));
  const auto backend = backend_on(server.url());
  const auto limiter = limiter_on(*backend, OnError::deny);
  for (int i = 0; i < 3; ++i) {
    const Decision decision = limiter->allow("alice");
    EXPECT_TRUE(decision.allowed) << to_string(decision.error);
    EXPECT_EQ(decision.remaining, 2);  // of a debt of 0, never of 777
  }
}

TEST(Answer, OneTooManyInTheHandshakeAnswersNobody) {
  ScriptedServer server([](Peer& peer) {
    if (peer.listen() && peer.say("+OK\r\n:0\r\n")) peer.hang();
  });
  expect_all_modes(server.url(), Errc::unreachable);
}

// As after a failover, where the name leads to the new master.
TEST(Answer, ThatAnotherServerIsToBeAskedIsFollowedOnce) {
  std::atomic<int> connections = 0;
  ScriptedServer server(after_login([&](Peer& peer) {
    const bool is_old = ++connections == 1;
    while (peer.say(is_old ? "-READONLY You can't write against a read only replica.\r\n"
                           : ":0\r\n") &&
           peer.listen()) {
    }
  }));
  const auto backend = backend_on(server.url());
  const auto limiter = limiter_on(*backend, OnError::deny);
  EXPECT_EQ(to_string(limiter->allow("alice").error), "ok");
  EXPECT_EQ(backend->statistics().connects, 2U);
  EXPECT_EQ(backend->statistics().errors, 0U);
}

TEST(Answer, ThatAnotherServerIsToBeAskedIsNotFollowedTwice) {
  for (const char* reply : {"-READONLY You can't write against a read only replica.\r\n",
                            "-MASTERDOWN Link with MASTER is down\r\n"}) {
    ScriptedServer server(always(reply));
    const auto backend = backend_on(server.url());
    const auto limiter = limiter_on(*backend, OnError::deny);
    EXPECT_EQ(to_string(limiter->allow("alice").error), "server_not_ready");
    EXPECT_EQ(backend->statistics().connects, 2U);
    EXPECT_EQ(to_string(limiter->reset("alice")), "server_not_ready");
    EXPECT_EQ(backend->statistics().connects, 4U);
  }
}

TEST(Answer, AFieldOutOfBounds) {
  for (const char* reply : {":-9223372036854775808\r\n", ":9223372036854775807\r\n",
                            ":10800000001\r\n"}) {  // more than the capacity may owe
    SCOPED_TRACE(reply);
    ScriptedServer server(always(reply));
    expect_all_modes(server.url(), Errc::protocol_error);
  }
}

TEST(Answer, NoRoomForAnotherClient) {
  ScriptedServer server([](Peer& peer) {
    if (peer.listen()) peer.say("-ERR max number of clients reached\r\n");
  });
  expect_all_modes(server.url(), Errc::server_not_ready);
}

}  // namespace
}  // namespace ratelimit::testing
