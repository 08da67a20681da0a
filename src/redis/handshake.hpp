// What is said once on a new connection: who we are, which database, what we are called.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "redis/exchange.hpp"
#include "redis/failure.hpp"
#include "redis/url.hpp"

namespace ratelimit::redis {

/// AUTH and SELECT, which must succeed, and CLIENT SETNAME, which the server may refuse us. All in
/// one flight.
class Handshake final : public Exchange {
 public:
  /// Keeps references to both.
  Handshake(const Endpoint& endpoint, const std::string& client_name)
      : endpoint_(endpoint), client_name_(client_name) {}

  Step start(Commands& out) override;
  Step hear(const Reply& reply, Commands& out) override;

  [[nodiscard]] const Failure& failure() const { return failure_; }
  [[nodiscard]] const Failure& trouble() const override { return failure_; }
  [[nodiscard]] bool may_be_repeated() const override { return false; }

 private:
  enum class Awaited : std::uint8_t { auth, select, name };

  static std::string_view name_of(Awaited command);

  const Endpoint& endpoint_;
  const std::string& client_name_;
  std::deque<Awaited> awaited_;
  Failure failure_;
};

}  // namespace ratelimit::redis
