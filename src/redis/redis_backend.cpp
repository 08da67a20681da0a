// The Redis backend: checks its options and makes limiters, each with a local one beside it where
// that is what answers in the server's stead.
#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <variant>

#include "policy/check.hpp"
#include "policy/rules.hpp"
#include "ratelimit/redis.hpp"
#include "redis/redis_limiter.hpp"
#include "redis/state_key.hpp"
#include "redis/tls.hpp"
#include "redis/url.hpp"

namespace ratelimit {
namespace {

constexpr Duration kLongestTimeout = std::chrono::hours(1);
constexpr std::size_t kLongestText = 255;  // of a prefix or a client name
constexpr std::int64_t kMostConnections = 1024;
constexpr std::int64_t kMostFailures = 1'000'000;

class RedisBackend final : public Backend {
 public:
  RedisBackend(std::shared_ptr<redis::Shared> shared, std::string prefix,
               std::shared_ptr<Backend> local)
      : shared_(std::move(shared)), prefix_(std::move(prefix)), local_(std::move(local)) {}

  Result<std::shared_ptr<Limiter>> make_limiter(std::string_view name, const Policy& policy,
                                                LimiterOptions options) override try {
    auto rule = policy::compile(name, policy, options);
    if (!rule) return rule.error();
    if (options.lease != 0) {
      return policy::invalid_argument("LimiterOptions.lease is " + std::to_string(options.lease) +
                                      "; on Redis it must be 0");
    }
    std::shared_ptr<Limiter> local;
    if (options.on_error == OnError::local) {
      auto made = local_->make_limiter(name, policy::share_of(policy, options.instances), options);
      if (!made) return made.error();
      local = *std::move(made);
    }
    return std::visit(
        [&]<class Rule>(Rule& compiled) -> Result<std::shared_ptr<Limiter>> {
          return std::shared_ptr<Limiter>(std::make_shared<redis::RedisLimiter<Rule>>(
              shared_, redis::state_key_stem(prefix_, Rule::kStateTag, name), std::move(compiled),
              options.on_error, std::move(local)));
        },
        *rule);
  } catch (const std::bad_alloc&) {
    return Error{Errc::out_of_memory, {}};
  }

  [[nodiscard]] Statistics statistics() const override {
    Statistics statistics = local_->statistics();
    shared_->tally.report(statistics);
    statistics.connects = shared_->client.connects();
    statistics.circuit_openings = shared_->client.breaker().openings();
    return statistics;
  }

 private:
  std::shared_ptr<redis::Shared> shared_;
  std::string prefix_;
  std::shared_ptr<Backend> local_;
};

std::optional<Error> check_options(const RedisOptions& options) {
  policy::Check check("RedisOptions");
  check.range("max_connections", options.max_connections, 1, kMostConnections)
      .range("failures_to_open", options.failures_to_open, 0, kMostFailures)
      .range("local_max_keys", options.local_max_keys, 1, policy::kMostKeys)
      .range("local_log_bytes", options.local_log_bytes, policy::kLeastLogBytes,
             policy::kMostLogBytes)
      .span("timeout", options.timeout, kLongestTimeout)
      .size("prefix", options.prefix, kLongestText)
      .size("client_name", options.client_name, kLongestText);
  if (check.error()) return check.error();
  const auto is_graphic = [](char c) { return c > 0x20 && c <= 0x7e; };
  if (!std::ranges::all_of(options.client_name, is_graphic)) {
    return policy::invalid_argument("RedisOptions.client_name " +
                                    policy::quoted(options.client_name) +
                                    " has a character that is not printable ASCII, or a space");
  }
  return std::nullopt;
}

/// Null where no TLS is wanted. Errors: as TlsContext::make.
Result<std::shared_ptr<redis::TlsContext>> make_tls(const redis::Endpoint& endpoint,
                                                    const TlsOptions& options) {
  if (endpoint.tls) return redis::TlsContext::make(options);
  const char* const set = !options.ca_file.empty()                ? "ca_file"
                          : !options.certificate_file.empty()     ? "certificate_file"
                          : !options.key_file.empty()             ? "key_file"
                          : !options.server_name.empty()          ? "server_name"
                          : options.insecure_without_verification ? "insecure_without_verification"
                                                                  : nullptr;
  if (set == nullptr) return std::shared_ptr<redis::TlsContext>();
  return policy::invalid_argument(std::string("RedisOptions.tls.") + set +
                                  " is set, but RedisOptions.url asks for no TLS; rediss:// does");
}

}  // namespace

Result<std::shared_ptr<Backend>> make_redis_backend(RedisOptions options) try {
  if (auto error = check_options(options)) return *std::move(error);
  auto endpoint = redis::parse_url(options.url);
  if (!endpoint) return endpoint.error();
  auto tls = make_tls(*endpoint, options.tls);
  if (!tls) return tls.error();
  auto local = make_memory_backend({.clock = options.clock,
                                    .max_keys = options.local_max_keys,
                                    .log_bytes = options.local_log_bytes});
  if (!local) return local.error();
  auto shared = std::make_shared<redis::Shared>(*std::move(endpoint), *std::move(tls), options);
  return std::shared_ptr<Backend>(std::make_shared<RedisBackend>(
      std::move(shared), std::move(options.prefix), *std::move(local)));
} catch (const std::bad_alloc&) {
  return Error{Errc::out_of_memory, {}};
}

}  // namespace ratelimit
