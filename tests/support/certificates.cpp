#include "support/certificates.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cerrno>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace ratelimit::testing {
namespace {

constexpr const char* kHere = "DNS:localhost,IP:127.0.0.1,IP:::1";
constexpr long kDay = 24 * 60 * 60;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

void check(int result, const char* what) {
  if (result > 0) return;
  const char* const reason = ERR_reason_error_string(ERR_peek_error());
  throw std::runtime_error(std::string(what) + ": " + (reason == nullptr ? "failed" : reason));
}

/// Who issues, as opposed to the files it is kept in.
struct Issuer {
  Key key;
  Certificate certificate;
};

/// What a certificate says. Days count from now.
struct Content {
  const char* common_name;
  const char* alternative_names = nullptr;
  const char* constraints = "CA:FALSE";
  long first_day = -1;
  long last_day = 30;
};

void extend(X509* certificate, int kind, const char* value) {
  if (value == nullptr) return;
  const std::unique_ptr<X509_EXTENSION, Free> made(
      X509V3_EXT_conf_nid(nullptr, nullptr, kind, value));
  check(made ? X509_add_ext(certificate, made.get(), -1) : 0, value);
}

/// Signed by `issuer`, or by itself where there is none.
Issuer issue(const Content& content, const Issuer* issuer) {
  static long serial = 0;
  Issuer made{Key(EVP_EC_gen("P-256")), Certificate(X509_new())};
  X509* const certificate = made.certificate.get();
  check(made.key && certificate != nullptr ? 1 : 0, "making a key");
  check(X509_set_version(certificate, X509_VERSION_3), "version");
  check(ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial), "serial");
  (void)X509_gmtime_adj(X509_getm_notBefore(certificate), content.first_day * kDay);
  (void)X509_gmtime_adj(X509_getm_notAfter(certificate), content.last_day * kDay);
  X509_NAME* const subject = X509_get_subject_name(certificate);
  const auto* const name = reinterpret_cast<const unsigned char*>(content.common_name);
  check(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0), "name");
  const Issuer& signer = issuer == nullptr ? made : *issuer;
  check(X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate.get())),
        "issuer");
  check(X509_set_pubkey(certificate, made.key.get()), "key");
  extend(certificate, NID_basic_constraints, content.constraints);
  extend(certificate, NID_subject_alt_name, content.alternative_names);
  check(X509_sign(certificate, signer.key.get(), EVP_sha256()), "signing");
  return made;
}

Identity write(const std::filesystem::path& folder, const std::string& name, const Issuer& made) {
  const Identity files{(folder / (name + ".crt")).string(), (folder / (name + ".key")).string()};
  const std::unique_ptr<BIO, Free> certificate(BIO_new_file(files.certificate.c_str(), "w"));
  const std::unique_ptr<BIO, Free> key(BIO_new_file(files.key.c_str(), "w"));
  check(certificate && key ? 1 : 0, "opening files");
  check(PEM_write_bio_X509(certificate.get(), made.certificate.get()), "writing");
  check(PEM_write_bio_PrivateKey(key.get(), made.key.get(), nullptr, nullptr, 0, nullptr, nullptr),
        "writing");
  return files;
}

std::filesystem::path fresh_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "ratelimit-tls-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
  }
  return name;
}

}  // namespace

Certificates::Certificates() : folder(fresh_folder()) {
  const Issuer authority =
      issue({.common_name = "Test CA", .constraints = "critical,CA:TRUE"}, nullptr);
  const Issuer other =
      issue({.common_name = "Other CA", .constraints = "critical,CA:TRUE"}, nullptr);
  const auto make = [&](const std::string& name, const Content& content, const Issuer* issuer) {
    return write(folder, name, issue(content, issuer));
  };
  ca = write(folder, "ca", authority);
  other_ca = write(folder, "other_ca", other);
  server = make("server", {"server", kHere}, &authority);
  expired = make("expired", {"server", kHere, "CA:FALSE", -2, -1}, &authority);
  not_yet_valid = make("not_yet_valid", {"server", kHere, "CA:FALSE", 1, 2}, &authority);
  self_signed = make("self_signed", {"server", kHere}, nullptr);
  of_other_ca = make("of_other_ca", {"server", kHere}, &other);
  elsewhere = make("elsewhere", {"server", "DNS:redis.example,IP:192.0.2.1"}, &authority);
  client = make("client", {"client"}, &authority);
}

Certificates::~Certificates() {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

std::string Certificates::file(const std::string& name, const std::string& content) const {
  const auto path = folder / name;
  std::ofstream(path, std::ios::binary) << content;
  return path.string();
}

}  // namespace ratelimit::testing
