// From options to what sessions are made of: whom to trust, and who we are.
#include "redis/tls.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>

#include <cerrno>
#include <cstdio>
#include <new>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "policy/check.hpp"
#include "redis/tls_session.hpp"
#include "redis/tls_text.hpp"

namespace ratelimit::redis {
namespace {

using Problem = std::optional<Error>;

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};
using SslContext = std::unique_ptr<SSL_CTX, Free>;

Error problem_with(std::string_view option, std::string_view value, std::string_view what) {
  constexpr std::size_t kLongestValue = 255;
  return policy::invalid_argument(
      fmt::format("RedisOptions.tls.{} {} {}", option, policy::quoted(value, kLongestValue), what));
}

/// A file that one of the options names.
struct NamedFile {
  std::string_view option;
  const std::string& path;

  [[nodiscard]] Error problem(std::string_view what) const {
    return problem_with(option, path, what);
  }

  [[nodiscard]] Problem unless_readable() const {
    const std::unique_ptr<std::FILE, Free> file(std::fopen(path.c_str(), "rbe"));
    if (file) {
      errno = 0;
      if (std::fgetc(file.get()) != EOF) return std::nullopt;
      if (errno == 0) return problem("is empty");
    }
    return problem(fmt::format("cannot be read: {}", std::generic_category().message(errno)));
  }
};

Problem trust(SSL_CTX* context, const TlsOptions& options) {
  if (options.ca_file.empty()) {
    (void)SSL_CTX_set_default_verify_paths(context);  // what is missing there is not trusted
    return std::nullopt;
  }
  const NamedFile file{"ca_file", options.ca_file};
  if (auto problem = file.unless_readable()) return problem;
  if (SSL_CTX_load_verify_file(context, options.ca_file.c_str()) == 1) return std::nullopt;
  return file.problem(fmt::format("holds no certificates in PEM form ({})", tls_error_text()));
}

/// Without this OpenSSL would ask for a passphrase on the terminal.
int refuse_passphrase(char* /*buffer*/, int /*size*/, int /*for_writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Problem load_key(SSL_CTX* context, const NamedFile& file, const std::string& certificate) {
  if (auto problem = file.unless_readable()) return problem;
  bool asked_for_passphrase = false;
  SSL_CTX_set_default_passwd_cb(context, refuse_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, &asked_for_passphrase);
  const bool loaded =
      SSL_CTX_use_PrivateKey_file(context, file.path.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  if (loaded) return std::nullopt;
  if (asked_for_passphrase) return file.problem("needs a passphrase; a key without one is wanted");
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_REASON(error);
  if (ERR_GET_LIB(error) == ERR_LIB_X509 &&
      (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH)) {
    return file.problem(fmt::format("does not match the certificate in {} ({})",
                                    policy::quoted(certificate), tls_error_text()));
  }
  return file.problem(fmt::format("holds no private key in PEM form ({})", tls_error_text()));
}

Problem identify(SSL_CTX* context, const TlsOptions& options) {
  if (options.certificate_file.empty()) {
    if (options.key_file.empty()) return std::nullopt;
    return problem_with("key_file", options.key_file, "is set, and certificate_file is not");
  }
  const NamedFile certificate{"certificate_file", options.certificate_file};
  if (auto problem = certificate.unless_readable()) return problem;
  if (SSL_CTX_use_certificate_chain_file(context, certificate.path.c_str()) != 1) {
    return certificate.problem(
        fmt::format("holds no certificate in PEM form ({})", tls_error_text()));
  }
  if (options.key_file.empty()) return load_key(context, certificate, certificate.path);
  return load_key(context, {"key_file", options.key_file}, certificate.path);
}

/// What no option changes, but for the verification.
void settle(SSL_CTX* context, const TlsOptions& options) {
  // Where the system's configuration asks for more, that stands.
  if (SSL_CTX_get_min_proto_version(context) < TLS1_2_VERSION) {
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  }
  (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  (void)SSL_CTX_set_mode(context,
                         SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);  // one system call for what has come, not two a record
  const bool trusts_anyone = options.insecure_without_verification;
  SSL_CTX_set_verify(context, trusts_anyone ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
}

class OpenSslContext final : public TlsContext {
 public:
  OpenSslContext(SslContext context, std::string server_name)
      : context_(std::move(context)), server_name_(std::move(server_name)) {}

  [[nodiscard]] std::unique_ptr<Transport> over(int fd, const std::string& host) const override {
    const std::string& name = server_name_.empty() ? host : server_name_;
    return std::make_unique<TlsSession>(context_.get(), fd, name);
  }

 private:
  const SslContext context_;
  const std::string server_name_;
};

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::make(const TlsOptions& options) {
  const OwnTlsErrors errors;
  if (options.server_name.find('\0') != std::string::npos) {
    return problem_with("server_name", options.server_name, "has a NUL in it");
  }
  SslContext context(SSL_CTX_new(TLS_client_method()));
  if (!context) {
    return policy::invalid_argument(
        fmt::format("RedisOptions.tls: OpenSSL gives no context ({})", tls_error_text()));
  }
  settle(context.get(), options);
  if (auto problem = trust(context.get(), options)) return *std::move(problem);
  if (auto problem = identify(context.get(), options)) return *std::move(problem);
  return std::shared_ptr<TlsContext>(
      std::make_shared<OpenSslContext>(std::move(context), options.server_name));
}

}  // namespace ratelimit::redis
