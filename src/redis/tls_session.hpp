// One connection's TLS, on the client's side.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "redis/tls_wire.hpp"
#include "redis/transport.hpp"

namespace ratelimit::redis {

class TlsSession final : public Transport {
 public:
  /// `name` is what the server's certificate must be made out to. Throws std::bad_alloc.
  TlsSession(SSL_CTX* context, int fd, std::string name);

  IoStep open() override;
  IoStep send(std::string_view bytes) override;
  IoStep receive(char* buffer, std::size_t size) override;

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  [[nodiscard]] bool expect_name();
  IoStep unfinished(int result);  // by what OpenSSL says of its last call, which returned `result`
  [[nodiscard]] std::string why_failed();
  IoStep fail(std::string why);
  void look_for_alert();

  const std::string name_;
  std::string problem_;  // once the session is of no use: why
  bool is_open_ = false;
  TlsWire wire_;
  std::unique_ptr<SSL, Free> ssl_;  // reads and writes by wire_
};

}  // namespace ratelimit::redis
