// DEL of one key: how a limiter forgets.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "redis/command.hpp"
#include "redis/exchange.hpp"
#include "redis/failure.hpp"
#include "redis/server_error.hpp"

namespace ratelimit::redis {

class KeyRemoval final : public Exchange {
 public:
  explicit KeyRemoval(std::string key) : key_(std::move(key)) {}

  Step start(Commands& out) override {
    failure_.reset();
    append_command(out, std::array<std::string_view, 2>{"DEL", key_});
    return Step::listen;
  }

  Step hear(const Reply& reply, Commands& /*out*/) override {
    if (reply.type == Reply::Type::integer) return Step::done;
    if (reply.type == Reply::Type::error) {
      failure_ = Error{classify(reply.text), reply.text};
      return is_wrong_server(reply.text) ? Step::leave : Step::done;
    }
    failure_ = Error{Errc::protocol_error, "DEL gave a reply of another shape"};
    return Step::leave;
  }

  [[nodiscard]] const Failure& failure() const { return failure_; }
  [[nodiscard]] const Failure& trouble() const override { return failure_; }
  [[nodiscard]] bool may_be_repeated() const override {
    return failure_ && is_wrong_server(failure_->message);
  }

 private:
  const std::string key_;
  Failure failure_;
};

}  // namespace ratelimit::redis
