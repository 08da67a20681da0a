#include "redis/address.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/un.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

namespace ratelimit::redis {
namespace {

Address unix_address(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);  // parse_url has checked that it fits
  Address address;
  std::memcpy(&address.storage, &name, sizeof name);
  address.size = sizeof name;
  return address;
}

/// Returns 0 or a code for gai_strerror.
int look_up(const std::string& host, std::uint16_t port, int flags, Addresses& found) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const auto service = fmt::to_string(port);
  if (const int code = getaddrinfo(host.c_str(), service.c_str(), &hints, &list); code != 0) {
    return code;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(list, &freeaddrinfo);
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    Address address;
    std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
    address.size = at->ai_addrlen;
    found.push_back(address);
  }
  return 0;
}

}  // namespace

/// What is known of one name, and the lookup under way.
struct Resolver::Lookup {
  static constexpr auto kFresh = std::chrono::seconds(10);

  std::mutex mutex;  // guards all that follows
  std::condition_variable changed;
  bool is_under_way = false;
  int code = 0;                            // of the last one, for gai_strerror
  std::shared_ptr<const Addresses> known;  // of the last one that succeeded
  Deadline::Clock::time_point known_since;

  /// Throws std::system_error, std::bad_alloc.
  static void start(const std::shared_ptr<Lookup>& self, const Endpoint& endpoint) {
    std::thread([self, host = endpoint.host, port = endpoint.port] {
      self->finish(host, port);
    }).detach();
    self->is_under_way = true;
  }

  void finish(const std::string& host, std::uint16_t port) noexcept {
    int result = EAI_MEMORY;
    std::shared_ptr<const Addresses> found;
    try {
      auto addresses = std::make_shared<Addresses>();
      result = look_up(host, port, 0, *addresses);
      found = std::move(addresses);
    } catch (const std::bad_alloc&) {
      result = EAI_MEMORY;
    }
    const std::lock_guard lock(mutex);
    is_under_way = false;
    code = result;
    if (result == 0) {
      known = std::move(found);
      known_since = Deadline::Clock::now();
    }
    changed.notify_all();
  }
};

Resolver::Resolver(const Endpoint& endpoint)
    : endpoint_(endpoint), lookup_(std::make_shared<Lookup>()) {}

void Resolver::start_over() { lookup_ = std::make_shared<Lookup>(); }

void Resolver::distrust() {
  const std::lock_guard lock(lookup_->mutex);
  lookup_->known_since = {};
}

Result<Addresses> Resolver::resolve(const Deadline& deadline) {
  if (endpoint_.is_unix()) return Addresses{unix_address(endpoint_.path)};
  Addresses numeric;
  if (look_up(endpoint_.host, endpoint_.port, AI_NUMERICHOST, numeric) == 0) return numeric;

  Lookup& lookup = *lookup_;
  std::unique_lock lock(lookup.mutex);
  const auto age = Deadline::Clock::now() - lookup.known_since;
  if (!lookup.is_under_way && (!lookup.known || age > Lookup::kFresh)) {
    try {
      Lookup::start(lookup_, endpoint_);
    } catch (const std::system_error&) {
      lookup.code = EAI_AGAIN;  // no thread to be had: what is known must do
    }
  }
  if (lookup.known) return *lookup.known;
  if (!lookup.changed.wait_until(lock, deadline.at(), [&] { return !lookup.is_under_way; })) {
    return Error{Errc::unreachable, fmt::format("looking up {} timed out", endpoint_.host)};
  }
  if (lookup.known) return *lookup.known;
  return Error{Errc::unreachable,
               fmt::format("looking up {}: {}", endpoint_.host, gai_strerror(lookup.code))};
}

}  // namespace ratelimit::redis
