#include "redis/handshake.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "redis/command.hpp"
#include "redis/server_error.hpp"

namespace ratelimit::redis {
namespace {

/// Servers quote the arguments of a command that they do not know: what they quote is cut off, and
/// the secret struck out wherever else it may stand.
std::string without(std::string_view secret, std::string text) {
  text.resize(std::min(text.size(), text.find(", with args")));
  if (secret.empty()) return text;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), "***");
    at += 3;
  }
  return text;
}

/// Whether a server that lets us in has only refused to give us a name.
bool is_about_the_name(std::string_view error_text) {
  return error_text.starts_with("NOPERM ") || error_text.starts_with("NOAUTH ") ||
         error_text.starts_with("ERR unknown ") || error_text.starts_with("ERR Unknown ");
}

}  // namespace

Exchange::Step Handshake::start(Commands& out) {
  if (!endpoint_.password.empty()) {
    if (endpoint_.user.empty()) {
      append_command(out, std::array<std::string_view, 2>{"AUTH", endpoint_.password});
    } else {
      append_command(out,
                     std::array<std::string_view, 3>{"AUTH", endpoint_.user, endpoint_.password});
    }
    awaited_.push_back(Awaited::auth);
  }
  if (endpoint_.database != 0) {
    const auto database = fmt::to_string(endpoint_.database);
    append_command(out, std::array<std::string_view, 2>{"SELECT", database});
    awaited_.push_back(Awaited::select);
  }
  if (!client_name_.empty()) {
    append_command(out, std::array<std::string_view, 3>{"CLIENT", "SETNAME", client_name_});
    awaited_.push_back(Awaited::name);
  }
  return awaited_.empty() ? Step::done : Step::listen;
}

Exchange::Step Handshake::hear(const Reply& reply, Commands& /*out*/) {
  const Awaited command = awaited_.front();
  awaited_.pop_front();
  const bool is_ok = reply.type == Reply::Type::status && reply.text == "OK";
  const bool is_error = reply.type == Reply::Type::error;
  const bool may_fail = command == Awaited::name && is_error && is_about_the_name(reply.text);
  if (!is_ok && !may_fail && !failure_) {
    failure_ = Error{
        is_error ? classify(reply.text) : Errc::protocol_error,
        fmt::format("{}: {}", name_of(command),
                    is_error ? without(endpoint_.password, reply.text) : "the answer is not OK")};
  }
  return awaited_.empty() ? Step::done : Step::listen;
}

std::string_view Handshake::name_of(Awaited command) {
  switch (command) {
    case Awaited::auth:
      return "AUTH";
    case Awaited::select:
      return "SELECT";
    case Awaited::name:
      break;
  }
  return "CLIENT SETNAME";
}

}  // namespace ratelimit::redis
