// One server that speaks TLS, and its certificates, for a whole program of tests.
#pragma once

#include <string>

#include "redis/tls_line.hpp"
#include "support/certificates.hpp"
#include "support/redis_server.hpp"

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

}  // namespace ratelimit::testing
