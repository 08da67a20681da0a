// What a misbehaving server, or a process at its limits, must not do to the process: leak
// descriptors, hand them to children, end it by a signal.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "faults/faulty_limiter.hpp"
#include "support/scripted_server.hpp"

namespace ratelimit::testing {
namespace {

std::set<int> open_descriptors() {
  std::set<int> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    if (::fcntl(fd, F_GETFD) >= 0) found.insert(fd);  // not the one that lists them
  }
  return found;
}

/// Lets the client in and answers everything with "nothing is owed".
void serve(Peer& peer) {
  if (!peer.listen() || !peer.say("+OK\r\n")) return;
  while (peer.listen() && peer.say(":0\r\n")) {
  }
}

TEST(Process, DescriptorsAreClosedOnExec) {
  ScriptedServer server(serve);
  const auto backend = backend_on(server.url());
  const auto limiter = limiter_on(*backend, OnError::deny);
  const auto before = open_descriptors();
  EXPECT_TRUE(limiter->allow("alice"));
  int added = 0;
  for (const int fd : open_descriptors()) {
    if (before.contains(fd)) continue;
    ++added;  // the client's end, and the scripted server's, which is closed on exec as well
    EXPECT_TRUE((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  }
  EXPECT_GE(added, 1);
}

TEST(Process, NoDescriptorIsLeakedByFailures) {
  const auto before = open_descriptors();
  {
    ScriptedServer closing([](Peer&) {});
    ScriptedServer resetting([](Peer& peer) { peer.reset(); });
    ScriptedServer talking([](Peer& peer) { peer.say("?\r\n"); });
    for (const auto& url : {closing.url(), resetting.url(), talking.url(), refused_url()}) {
      const auto backend = backend_on(url);
      const auto limiter = limiter_on(*backend, OnError::deny);
      for (int i = 0; i < 50; ++i) EXPECT_TRUE(limiter->allow("alice").degraded());
    }
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Process, GoesOnWithoutDescriptors) {
  ScriptedServer server(serve);
  const auto backend = backend_on(server.url());
  const auto limiter = limiter_on(*backend, OnError::allow);
  // A sanitizer needs descriptors to check an object's type, once for each type.
  const auto unreachable = backend_on(refused_url());
  EXPECT_TRUE(limiter_on(*unreachable, OnError::allow)->allow("alice").degraded());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const Decision decision = limiter->allow("alice");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(decision.allowed);
  EXPECT_EQ(to_string(decision.error), "unreachable");
  EXPECT_FALSE(limiter->allow("alice").degraded());  // and comes back
}

TEST(Process, LivesThroughAPeerThatClosesBetweenCalls) {
  // Each connection answers one call and closes: the next one must not write into it, nor fail.
  ScriptedServer server([](Peer& peer) {
    if (peer.listen() && peer.say("+OK\r\n") && peer.listen()) peer.say(":0\r\n");
  });
  const auto backend = backend_on(server.url());
  const auto limiter = limiter_on(*backend, OnError::deny);
  int answered = 0;
  for (int i = 0; i < 100; ++i) answered += limiter->allow("alice").degraded() ? 0 : 1;
  // A close that comes while a call is being sent is an error; one that was there before is not.
  EXPECT_GT(answered, 0);
}

TEST(Process, AChildOpensConnectionsOfItsOwn) {
  std::atomic<int> connections = 0;
  ScriptedServer server([&](Peer& peer) {
    ++connections;
    serve(peer);
  });
  const auto backend = backend_on(server.url());
  const auto limiter = limiter_on(*backend, OnError::deny);
  EXPECT_TRUE(limiter->allow("alice"));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // It ends as another program: a leak checker would lay what the parent's threads own to this
    // one.
    const char* const outcome = limiter->allow("alice") ? "/bin/true" : "/bin/false";
    ::execl(outcome, outcome, nullptr);
    ::_exit(2);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(connections, 2);
  EXPECT_TRUE(limiter->allow("alice"));
  EXPECT_EQ(connections, 2);  // the parent's is as it was
}

}  // namespace
}  // namespace ratelimit::testing
