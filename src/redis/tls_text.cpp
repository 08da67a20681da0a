#include "redis/tls_text.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "policy/check.hpp"

namespace ratelimit::redis {

OwnTlsErrors::OwnTlsErrors() { ERR_clear_error(); }

OwnTlsErrors::~OwnTlsErrors() { ERR_clear_error(); }

std::string tls_error_text() {
  const unsigned long error = ERR_peek_error();
  if (error == 0) return "OpenSSL does not say why";
  const char* const reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : fmt::format("OpenSSL's error {:#x}", error);
}

bool is_refused_certificate() {
  const unsigned long error = ERR_peek_error();
  return ERR_GET_LIB(error) == ERR_LIB_SSL &&
         ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED;
}

std::string refusal_by_server() {
  const unsigned long error = ERR_peek_error();
  const int alert = ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET;
  if (ERR_GET_LIB(error) != ERR_LIB_SSL || alert < 0 || alert > 255) return {};
  const char* meaning = "";
  switch (alert) {
    case SSL_AD_CERTIFICATE_REQUIRED:
      meaning = ": it requires a client certificate";
      break;
    case SSL_AD_HANDSHAKE_FAILURE:
      meaning = ": it may require a client certificate, or has no cipher in common with us";
      break;
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
      meaning = ": it does not accept the client certificate";
      break;
    case SSL_AD_PROTOCOL_VERSION:
      meaning = ": it has no version of TLS in common with us";
      break;
    default:
      break;
  }
  return fmt::format("the server refused the TLS session{} ({})", meaning, tls_error_text());
}

std::string refused_certificate_text(long result, const std::string& name) {
  std::string why;
  switch (result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      why = fmt::format("wrong host: it is not made out to {}", policy::quoted(name));
      break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      why = "it, or the CA's, has expired";
      break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      why = "it, or the CA's, is not yet valid";
      break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      why = "it is self-signed, and not among those that are trusted";
      break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      why = "unknown CA: it is signed by none of those that are trusted";
      break;
    default:
      why = "it does not stand up to verification";
      break;
  }
  return fmt::format("the server's certificate was refused: {} ({})", why,
                     X509_verify_cert_error_string(result));
}

}  // namespace ratelimit::redis
