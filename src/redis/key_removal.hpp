// DEL of one key: how a limiter forgets.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "redis/command.hpp"
#include "redis/exchange.hpp"
#include "redis/failure.hpp"
#include "redis/server_error.hpp"

namespace ratelimit::redis {

class KeyRemoval final : public Exchange {
 public:
  /// Keeps a view of `key`.
  explicit KeyRemoval(std::string_view key) : key_(key) {}

  Step start(std::string& out) override {
    append_command(out, std::array<std::string_view, 2>{"DEL", key_});
    return Step::listen;
  }

  Step hear(const Reply& reply, std::string& /*out*/) override {
    if (reply.type == Reply::Type::integer) return Step::done;
    if (reply.type == Reply::Type::error) {
      failure_ = Error{classify(reply.text), reply.text};
      return is_wrong_server(reply.text) ? Step::leave : Step::done;
    }
    failure_ = Error{Errc::protocol_error, "DEL gave a reply of another shape"};
    return Step::leave;
  }

  /// To be read when done.
  [[nodiscard]] Failure& failure() { return failure_; }

 private:
  std::string_view key_;
  Failure failure_;
};

}  // namespace ratelimit::redis
