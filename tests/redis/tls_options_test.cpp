// What TLS may be made of: by the public options alone.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "ratelimit/redis.hpp"
#include "redis/tls_server.hpp"

namespace ratelimit::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string refusal(const TlsOptions& options, const std::string& url = "rediss://localhost:1") {
  const auto backend = make_redis_backend({.url = url, .tls = options});
  if (backend) return {};
  EXPECT_EQ(backend.error().code, Errc::invalid_argument);
  return backend.error().message;
}

auto names(const std::string& option, const std::string& value, const std::string& what) {
  return AllOf(HasSubstr("RedisOptions.tls." + option), HasSubstr(value), HasSubstr(what));
}

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(TlsOptions, FilesMustBeThere) {
  EXPECT_THAT(refusal({.ca_file = "/none/ca"}), names("ca_file", "/none/ca", "No such file"));
  EXPECT_THAT(refusal({.certificate_file = "/none/crt"}),
              names("certificate_file", "/none/crt", "No such file"));
  EXPECT_THAT(
      refusal({.certificate_file = certificates().client.certificate, .key_file = "/none/key"}),
      names("key_file", "/none/key", "No such file"));
  EXPECT_THAT(refusal({.ca_file = certificates().folder.string()}),
              names("ca_file", certificates().folder.string(), "directory"));
  EXPECT_THAT(refusal({.ca_file = "/dev/null"}), names("ca_file", "/dev/null", "empty"));
}

TEST(TlsOptions, FilesMustBePem) {
  const std::string junk = certificates().file("junk", "not a certificate\n");
  const Identity& client = certificates().client;
  EXPECT_THAT(refusal({.ca_file = junk}), names("ca_file", junk, "PEM"));
  EXPECT_THAT(refusal({.ca_file = client.key}), names("ca_file", client.key, "PEM"));
  EXPECT_THAT(refusal({.certificate_file = junk, .key_file = client.key}),
              names("certificate_file", junk, "PEM"));
  EXPECT_THAT(refusal({.certificate_file = client.certificate, .key_file = junk}),
              names("key_file", junk, "PEM"));
}

TEST(TlsOptions, AKeyMustMatchItsCertificate) {
  const Identity& client = certificates().client;
  const Identity& other = certificates().server;
  EXPECT_THAT(refusal({.certificate_file = client.certificate, .key_file = other.key}),
              AllOf(names("key_file", other.key, "does not match"), HasSubstr(client.certificate)));
  EXPECT_THAT(refusal({.key_file = client.key}), names("key_file", client.key, "certificate_file"));
}

TEST(TlsOptions, AKeyMayBeInTheFileOfItsCertificate) {
  const Identity& client = certificates().client;
  const std::string both =
      certificates().file("both", content(client.certificate) + content(client.key));
  EXPECT_TRUE(redis::TlsContext::make({.certificate_file = both}));
  EXPECT_THAT(refusal({.certificate_file = client.certificate}),
              names("certificate_file", client.certificate, "no private key"));
}

TEST(TlsOptions, AKeyWithAPassphraseIsRefusedAndNobodyIsAsked) {
  constexpr const char* kEncrypted =
      "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
      "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n"
      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END EC PRIVATE KEY-----\n";
  const std::string key = certificates().file("encrypted", kEncrypted);
  EXPECT_THAT(refusal({.certificate_file = certificates().client.certificate, .key_file = key}),
              names("key_file", key, "passphrase"));
}

TEST(TlsOptions, AServerNameHasNoNul) {
  EXPECT_THAT(refusal({.server_name = std::string("a\0b", 3)}),
              names("server_name", "a\\x00b", "NUL"));
}

TEST(TlsOptions, AreRefusedWhereNoTlsIsSpoken) {
  const std::vector<std::pair<std::string, TlsOptions>> all = {
      {"ca_file", {.ca_file = "x"}},
      {"certificate_file", {.certificate_file = "x"}},
      {"key_file", {.key_file = "x"}},
      {"server_name", {.server_name = "x"}},
      {"insecure_without_verification", {.insecure_without_verification = true}}};
  for (const auto& [name, options] : all) {
    for (const char* const url : {"redis://localhost:1", "unix:///none"}) {
      EXPECT_THAT(refusal(options, url), names(name, "RedisOptions.url", "rediss://"));
    }
  }
  EXPECT_EQ(refusal({}, "redis://localhost:1"), "");
}

}  // namespace
}  // namespace ratelimit::testing
