// Names that are slow to look up, not to be found, or that have several addresses. The lookup of
// this program is its own: see getaddrinfo below.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "faults/faulty_limiter.hpp"
#include "support/scripted_server.hpp"

namespace ratelimit::testing {
namespace {

using namespace std::chrono_literals;

/// What the lookup of any name does.
class FakeNames {
 public:
  void set(int code, std::vector<std::string> addresses) {
    const std::lock_guard lock(mutex_);
    code_ = code;
    addresses_ = std::move(addresses);
  }

  /// From now on lookups hang, until they are let go.
  void hold() {
    const std::lock_guard lock(mutex_);
    is_held_ = true;
  }

  void let_go() {
    const std::lock_guard lock(mutex_);
    is_held_ = false;
    changed_.notify_all();
  }

  int look_up(int port, addrinfo** found) {
    std::unique_lock lock(mutex_);
    ++lookups_;
    changed_.wait(lock, [this] { return !is_held_; });
    *found = nullptr;
    for (auto at = addresses_.rbegin(); at != addresses_.rend(); ++at) prepend(*at, port, found);
    return code_;
  }

  [[nodiscard]] int lookups() const { return lookups_; }

 private:
  static void prepend(const std::string& text, int port, addrinfo** list) {
    auto address = std::make_unique<sockaddr_in>();
    address->sin_family = AF_INET;
    address->sin_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET, text.c_str(), &address->sin_addr);
    auto entry = std::make_unique<addrinfo>();
    entry->ai_addrlen = sizeof *address;
    entry->ai_addr = reinterpret_cast<sockaddr*>(address.release());
    entry->ai_next = *list;
    *list = entry.release();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_held_ = false;
  int code_ = 0;
  std::vector<std::string> addresses_;
  std::atomic<int> lookups_ = 0;
};

FakeNames& names() {
  static FakeNames fake;
  return fake;
}

/// The URL with a name in place of the address.
std::string named(const std::string& url) {
  return "redis://cache.example" + url.substr(url.rfind(':'));
}

void serve(Peer& peer) {
  if (!peer.listen() || !peer.say("+OK\r\n")) return;
  while (peer.listen() && peer.say(":0\r\n")) {
  }
}

TEST(Resolver, ANameThatIsNotFoundIsAnErrorAtOnce) {
  names().set(EAI_NONAME, {});
  expect_all_modes("redis://cache.example:1", Errc::unreachable);
}

TEST(Resolver, ASlowLookupIsLeftToTheNextCaller) {
  const ScriptedServer server(serve);
  names().set(0, {"127.0.0.1"});
  names().hold();
  const auto backend = backend_on(named(server.url()), 200ms);
  const auto limiter = limiter_on(*backend, OnError::deny);
  const int before = names().lookups();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(to_string(limiter->allow("alice").error), "unreachable");
  EXPECT_EQ(names().lookups(), before + 1);  // one at a time
  names().let_go();
  Decision decision = limiter->allow("alice");
  for (int i = 0; i < 100 && decision.degraded(); ++i) decision = limiter->allow("alice");
  EXPECT_FALSE(decision.degraded());
  EXPECT_EQ(names().lookups(), before + 1);
}

TEST(Resolver, TheLastGoodAddressOutlivesAnOutageOfNames) {
  names().set(0, {"127.0.0.1"});
  ScriptedServer server([](Peer& peer) {  // a connection for each call
    if (peer.listen() && peer.say("+OK\r\n") && peer.listen()) peer.say(":0\r\n:0\r\n");
  });
  const auto backend = backend_on(named(server.url()));
  const auto limiter = limiter_on(*backend, OnError::deny);
  EXPECT_FALSE(limiter->allow("alice").degraded());
  names().set(EAI_AGAIN, {});
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(limiter->allow("alice").degraded());
}

TEST(Resolver, AnAddressThatHangsLeavesTimeForTheNext) {
  // Nobody answers on the first address; the second one serves on the same port.
  const FullBacklog hanging("127.0.0.2");
  const ScriptedServer server(serve, "127.0.0.1", hanging.port());
  names().set(0, {"127.0.0.2", "127.0.0.1"});
  const auto backend = backend_on(named(server.url()), 200ms);
  const auto limiter = limiter_on(*backend, OnError::deny);
  EXPECT_FALSE(limiter->allow("alice").degraded()) << backend->statistics().last_error;
  EXPECT_FALSE(limiter->allow("bob").degraded());
}

}  // namespace
}  // namespace ratelimit::testing

// These take the place of the C library's.
extern "C" {

int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  using ratelimit::testing::names;
  if ((hints->ai_flags & AI_NUMERICHOST) == 0) return names().look_up(std::atoi(service), found);
  in_addr numeric{};
  return inet_pton(AF_INET, host, &numeric) == 1 ? EAI_SYSTEM : EAI_NONAME;  // none in these tests
}

void freeaddrinfo(addrinfo* list) {
  while (list != nullptr) {
    const std::unique_ptr<addrinfo> entry(list);
    list = entry->ai_next;
    delete reinterpret_cast<sockaddr_in*>(entry->ai_addr);
  }
}
}
