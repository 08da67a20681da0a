// A server as all of its links see it: where it is, how one gets in, and what was learnt of it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "redis/address.hpp"
#include "redis/tls.hpp"
#include "redis/url.hpp"

namespace ratelimit::redis {

struct Site {
  Site(Endpoint at, std::shared_ptr<const TlsContext> over, std::string name)
      : endpoint(std::move(at)),
        tls(std::move(over)),
        client_name(std::move(name)),
        resolver(endpoint) {}

  const Endpoint endpoint;
  const std::shared_ptr<const TlsContext> tls;  // null: none is spoken
  const std::string client_name;
  Resolver resolver;
  std::atomic<std::size_t> good_address = 0;  // the one that worked last: where to begin
  std::atomic<std::uint64_t> connects = 0;    // connections opened so far
};

}  // namespace ratelimit::redis
