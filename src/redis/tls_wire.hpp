// A socket as OpenSSL reads from it and writes to it. OpenSSL's own would write with write(), which
// raises SIGPIPE where the peer has gone.
#pragma once

#include <openssl/bio.h>

#include <cstddef>

namespace ratelimit::redis {

class TlsWire {
 public:
  explicit TlsWire(int fd) : fd_(fd) {}
  TlsWire(const TlsWire&) = delete;
  TlsWire& operator=(const TlsWire&) = delete;

  /// A BIO over the socket, which this must outlive. Null where memory is short.
  [[nodiscard]] BIO* make_bio();

  /// The errno of the transfer that failed; 0: none has.
  [[nodiscard]] int error() const { return error_; }

  /// Whether the peer has closed its side.
  [[nodiscard]] bool ended() const { return ended_; }

  /// Whether anything has come.
  [[nodiscard]] bool has_heard() const { return has_heard_; }

  /// Whether the first thing that came was no record of TLS.
  [[nodiscard]] bool heard_no_tls() const { return has_heard_ && !heard_tls_; }

 private:
  struct Calls;  // what OpenSSL calls

  int read(char* buffer, int size);
  int write(const char* bytes, int size);
  int fail();  // by errno; returns what tells OpenSSL so

  int fd_;
  int error_ = 0;
  bool ended_ = false;
  bool has_heard_ = false;
  bool heard_tls_ = false;
  bool must_wait_ = false;  // the last transfer would have blocked
};

}  // namespace ratelimit::redis
