// The Redis backend: one limit shared by all instances of a service.
//
// Each decision is one Lua script that runs atomically on the server (Redis 6.2 or later, Valkey).
// Needs the `ratelimit::redis` library.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ratelimit/backend.hpp"
#include "ratelimit/clock.hpp"
#include "ratelimit/export.hpp"
#include "ratelimit/memory.hpp"
#include "ratelimit/result.hpp"

namespace ratelimit {

/// How a server is spoken to by TLS (rediss:// in RedisOptions::url): version 1.2 at least. The
/// server's certificate must be in date, signed by a CA that is trusted, and made out to the host
/// of the URL, a name or an IP address; else nothing but the handshake is sent. Files are in PEM
/// form and read once, when the backend is made.
struct TlsOptions {
  /// The certificates of the CAs to trust, or of the server itself where it is self-signed. Empty:
  /// the system's.
  std::string ca_file;

  /// Who we are, for a server that asks: our certificate, then those between it and the CA. Empty:
  /// no certificate.
  std::string certificate_file;

  /// The private key of our certificate, without a passphrase. Empty: it is in certificate_file.
  std::string key_file;

  /// What the server's certificate must be made out to, and the name that the server is told (SNI),
  /// where that is not the URL's host. Empty: the URL's host.
  std::string server_name;

  /// Takes any certificate: whoever is on the way to the server can then read and change all that
  /// is said, passwords too. For trying things out.
  bool insecure_without_verification = false;
};

/// Options of the Redis backend.
struct RedisOptions {
  /// Where the server is and who we are there:
  ///
  ///   redis://[user:password@]host[:port][/db]      port 6379 and db 0 unless given
  ///   rediss://[user:password@]host[:port][/db]     the same by TLS; see TlsOptions
  ///   unix://[user:password@]/path/of.sock[?db=N]
  ///
  /// An IPv6 address goes in brackets. A password without a user is `redis://:password@host`. In
  /// user and password '/', '?', '#' and '%' must be percent-encoded, and anything else may be.
  /// rediss:// is refused where the library was built with RATELIMIT_TLS=OFF.
  std::string url = "redis://127.0.0.1:6379";

  /// The most that a whole call may take: waiting for a connection, resolving, connecting, the TLS
  /// handshake, logging in, sending, the answer. 1 us to 1 hour.
  Duration timeout = std::chrono::milliseconds(50);

  /// Put before every key on the server; at most 255 bytes.
  std::string prefix = "rl:";

  /// The source of time, for tests: it is sent with each call. Null: the server's own clock, which
  /// is what makes instances with different clocks agree.
  std::shared_ptr<const Clock> clock = nullptr;

  /// The name this client shows in CLIENT LIST: printable ASCII without spaces, at most 255
  /// characters; empty for none.
  std::string client_name = "ratelimit";

  /// The most connections that are ever open, 1 to 1024. A few serve hundreds of threads: callers
  /// beyond them wait together, within their timeouts, and share calls of the server.
  std::int64_t max_connections = 4;

  /// After how many failures in a row the server is left alone for a while: until then calls end at
  /// once with Errc::circuit_open, and on_error answers. One call at a time then tries it again,
  /// after a random span that doubles up to 200 ms (10 s where the server refuses our user). 0 to
  /// 1,000,000; 0: never.
  std::int64_t failures_to_open = 5;

  /// Bound the memory of limiters whose on_error is OnError::local, as MemoryOptions::max_keys and
  /// MemoryOptions::log_bytes do.
  std::int64_t local_max_keys = MemoryOptions{}.max_keys;
  std::int64_t local_log_bytes = MemoryOptions{}.log_bytes;

  /// How TLS is spoken. Leave it alone where the URL is not rediss://: what is set without being
  /// used is refused.
  TlsOptions tls = {};
};

/// Makes a backend whose state lives on a Redis server.
///
/// Does not connect: a service starts while Redis is down. The first call that needs the server
/// connects. Errors: Errc::invalid_argument for a bad option; Errc::out_of_memory.
RATELIMIT_API Result<std::shared_ptr<Backend>> make_redis_backend(RedisOptions options = {});

}  // namespace ratelimit
