// A build without TLS.
#include "redis/tls.hpp"

namespace ratelimit::redis {

Result<std::shared_ptr<TlsContext>> TlsContext::make(const TlsOptions& /*options*/) {
  return Error{Errc::invalid_argument,
               "RedisOptions.url asks for TLS, which this build has not got: it was configured "
               "with RATELIMIT_TLS=OFF"};
}

}  // namespace ratelimit::redis
