#include "redis_script.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace ratelimit::bench {
namespace {

constexpr std::size_t kKeys = 1000;
constexpr std::size_t kTogether = 64;

constexpr std::string_view kHashBucket = R"(
local capacity, rate, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(state[1]) or capacity, tonumber(state[2]) or now
tokens = math.min(capacity, tokens + math.max(0, now - at) * rate)
local allowed = tokens >= cost
if allowed then tokens = tokens - cost end
redis.call('HSET', KEYS[1], 'tokens', tokens, 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(capacity / rate * 1000))
return {allowed and 1 or 0, math.floor(tokens)}
)";

/// Sends a command for some keys in turn, so many together, and waits for the replies.
class Pipeline {
 public:
  Pipeline(const Bench& bench, Command command, std::vector<std::string> keys)
      : wire_(&bench.wire),
        window_(bench.pipeline),
        command_(std::move(command)),
        keys_(std::move(keys)) {}

  void send(std::size_t count) {
    bytes_.clear();
    for (std::size_t i = 0; i < count; ++i) command_.append_to(bytes_, keys_[at_++ % keys_.size()]);
    const std::int64_t errors = wire_->errors();
    wire_->send(bytes_);
    const std::string_view replies = wire_->receive(count);
    if (wire_->errors() != errors) throw std::runtime_error("an error: " + std::string(replies));
  }

  std::int64_t operator()() {
    send(window_);
    return static_cast<std::int64_t>(window_);
  }

  [[nodiscard]] std::size_t keys() const { return keys_.size(); }

 private:
  Wire* wire_;
  std::size_t window_;
  Command command_;
  std::vector<std::string> keys_;
  std::string bytes_;
  std::size_t at_ = 0;
};

std::vector<std::string> key_texts(std::size_t size, std::size_t count) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < count; ++i) keys.push_back(key_text(size, i));
  return keys;
}

/// Sends so many, in windows.
void send_all(Pipeline& pipeline, std::size_t calls) {
  for (std::size_t sent = 0; sent < calls; sent += kTogether) {
    pipeline.send(std::min(kTogether, calls - sent));
  }
}

Script pipelined(const Bench& bench, std::string name, const Command& command,
                 std::size_t key_size) {
  return {.name = std::move(name),
          .start =
              [=] {
                Pipeline pipeline(bench, command, key_texts(key_size, kKeys));
                send_all(pipeline, kKeys);
                return pipeline;
              },
          .fill =
              [=](std::size_t keys) {
                Pipeline pipeline(bench, command, key_texts(key_size, keys));
                send_all(pipeline, keys);
              }};
}

/// A limiter of the library, and how long keys are that give names of kNameSize bytes.
struct Library {
  Recorded recorded;
  std::size_t key_size;
  std::shared_ptr<Limiter> limiter;
};

Library library(const Bench& bench, const Policy& policy) {
  constexpr std::size_t kSample = 16;
  Recorded recorded{.name = "b", .policy = policy};
  const auto backend = make_redis_backend({.url = bench.server.unix_url(),
                                           .timeout = std::chrono::seconds(5),
                                           .prefix = recorded.prefix,
                                           .max_connections = 1})
                           .value();
  auto limiter = backend->make_limiter(recorded.name, policy, {.on_error = OnError::deny}).value();
  bench.server.flush();
  if (limiter->allow(key_text(kSample, 0)).degraded()) throw std::runtime_error("not reached");
  const std::size_t stem = bench.server.keys().at(0).size() - kSample;
  return {std::move(recorded), kNameSize - stem, std::move(limiter)};
}

void expect(bool allowed, Outcome outcome, const std::string& name) {
  if (allowed == (outcome == Outcome::allowed)) return;
  throw std::runtime_error(name + ": a decision came out otherwise");
}

}  // namespace

std::string key_text(std::size_t size, std::size_t number) {
  const std::string digits = std::to_string(number);
  std::string key(size, '0');
  key[0] = 'k';
  std::copy(digits.begin(), digits.end(), key.end() - static_cast<std::ptrdiff_t>(digits.size()));
  return key;
}

ForeignScript hash_bucket(Outcome outcome) {
  using Arguments = std::vector<std::string>;
  return {"hash token bucket", std::string(kHashBucket), 1,
          outcome == Outcome::allowed ? Arguments{"1000000000", "1000000", "1"}
                                      : Arguments{"1", "0.00000003", "1"}};
}

Script command_script(const Bench& bench, std::string name, const std::vector<std::string>& words) {
  const std::string key = key_text(kNameSize, 0);
  std::vector<std::string> filled = words;
  std::ranges::replace(filled, std::string("KEY"), key);
  return pipelined(bench, std::move(name), Command(encoded(filled), key), kNameSize);
}

Script foreign_script(const Bench& bench, const ForeignScript& foreign) {
  const std::string sha1 = bench.server.command({"SCRIPT", "LOAD", foreign.source}).text;
  std::vector<std::string> words{"EVALSHA", sha1, std::to_string(foreign.keys)};
  for (std::size_t i = 0; i < foreign.keys; ++i) {
    words.push_back(i == 0 ? "KEY" : "KEY:" + std::to_string(i));
  }
  const std::string key = key_text(kNameSize, 0);
  for (std::string& word : words) {
    if (word.starts_with("KEY")) word.replace(0, 3, key);
  }
  words.insert(words.end(), foreign.arguments.begin(), foreign.arguments.end());
  return pipelined(bench, foreign.name, Command(encoded(words), key), kNameSize);
}

Script library_script(const Bench& bench, const std::string& name, const Policy& policy,
                      Outcome outcome) {
  const Library own = library(bench, policy);
  const std::string key = key_text(own.key_size, 0);
  Script script = pipelined(bench, name, record(bench.server, own.recorded, key), own.key_size);
  script.remark = [=]() -> std::string {
    expect(own.limiter->peek(key).allowed, outcome, name);
    return {};
  };
  return script;
}

Script deep_script(const Bench& bench, const std::string& name, const Policy& policy,
                   Outcome outcome, std::size_t calls) {
  const Library own = library(bench, policy);
  const std::string key = key_text(own.key_size, 0);
  const Command command = record(bench.server, own.recorded, key);
  Script script{.name = name};
  script.start = [=] {
    Pipeline pipeline(bench, command, {key});
    send_all(pipeline, calls);
    return pipeline;
  };
  script.remark = [=] {
    const Decision state = own.limiter->peek(key);
    expect(state.allowed, outcome, name);
    const auto held = static_cast<double>(state.limit - state.remaining);
    const auto bytes = static_cast<double>(
        bench.server.command({"MEMORY", "USAGE", bench.server.keys().at(0)}).integer);
    return std::to_string(state.limit - state.remaining) + " entries, " +
           std::to_string(bytes / held).substr(0, 5) + " bytes each";
  };
  return script;
}

Script many_script(const Bench& bench, const std::string& name, const Policy& policy,
                   Outcome outcome) {
  const Library own = library(bench, policy);
  const auto keys = key_texts(own.key_size, kKeys / kTogether * kTogether);
  return {.name = name, .start = [=] {
            for (const std::string& key : keys) (void)own.limiter->allow(key);
            return [=, at = std::size_t{0}]() mutable {
              std::array<Request, kTogether> requests;
              std::array<Decision, kTogether> decisions;
              for (Request& request : requests) request.key = keys[at++ % keys.size()];
              own.limiter->allow_many(requests.data(), requests.size(), decisions.data());
              for (const Decision& decision : decisions) {
                expect(decision.allowed && !decision.degraded(), outcome, name);
              }
              return static_cast<std::int64_t>(kTogether);
            };
          }};
}

}  // namespace ratelimit::bench
