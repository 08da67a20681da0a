// TLS for connections to a server: what all of a backend's connections share. Where the build has
// no TLS, none can be made (tls_absent.cpp). No type of OpenSSL's is to be seen here.
#pragma once

#include <memory>
#include <string>

#include "ratelimit/redis.hpp"
#include "ratelimit/result.hpp"
#include "redis/transport.hpp"

namespace ratelimit::redis {

/// Thread safety: `over` may be called from any thread.
class TlsContext {
 public:
  /// Reads the files that the options name; what becomes of them later does not matter. The
  /// system's store, where that is trusted, may also be read whenever a certificate is verified.
  ///
  /// Blocks: on the file system. Errors: Errc::invalid_argument, naming the option, its value and
  /// what is wrong with it; Errc::out_of_memory. Throws std::bad_alloc.
  static Result<std::shared_ptr<TlsContext>> make(const TlsOptions& options);

  TlsContext() = default;
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  virtual ~TlsContext() = default;

  /// A client's end of a session with the server that `host`, a name or a numeric address, was
  /// connected to; its certificate must be made out to that, or to TlsOptions::server_name. `fd` is
  /// a connected socket that does not block. Nothing is sent before the first `open`.
  ///
  /// The session may outlive the context. Throws std::bad_alloc.
  [[nodiscard]] virtual std::unique_ptr<Transport> over(int fd, const std::string& host) const = 0;
};

}  // namespace ratelimit::redis
