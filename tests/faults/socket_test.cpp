// The socket by itself: what no command of ours is long enough to bring about.
#include "redis/socket.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>

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

/// Connects, and waits for it.
void connect(Socket& socket, const ScriptedServer& server, const Deadline& deadline) {
  auto [status, error] = socket.start_connect(loopback(server.port()));
  if (status == Socket::Connecting::Status::pending) {
    ASSERT_NE(socket.wait_for(POLLOUT, deadline), 0);
    status = socket.finish_connect().status;
  }
  ASSERT_EQ(status, Socket::Connecting::Status::done);
}

TEST(Socket, SendingToAPeerThatDoesNotReadEndsByTheDeadline) {
  const ScriptedServer server([](Peer& peer) { peer.ignore(); });
  Socket socket;
  const Deadline deadline(100ms);
  connect(socket, server, deadline);
  const std::string piece(1'000'000, 'x');
  IoStep sent;
  for (int i = 0; i < 1000 && sent.status == IoStep::Status::done; ++i) sent = socket.send(piece);
  EXPECT_EQ(sent.status, IoStep::Status::want_write);
  EXPECT_EQ(socket.wait_for(POLLOUT, deadline), 0);
  EXPECT_TRUE(deadline.passed());
  EXPECT_LT(Deadline::Clock::now(), deadline.at() + 2s);
}

TEST(Socket, SendingToAPeerThatHasGoneIsAnErrorAndNoSignal) {
  const ScriptedServer server([](Peer& peer) {
    if (peer.listen()) peer.reset();
  });
  Socket socket;
  const Deadline deadline(5s);
  connect(socket, server, deadline);
  ASSERT_EQ(socket.send("x").status, IoStep::Status::done);
  ASSERT_NE(socket.wait_for(POLLIN, deadline), 0);  // for the reset
  char byte = 0;
  EXPECT_EQ(socket.receive(&byte, 1).status, IoStep::Status::failed);
  const IoStep sent = socket.send("x");
  EXPECT_EQ(sent.status, IoStep::Status::failed);
  EXPECT_EQ(sent.text, error_text(EPIPE));
}

TEST(Socket, SaysWhenThereIsNothingToRead) {
  const ScriptedServer server([](Peer& peer) {
    if (peer.listen() && peer.say("y")) peer.listen();
  });
  Socket socket;
  const Deadline deadline(5s);
  connect(socket, server, deadline);
  char byte = 0;
  EXPECT_EQ(socket.receive(&byte, 1).status, IoStep::Status::want_read);
  ASSERT_EQ(socket.send("x").status, IoStep::Status::done);
  ASSERT_NE(socket.wait_for(POLLIN, deadline), 0);
  EXPECT_EQ(socket.receive(&byte, 1).status, IoStep::Status::done);
  EXPECT_EQ(byte, 'y');
  EXPECT_EQ(socket.receive(&byte, 1).status, IoStep::Status::want_read);
  ASSERT_EQ(socket.send("x").status, IoStep::Status::done);
  ASSERT_NE(socket.wait_for(POLLIN, deadline), 0);
  EXPECT_EQ(socket.receive(&byte, 1).status, IoStep::Status::closed);
}

}  // namespace
}  // namespace ratelimit::redis
