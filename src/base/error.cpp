#include "ratelimit/error.hpp"

#include <exception>

#include "ratelimit/result.hpp"

namespace ratelimit {

Charged charged(Errc code) noexcept {
  switch (code) {
    case Errc::timeout:
    case Errc::connection_lost:
    case Errc::protocol_error:
      return Charged::unknown;
    case Errc::ok:
    case Errc::invalid_argument:
    case Errc::out_of_memory:
    case Errc::unreachable:
    case Errc::circuit_open:
    case Errc::access_denied:
    case Errc::server_not_ready:
    case Errc::server_full:
    case Errc::script_missing:
    case Errc::server_error:
      return Charged::no;
  }
  return Charged::unknown;
}

std::string_view to_string(Errc code) noexcept {
  switch (code) {
    case Errc::ok:
      return "ok";
    case Errc::invalid_argument:
      return "invalid_argument";
    case Errc::out_of_memory:
      return "out_of_memory";
    case Errc::unreachable:
      return "unreachable";
    case Errc::circuit_open:
      return "circuit_open";
    case Errc::timeout:
      return "timeout";
    case Errc::connection_lost:
      return "connection_lost";
    case Errc::protocol_error:
      return "protocol_error";
    case Errc::access_denied:
      return "access_denied";
    case Errc::server_not_ready:
      return "server_not_ready";
    case Errc::server_full:
      return "server_full";
    case Errc::script_missing:
      return "script_missing";
    case Errc::server_error:
      return "server_error";
  }
  return "unknown";
}

BadResultAccess::BadResultAccess(const Error& error)
    : std::runtime_error(error.message), code_(error.code) {}

BadResultAccess::~BadResultAccess() = default;

void detail::throw_bad_result(const Error& error) { throw BadResultAccess(error); }

}  // namespace ratelimit
