// Which servers are spoken to, and what is said of those that are not.
#include <gmock/gmock.h>

#include <cstdlib>

#include "redis/tls_server.hpp"

namespace ratelimit::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

class TlsTrust : public ::testing::Test {
 protected:
  TlsTrust() { serve(certificates().server); }
  ~TlsTrust() override {
    tls_server().command({"CONFIG", "SET", "tls-auth-clients", "no"});
    tls_server().command({"CONFIG", "SET", "tls-protocols", ""});
    tls_server().command({"CONFIG", "SET", "tls-ciphers", ""});
  }
};

TEST_F(TlsTrust, TheRightHostIsSpokenTo) {
  for (const char* const host : {"localhost", "LocalHost", "127.0.0.1", "::1", "0:0:0:0:0:0:0:1"}) {
    EXPECT_EQ(ping(trusting(), host), "") << host;
  }
}

TEST_F(TlsTrust, AnotherHostIsRefused) {
  for (const char* const host :
       {"redis.example", "localhost.example", "ocalhost", "127.0.0.2", "::2", "127.1"}) {
    EXPECT_THAT(ping(trusting(), host),
                AllOf(HasSubstr("wrong host"), HasSubstr(host), HasSubstr("mismatch")));
  }
  serve(certificates().elsewhere);
  for (const char* const host : {"localhost", "127.0.0.1", "::1"}) {
    EXPECT_THAT(ping(trusting(), host), HasSubstr("wrong host")) << host;
  }
}

TEST_F(TlsTrust, ANameThatCannotBeComparedIsNotSkipped) {
  for (const std::string& host :
       {std::string(), std::string("."), std::string(".localhost"), std::string("localhost\0", 10),
        std::string("local\0host", 10), std::string(300, 'a')}) {
    EXPECT_THAT(ping(trusting(), host), AnyOf(HasSubstr("no name"), HasSubstr("wrong host")))
        << host;
  }
}

TEST_F(TlsTrust, AServerNameStandsForTheHost) {
  serve(certificates().elsewhere);
  TlsOptions options = trusting();
  options.server_name = "redis.example";
  EXPECT_EQ(ping(options, "localhost"), "");
  options.server_name = "192.0.2.1";
  EXPECT_EQ(ping(options, "localhost"), "");
  serve(certificates().server);
  EXPECT_THAT(ping(options, "localhost"), HasSubstr("wrong host"));
}

TEST_F(TlsTrust, DatesAreObserved) {
  serve(certificates().expired);
  EXPECT_THAT(ping(trusting()), HasSubstr("has expired"));
  serve(certificates().not_yet_valid);
  EXPECT_THAT(ping(trusting()), HasSubstr("not yet valid"));
}

TEST_F(TlsTrust, ASelfSignedCertificateIsRefusedUnlessItIsKnown) {
  serve(certificates().self_signed);
  EXPECT_THAT(ping(trusting()), HasSubstr("self-signed"));
  EXPECT_EQ(ping({.ca_file = certificates().self_signed.certificate}), "");
}

TEST_F(TlsTrust, AnUnknownCaIsRefused) {
  serve(certificates().of_other_ca);
  EXPECT_THAT(ping(trusting()), HasSubstr("unknown CA"));
  EXPECT_EQ(ping({.ca_file = certificates().other_ca.certificate}), "");
}

TEST_F(TlsTrust, TheSystemsStoreIsTheDefault) {
  EXPECT_THAT(ping({}), HasSubstr("unknown CA"));
  ::setenv("SSL_CERT_FILE", certificates().ca.certificate.c_str(), 1);  // as the system has it
  EXPECT_EQ(ping({}), "");
  ::unsetenv("SSL_CERT_FILE");
}

TEST_F(TlsTrust, WithoutVerificationAnyCertificateWillDo) {
  for (const auto& identity : {certificates().expired, certificates().self_signed,
                               certificates().of_other_ca, certificates().elsewhere}) {
    serve(identity);
    EXPECT_EQ(ping({.insecure_without_verification = true}), "") << identity.certificate;
  }
}

TEST_F(TlsTrust, AServerThatAsksWhoWeAreIsTold) {
  tls_server().command({"CONFIG", "SET", "tls-auth-clients", "yes"});
  for (const char* const version : {"TLSv1.2", "TLSv1.3"}) {
    tls_server().command({"CONFIG", "SET", "tls-protocols", version});
    EXPECT_THAT(ping(trusting()), AllOf(HasSubstr("server refused"),
                                        HasSubstr("client certificate"), HasSubstr("alert")))
        << version;
    TlsOptions options = trusting();
    options.certificate_file = certificates().of_other_ca.certificate;
    options.key_file = certificates().of_other_ca.key;
    EXPECT_THAT(ping(options), HasSubstr("does not accept the client certificate")) << version;
    options.certificate_file = certificates().client.certificate;
    options.key_file = certificates().client.key;
    EXPECT_EQ(ping(options), "") << version;
  }
}

TEST_F(TlsTrust, VersionsBefore12AreRefused) {
  tls_server().command({"CONFIG", "SET", "tls-ciphers", "DEFAULT@SECLEVEL=0"});
  tls_server().command({"CONFIG", "SET", "tls-protocols", "TLSv1.1"});
  EXPECT_THAT(ping(trusting()), AnyOf(HasSubstr("version"), HasSubstr("protocol")));
}

// Most servers wait for the end of what they take for a line.
TEST_F(TlsTrust, APlainServerIsRecognised) {
  const RedisServer plain;
  TlsLine line(*context_with(trusting()), plain.port(), "localhost");
  line.patience = std::chrono::milliseconds(200);
  EXPECT_THAT(line.ping(), AnyOf(HasSubstr("speaks no TLS"), HasSubstr("is it a port for TLS?")));
}

}  // namespace
}  // namespace ratelimit::testing
