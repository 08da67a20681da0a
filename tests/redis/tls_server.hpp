// One server that speaks TLS, and its certificates, for a whole program of tests.
#pragma once

#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <string_view>

#include "redis/tls_line.hpp"
#include "support/certificates.hpp"
#include "support/redis_server.hpp"
#include "support/scripted_server.hpp"

namespace ratelimit::testing {

inline const Certificates& certificates() {
  static const Certificates made;
  return made;
}

inline RedisServer& tls_server() {
  static RedisServer shared({.ca = certificates().ca.certificate,
                             .certificate = certificates().server.certificate,
                             .key = certificates().server.key},
                            {});
  return shared;
}

/// Connections from here on are met with this certificate.
inline void serve(const Identity& identity) {
  tls_server().command(
      {"CONFIG", "SET", "tls-cert-file", identity.certificate, "tls-key-file", identity.key});
}

inline std::shared_ptr<redis::TlsContext> context_with(const TlsOptions& options) {
  return redis::TlsContext::make(options).value();
}

/// What trusts the CA of the tests, and is nobody.
inline TlsOptions trusting() { return {.ca_file = certificates().ca.certificate}; }

/// What becomes of a PING to the server as `host`: empty, or why there was no answer.
inline std::string ping(const TlsOptions& options, const std::string& host = "localhost") {
  return TlsLine(*context_with(options), tls_server().port(), host).ping();
}

/// Between a client and the TLS server: passes on what the client says, and of what the server says
/// so many bytes; then it closes. Keeps count of what the client has said.
inline ScriptedServer::Script relay(std::size_t bytes, std::atomic<std::size_t>* heard = nullptr) {
  return [bytes, heard](Peer& peer) {
    const int fd = connected_to(tls_server().port());
    std::size_t passed = 0;
    std::size_t told = 0;
    std::array<char, 512> buffer;
    while (passed < bytes && peer.listen()) {
      const auto rest = std::string_view(peer.heard()).substr(told);
      told += rest.size();
      if (heard != nullptr) *heard = told;
      if (::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL) < 0) break;
      pollfd answer{fd, POLLIN, 0};
      while (passed<bytes&& ::poll(&answer, 1, 100)> 0) {
        const auto got = ::recv(fd, buffer.data(), std::min(buffer.size(), bytes - passed), 0);
        if (got <= 0 || !peer.say({buffer.data(), static_cast<std::size_t>(got)})) break;
        passed += static_cast<std::size_t>(got);
      }
    }
    ::close(fd);
  };
}

}  // namespace ratelimit::testing
