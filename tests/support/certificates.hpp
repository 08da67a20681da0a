// Certificates of all kinds, made anew for a program of tests.
#pragma once

#include <filesystem>
#include <string>

namespace ratelimit::testing {

/// A certificate and its private key, as the PEM files that hold them.
struct Identity {
  std::string certificate;
  std::string key;
};

/// Makes them in a fresh folder, which goes with it. Servers are made out to localhost, 127.0.0.1
/// and ::1 unless said otherwise, and signed by `ca`. Throws std::runtime_error.
class Certificates {
 public:
  Certificates();
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  const std::filesystem::path folder;
  Identity ca;
  Identity other_ca;
  Identity server;
  Identity expired;
  Identity not_yet_valid;
  Identity self_signed;
  Identity of_other_ca;
  Identity elsewhere;  // made out to redis.example and 192.0.2.1
  Identity client;

  /// A file in the folder with this in it.
  [[nodiscard]] std::string file(const std::string& name, const std::string& content) const;
};

}  // namespace ratelimit::testing
