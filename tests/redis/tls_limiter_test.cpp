// Decisions over TLS, and what they say where the server is not to be trusted.
#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "ratelimit/ratelimit.hpp"
#include "redis/tls_server.hpp"

namespace ratelimit::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr TokenBucket kPolicy{1'000'000, 1, std::chrono::hours(1)};

class TlsLimiter : public ::testing::Test {
 protected:
  TlsLimiter() { serve(certificates().server); }

  static std::string url(const std::string& host, int port = tls_server().port()) {
    return "rediss://" + host + ":" + std::to_string(port);
  }

  static std::shared_ptr<Backend> backend(const std::string& url, const TlsOptions& tls,
                                          Duration timeout = 30s) {
    return make_redis_backend({.url = url, .timeout = timeout, .failures_to_open = 0, .tls = tls})
        .value();
  }

  static std::shared_ptr<Limiter> limiter(Backend& backend) {
    return backend.make_limiter("tls", kPolicy, {.on_error = OnError::deny}).value();
  }

  /// What is said of a server that is not asked; empty where it is.
  static std::string refusal(const std::string& url, Duration timeout = 30s) {
    const auto backend = TlsLimiter::backend(url, trusting(), timeout);
    const Decision decision = limiter(*backend)->allow("key");
    if (!decision.degraded()) return {};
    EXPECT_EQ(to_string(decision.error), "unreachable");
    EXPECT_EQ(charged(decision.error), Charged::no);
    return backend->statistics().last_error;
  }
};

TEST_F(TlsLimiter, DecidesByNameAndByAddress) {
  for (const char* const host : {"localhost", "127.0.0.1"}) {
    tls_server().flush();
    const auto backend = this->backend(url(host), trusting());
    const auto limiter = this->limiter(*backend);
    for (std::int64_t left = 999'999; left > 999'990; --left) {
      const Decision decision = limiter->allow("key");
      ASSERT_EQ(decision.error, Errc::ok) << backend->statistics().last_error;
      EXPECT_EQ(decision.remaining, left);
    }
    EXPECT_EQ(backend->statistics().connects, 1U);
  }
}

TEST_F(TlsLimiter, SaysWhyAServerIsNotTrusted) {
  serve(certificates().elsewhere);
  EXPECT_THAT(refusal(url("localhost")), HasSubstr("wrong host"));
  serve(certificates().expired);
  EXPECT_THAT(refusal(url("localhost")), HasSubstr("has expired"));
  serve(certificates().self_signed);
  EXPECT_THAT(refusal(url("localhost")), HasSubstr("self-signed"));
  serve(certificates().of_other_ca);
  EXPECT_THAT(refusal(url("localhost")), HasSubstr("unknown CA"));
}

TEST_F(TlsLimiter, SaysThatAServerSpeaksNoTls) {
  const RedisServer plain;
  EXPECT_THAT(refusal(url("127.0.0.1", plain.port()), 100ms), HasSubstr("TLS"));
}

TEST_F(TlsLimiter, AHandshakeThatStallsEndsByTheDeadline) {
  ScriptedServer server([](Peer& peer) { peer.hang(); });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(refusal(url("127.0.0.1", server.port()), 100ms), HasSubstr("TLS handshake"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 100ms + 1s);
}

TEST_F(TlsLimiter, ManyCallersShareItsConnections) {
  tls_server().flush();
  const auto backend = this->backend(url("localhost"), trusting());
  const auto limiter = this->limiter(*backend);
  constexpr int kThreads = 16;
  constexpr int kCalls = 200;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int call = 0; call < kCalls; ++call) {
        EXPECT_TRUE(limiter->allow(call % 2 == 0 ? "all" : "key" + std::to_string(i)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(limiter->peek("all").remaining, 1'000'000 - kThreads * kCalls / 2);
  EXPECT_EQ(backend->statistics().errors, 0U) << backend->statistics().last_error;
  EXPECT_LE(backend->statistics().connects, 4U);
}

TEST_F(TlsLimiter, ThousandsAtOnceGoInPieces) {
  tls_server().flush();
  const auto backend = this->backend(url("localhost"), trusting());
  const auto limiter = this->limiter(*backend);
  std::vector<std::string> keys;
  std::vector<Request> requests;
  for (int i = 0; i < 5000; ++i) keys.push_back(std::string(100, 'k') + std::to_string(i));
  for (const auto& key : keys) requests.push_back({key});
  std::vector<Decision> decisions(requests.size());
  limiter->allow_many(requests.data(), requests.size(), decisions.data());
  for (const Decision& decision : decisions) {
    ASSERT_TRUE(decision) << to_string(decision.error);
    ASSERT_FALSE(decision.degraded()) << backend->statistics().last_error;
  }
}

TEST_F(TlsLimiter, APasswordShowsInNoText) {
  const std::string password = "canary-7f3a";
  const auto backend = this->backend(
      "rediss://:" + password + "@localhost:" + std::to_string(tls_server().port()), trusting());
  EXPECT_TRUE(limiter(*backend)->allow("key").degraded());
  EXPECT_THAT(backend->statistics().last_error, Not(HasSubstr(password)));
  EXPECT_THAT(backend->statistics().last_error, HasSubstr("AUTH"));
}

}  // namespace
}  // namespace ratelimit::testing
