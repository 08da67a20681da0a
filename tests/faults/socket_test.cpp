// The socket by itself: what no command of ours is long enough to bring about.
#include "redis/socket.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

#include "support/scripted_server.hpp"

namespace ratelimit::redis {
namespace {

using namespace std::chrono_literals;
using testing::Peer;
using testing::ScriptedServer;

Address loopback(int port) {
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(static_cast<std::uint16_t>(port));
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Address address;
  std::memcpy(&address.storage, &target, sizeof target);
  address.size = sizeof target;
  return address;
}

TEST(Socket, SendingToAPeerThatDoesNotReadEndsByTheDeadline) {
  const ScriptedServer server([](Peer& peer) { peer.ignore(); });
  Socket socket;
  const Deadline deadline(100ms);
  ASSERT_TRUE(socket.connect(loopback(server.port()), deadline).ok());
  const std::vector<char> more_than_any_buffer(64'000'000, 'x');
  const IoResult sent =
      socket.send({more_than_any_buffer.data(), more_than_any_buffer.size()}, deadline);
  EXPECT_EQ(sent.error, ETIMEDOUT);
  EXPECT_LT(Deadline::Clock::now(), deadline.at() + 2s);
}

TEST(Socket, SendingToAPeerThatHasGoneIsAnErrorAndNoSignal) {
  const ScriptedServer server([](Peer& peer) {
    if (peer.listen()) peer.reset();
  });
  Socket socket;
  const Deadline deadline(5s);
  ASSERT_TRUE(socket.connect(loopback(server.port()), deadline).ok());
  ASSERT_TRUE(socket.send("x", deadline).ok());
  char byte = 0;
  EXPECT_FALSE(socket.receive(&byte, 1, deadline).ok());  // waits for the reset
  EXPECT_EQ(socket.send("x", deadline).error, EPIPE);
}

TEST(Socket, IsQuietUntilSomethingComes) {
  const ScriptedServer server([](Peer& peer) {
    if (peer.listen() && peer.say("y")) peer.hang();
  });
  Socket socket;
  const Deadline deadline(5s);
  ASSERT_TRUE(socket.connect(loopback(server.port()), deadline).ok());
  EXPECT_TRUE(socket.is_quiet());
  ASSERT_TRUE(socket.send("x", deadline).ok());
  char byte = 0;
  ASSERT_TRUE(socket.receive(&byte, 1, deadline).ok());
  EXPECT_EQ(byte, 'y');
  EXPECT_TRUE(socket.is_quiet());
}

}  // namespace
}  // namespace ratelimit::redis
