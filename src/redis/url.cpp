#include "redis/url.hpp"

#include <fmt/format.h>
#include <sys/un.h>

#include <charconv>
#include <limits>
#include <optional>

namespace ratelimit::redis {
namespace {

constexpr std::size_t kLongestPath = sizeof(sockaddr_un{}.sun_path) - 1;

/// Takes what comes before `mark` off the front of `text`, and the mark; nothing where there is
/// none.
std::optional<std::string_view> take_before(std::string_view& text, std::string_view mark) {
  const auto at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const auto taken = text.substr(0, at);
  text.remove_prefix(at + mark.size());
  return taken;
}

/// For messages. A secret may hold any character, so all up to the last '@' counts as one.
std::string without_secrets(std::string_view url) {
  const auto at = url.rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  const bool has_scheme =
      url.starts_with("redis://") || url.starts_with("rediss://") || url.starts_with("unix://");
  const auto scheme = has_scheme ? url.substr(0, url.find("://") + 3) : std::string_view();
  return fmt::format("{}***{}", scheme, url.substr(at));
}

template <class Number>
std::optional<Number> read_number(std::string_view text, Number most) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number > most) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned byte = 0;
    const auto digits = text.substr(i + 1, 2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc{} || end != digits.data() + 2) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

/// Reads one URL; `problem` says what is wrong where a method returns false.
class Parser {
 public:
  bool parse(std::string_view url) {
    has_at_ = url.find('@') != std::string_view::npos;
    const auto scheme = take_before(url, "://");
    if (!scheme) return fail("has no scheme; it must start with redis://, rediss:// or unix://");
    endpoint.tls = *scheme == "rediss";
    if (*scheme == "redis" || endpoint.tls) return login(url, "/?#") && server(url);
    if (*scheme == "unix") return login(url, "/") && socket(url);
    return fail("has another scheme than redis://, rediss:// or unix://");
  }

  Endpoint endpoint;
  std::string problem;

 private:
  bool fail(std::string what) {
    problem = std::move(what);
    return false;
  }

  /// Pieces are not quoted, for they may be of a secret.
  [[nodiscard]] std::string hint() const {
    return has_at_ ? " (in user and password '/', '?' and '#' must be percent-encoded)" : "";
  }

  // [user[:password]@], looked for before the first of `ends`.
  bool login(std::string_view& rest, std::string_view ends) {
    const auto at = rest.substr(0, rest.find_first_of(ends)).rfind('@');
    if (at == std::string_view::npos) return true;
    std::string_view password = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    const auto user = take_before(password, ":");
    if (!user) return fail("has a user without a password; write user:password@ or :password@");
    const auto decoded_user = percent_decoded(*user);
    const auto decoded_password = percent_decoded(password);
    if (!decoded_user || !decoded_password) {
      return fail("has a % in user or password that is not followed by two hex digits");
    }
    if (decoded_password->empty()) return fail("has an empty password");
    endpoint.user = *decoded_user;
    endpoint.password = *decoded_password;
    return true;
  }

  // host[:port][/db]
  bool server(std::string_view rest) {
    const auto slash = rest.find_first_of("/?#");
    if (slash != std::string_view::npos) {
      if (rest[slash] != '/') {
        return fail("has a query or fragment; only unix:// takes one" + hint());
      }
      const auto db = rest.substr(slash + 1);
      if (!db.empty() && !database(db)) return false;
      rest = rest.substr(0, slash);
    }
    std::string_view host = rest;
    std::optional<std::string_view> port;
    if (rest.substr(0, 1) == "[") {
      const auto end = rest.find(']');
      if (end == std::string_view::npos) return fail("has a [ without a ]");
      host = rest.substr(1, end - 1);
      const auto after = rest.substr(end + 1);
      if (!after.empty() && after[0] != ':') return fail("has more than :port after the ]");
      if (!after.empty()) port = after.substr(1);
    } else if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
      host = rest.substr(0, colon);
      port = rest.substr(colon + 1);
    }
    if (host.empty()) return fail("has no host");
    if (host.find('\0') != std::string_view::npos) return fail("has a NUL in its host");
    endpoint.host = host;
    if (!port) return true;
    const auto number = read_number<std::uint16_t>(*port, 65535);
    if (!number || *number == 0) {
      return fail("has a port that is not a number from 1 to 65535" + hint());
    }
    endpoint.port = *number;
    return true;
  }

  // path[?db=N]
  bool socket(std::string_view rest) {
    const auto query = rest.find('?');
    if (query != std::string_view::npos) {
      const auto option = rest.substr(query + 1);
      if (option.substr(0, 3) != "db=") return fail("has a query other than ?db=N" + hint());
      if (!database(option.substr(3))) return false;
      rest = rest.substr(0, query);
    }
    const auto path = percent_decoded(rest);
    if (!path) return fail("has a % in its path that is not followed by two hex digits");
    if (path->empty()) return fail("has no path");
    if (path->front() != '/' && path->find('@') != std::string::npos) {
      return fail("has a relative path with an @" + hint());
    }
    if (path->find('\0') != std::string::npos) return fail("has a NUL in its path");
    if (path->size() > kLongestPath) {
      return fail(fmt::format("has a path of {} bytes; a unix socket's has at most {}",
                              path->size(), kLongestPath));
    }
    endpoint.path = *path;
    return true;
  }

  bool database(std::string_view text) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    const auto number = read_number<std::int64_t>(text, kMost);
    if (!number || *number < 0) {
      return fail(fmt::format("has a database that is not a number from 0 to {}{}", kMost, hint()));
    }
    endpoint.database = *number;
    return true;
  }

  bool has_at_ = false;
};

}  // namespace

std::string Endpoint::name() const {
  if (is_unix()) return path;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", port);
}

Result<Endpoint> parse_url(std::string_view url) {
  Parser parser;
  if (parser.parse(url)) return std::move(parser.endpoint);
  return Error{Errc::invalid_argument,
               fmt::format("RedisOptions.url \"{}\" {}", without_secrets(url), parser.problem)};
}

}  // namespace ratelimit::redis
