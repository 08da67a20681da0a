#include "redis/tls_session.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <new>
#include <system_error>
#include <utility>

#include "policy/check.hpp"
#include "redis/tls_text.hpp"

namespace ratelimit::redis {
namespace {

bool is_address(const std::string& text) {
  in6_addr any{};
  return ::inet_pton(AF_INET, text.c_str(), &any) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), &any) == 1;
}

}  // namespace

TlsSession::TlsSession(SSL_CTX* context, int fd, std::string name)
    : name_(std::move(name)), wire_(fd) {
  const OwnTlsErrors errors;
  ssl_.reset(SSL_new(context));
  BIO* const bio = ssl_ ? wire_.make_bio() : nullptr;
  if (bio == nullptr) throw std::bad_alloc();
  SSL_set_bio(ssl_.get(), bio, bio);  // owns it from here
  SSL_set_connect_state(ssl_.get());
  // Without a name to compare, OpenSSL would take any.
  if (!expect_name()) {
    problem_ = fmt::format("{} is no name that a server's certificate can be made out to",
                           policy::quoted(name_));
  }
}

bool TlsSession::expect_name() {
  X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl_.get());
  if (name_.find('\0') != std::string::npos) return false;  // what follows would not be compared
  if (is_address(name_)) return X509_VERIFY_PARAM_set1_ip_asc(expected, name_.c_str()) == 1;
  // An empty name is not compared, and one with a dot in front stands for all names under it.
  if (name_.empty() || name_.front() == '.') return false;
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(expected, name_.data(), name_.size()) == 1 &&
         SSL_set_tlsext_host_name(ssl_.get(), name_.c_str()) == 1;
}

IoStep TlsSession::open() {
  if (!problem_.empty()) return fail(problem_);
  const OwnTlsErrors errors;
  const int result = SSL_do_handshake(ssl_.get());
  is_open_ = result == 1;
  if (is_open_) return {};
  IoStep step = unfinished(result);
  if (step.status == IoStep::Status::closed) {
    return fail("TLS handshake: the server closed the connection; is it a port for TLS?");
  }
  // A Redis server's plain port takes the beginning of a handshake for that of a long line.
  if (step.status != IoStep::Status::failed) {
    step.text = wire_.has_heard() ? "TLS handshake: begun and not ended"
                                  : "TLS handshake: no answer; is it a port for TLS?";
  }
  return step;
}

IoStep TlsSession::send(std::string_view bytes) {
  if (!problem_.empty()) return fail(problem_);
  if (bytes.empty()) return {};
  const OwnTlsErrors errors;
  IoStep step;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &step.bytes);
  if (result == 1) return step;
  return unfinished(result);
}

IoStep TlsSession::receive(char* buffer, std::size_t size) {
  if (!problem_.empty()) return fail(problem_);
  const OwnTlsErrors errors;
  IoStep step;
  const int result = SSL_read_ex(ssl_.get(), buffer, size, &step.bytes);
  if (result == 1) return step;
  return unfinished(result);
}

IoStep TlsSession::unfinished(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {.status = IoStep::Status::want_read};
    case SSL_ERROR_WANT_WRITE:
      return {.status = IoStep::Status::want_write};
    case SSL_ERROR_ZERO_RETURN:
      return {.status = IoStep::Status::closed};
    default:
      return wire_.ended() && refusal_by_server().empty() ? IoStep{.status = IoStep::Status::closed}
                                                          : fail(why_failed());
  }
}

std::string TlsSession::why_failed() {
  if (is_refused_certificate()) {
    return refused_certificate_text(SSL_get_verify_result(ssl_.get()), name_);
  }
  if (wire_.error() != 0 && is_open_) look_for_alert();
  if (auto refusal = refusal_by_server(); !refusal.empty()) return refusal;
  if (wire_.heard_no_tls()) {
    return fmt::format("what answers speaks no TLS ({})", tls_error_text());
  }
  const char* const when = is_open_ ? "TLS" : "TLS handshake";
  if (wire_.error() == 0) return fmt::format("{}: {}", when, tls_error_text());
  return fmt::format("{}: {}", when, std::generic_category().message(wire_.error()));
}

// A server that refuses a session closes it, so that a write may fail before the alert that says
// why was read.
void TlsSession::look_for_alert() {
  ERR_clear_error();
  char byte = 0;
  (void)SSL_peek(ssl_.get(), &byte, 1);
}

IoStep TlsSession::fail(std::string why) {
  problem_ = std::move(why);
  return {.status = IoStep::Status::failed, .text = problem_};
}

}  // namespace ratelimit::redis
