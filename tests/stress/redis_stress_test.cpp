// Connections: never more than allowed, and shared fairly enough that nobody starves.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <new>
#include <string>
#include <vector>

#include "ratelimit/redis.hpp"
#include "stress/threads.hpp"
#include "support/redis_server.hpp"

namespace ratelimit::testing {
namespace {

constexpr int kThreads = 16;

std::shared_ptr<Backend> backend_on(const RedisServer& server, std::int64_t connections) {
  return make_redis_backend({.url = server.url(),
                             .timeout = std::chrono::seconds(30),
                             .client_name = "stress",
                             .max_connections = connections})
      .value();
}

/// Waits until `holds`, for as long as no sane machine takes. Returns whether it did.
template <class Holds>
bool comes_true(Holds holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

int connections_named_stress(RedisServer& server) {
  const std::string list = server.command({"CLIENT", "LIST"}).text;
  int count = 0;
  for (auto at = list.find(" name=stress "); at != std::string::npos;
       at = list.find(" name=stress ", at + 1)) {
    ++count;
  }
  return count;
}

TEST(RedisStress, NoMoreConnectionsThanAllowedAndNobodyStarves) {
  RedisServer server;
  for (const int connections : {1, 3}) {
    const auto backend = backend_on(server, connections);
    const auto limiter =
        backend->make_limiter("test", TokenBucket{1'000'000, 1, std::chrono::hours(1)}).value();
    std::atomic<int> admitted = 0;
    on_threads(kThreads, [&](int /*number*/) {
      for (int call = 0; call < 200; ++call) admitted += limiter->allow("key").allowed;
    });
    EXPECT_EQ(admitted, kThreads * 200);
    EXPECT_EQ(backend->statistics().errors, 0U) << backend->statistics().last_error;
    EXPECT_LE(backend->statistics().connects, static_cast<std::uint64_t>(connections));
    EXPECT_LE(connections_named_stress(server), connections);
  }
}

/// What the threads of several processes count together.
class SharedCounts {
 public:
  struct Counts {
    std::atomic<int> admitted = 0;
    std::atomic<int> degraded = 0;
  };
  SharedCounts()
      : counts_(new (::mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Counts) {}
  ~SharedCounts() { ::munmap(counts_, sizeof(Counts)); }
  SharedCounts(const SharedCounts&) = delete;
  SharedCounts& operator=(const SharedCounts&) = delete;
  Counts* operator->() { return counts_; }

 private:
  Counts* counts_;
};

TEST(RedisStress, ProcessesOnOneKeyAreAdmittedExactlyTheLimit) {
  constexpr int kProcesses = 8;
  constexpr int kCalls = 100;
  constexpr int kLimit = kProcesses * kThreads * kCalls / 2;
  RedisServer server;
  SharedCounts counts;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto backend = backend_on(server, 4);
      const auto limiter =
          backend->make_limiter("test", TokenBucket{kLimit, 1, std::chrono::hours(24)}).value();
      on_threads(kThreads, [&](int /*number*/) {
        for (int call = 0; call < kCalls; ++call) {
          const Decision decision = limiter->allow("key");
          counts->admitted += decision.allowed ? 1 : 0;
          counts->degraded += decision.degraded() ? 1 : 0;
        }
      });
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(counts->degraded, 0);
  EXPECT_EQ(counts->admitted, kLimit);
}

TEST(RedisStress, ServerThatIsKilledAndStartedUnderLoadIsFoundAgain) {
  RedisServer server;
  const auto backend = backend_on(server, 4);
  const auto limiter = backend
                           ->make_limiter("test", TokenBucket{1'000'000, 1, std::chrono::hours(1)},
                                          {.on_error = OnError::deny})
                           .value();
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  // The server is handled from this thread alone: it dies with the thread that started it.
  std::thread callers([&] {
    on_threads(kThreads, [&](int /*number*/) {
      while (!done) {
        const Decision decision = limiter->allow("key");
        if (decision.allowed == decision.degraded()) ++wrong;
      }
    });
  });
  for (int round = 0; round < 3; ++round) {
    const auto answered_by = [&] { return limiter->allow("key").error == Errc::ok; };
    EXPECT_TRUE(comes_true(answered_by));
    server.kill();
    EXPECT_TRUE(comes_true([&] { return !answered_by(); }));
    server.start();
  }
  EXPECT_TRUE(comes_true([&] { return limiter->allow("key").error == Errc::ok; }));
  done = true;
  callers.join();
  EXPECT_EQ(wrong, 0) << "allowed iff the server answered";
  EXPECT_GT(backend->statistics().errors, 0U);
}

}  // namespace
}  // namespace ratelimit::testing
