// What OpenSSL says went wrong, for people.
#pragma once

#include <string>

namespace ratelimit::redis {

/// Keeps OpenSSL's errors of this thread, which it also decides by, apart from those of others:
/// none is there at the beginning of its life, and none is left at the end.
class OwnTlsErrors {
 public:
  OwnTlsErrors();
  ~OwnTlsErrors();
  OwnTlsErrors(const OwnTlsErrors&) = delete;
  OwnTlsErrors& operator=(const OwnTlsErrors&) = delete;
};

/// The first of OpenSSL's errors, in OpenSSL's words.
std::string tls_error_text();

/// Whether the first error is that the server's certificate was refused.
bool is_refused_certificate();

/// What the server has refused us for by an alert; empty where the first error is no such alert.
std::string refusal_by_server();

/// Why the certificate of the server that should be `name` was refused. `result` is an X509_V_ERR_.
std::string refused_certificate_text(long result, const std::string& name);

}  // namespace ratelimit::redis
