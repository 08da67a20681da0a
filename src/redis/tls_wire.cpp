#include "redis/tls_wire.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace ratelimit::redis {

struct TlsWire::Calls {
  static TlsWire& wire(BIO* bio) { return *static_cast<TlsWire*>(BIO_get_data(bio)); }

  static int create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
  }

  static int read(BIO* bio, char* buffer, int size) {
    const int result = wire(bio).read(buffer, size);
    BIO_clear_retry_flags(bio);
    if (wire(bio).must_wait_) BIO_set_retry_read(bio);
    return result;
  }

  static int write(BIO* bio, const char* bytes, int size) {
    const int result = wire(bio).write(bytes, size);
    BIO_clear_retry_flags(bio);
    if (wire(bio).must_wait_) BIO_set_retry_write(bio);
    return result;
  }

  static long control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
    switch (command) {
      case BIO_CTRL_FLUSH:
        return 1;  // nothing is held back
      case BIO_CTRL_EOF:
        return wire(bio).ended_ ? 1 : 0;
      default:
        return 0;
    }
  }

  /// One for the whole process, never given back. Null where memory was short.
  static const BIO_METHOD* method() {
    static const BIO_METHOD* const made = [] {
      BIO_METHOD* const fresh =
          BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ratelimit socket");
      if (fresh == nullptr) return fresh;
      (void)BIO_meth_set_create(fresh, create);
      (void)BIO_meth_set_read(fresh, read);
      (void)BIO_meth_set_write(fresh, write);
      (void)BIO_meth_set_ctrl(fresh, control);
      return fresh;
    }();
    return made;
  }
};

BIO* TlsWire::make_bio() {
  const BIO_METHOD* const method = Calls::method();
  BIO* const bio = method == nullptr ? nullptr : BIO_new(method);
  if (bio != nullptr) BIO_set_data(bio, this);
  return bio;
}

int TlsWire::read(char* buffer, int size) {
  must_wait_ = false;
  for (;;) {
    const ssize_t got = ::recv(fd_, buffer, static_cast<std::size_t>(size), 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail();
    }
    if (got == 0) {
      ended_ = true;
    } else if (!has_heard_) {
      constexpr char kAlert = 21;
      constexpr char kHandshake = 22;
      has_heard_ = true;
      heard_tls_ = *buffer == kHandshake || *buffer == kAlert;
    }
    return static_cast<int>(got);
  }
}

int TlsWire::write(const char* bytes, int size) {
  must_wait_ = false;
  for (;;) {
    const ssize_t sent = ::send(fd_, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<int>(sent);
    if (errno != EINTR) return fail();
  }
}

int TlsWire::fail() {
  must_wait_ = errno == EAGAIN || errno == EWOULDBLOCK;
  if (!must_wait_) error_ = errno;
  return -1;
}

}  // namespace ratelimit::redis
