#include "redis_caller.hpp"

#include <hiredis/hiredis.h>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace ratelimit::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int count_of(Keys keys) {
  if (keys == Keys::hot) return 1;
  return keys == Keys::few ? 16 : 1024;
}

KeyText key_of(int number) {
  KeyText key;
  std::array<char, 22> text;
  std::snprintf(text.data(), text.size(), "user:%09d:basket", number);
  key.text = text;
  return key;
}

class LibraryCaller final : public Caller {
 public:
  LibraryCaller(KeyRing keys, std::shared_ptr<Limiter> limiter)
      : Caller(std::move(keys)), limiter_(std::move(limiter)) {}

  Answers step() override {
    const auto since = Clock::now();
    return {1, limiter_->allow(keys_.next()).allowed ? 1 : 0, since};
  }

 private:
  std::shared_ptr<Limiter> limiter_;
};

class BlockingCaller final : public Caller {
 public:
  BlockingCaller(KeyRing keys, const Ground& ground)
      : Caller(std::move(keys)),
        command_(ground.decide),
        context_(ground.route.socket_path.empty()
                     ? redisConnect("127.0.0.1", ground.route.port)
                     : redisConnectUnix(ground.route.socket_path.c_str())) {
    if (!context_ || context_->err != 0) throw std::runtime_error("hiredis does not connect");
  }

  Answers step() override {
    const auto since = Clock::now();
    bytes_.clear();
    command_.append_to(bytes_, keys_.next());
    void* reply = nullptr;
    if (redisAppendFormattedCommand(context_.get(), bytes_.data(), bytes_.size()) != REDIS_OK ||
        redisGetReply(context_.get(), &reply) != REDIS_OK) {
      throw std::runtime_error(static_cast<const char*>(context_->errstr));
    }
    const bool allowed = static_cast<const redisReply*>(reply)->type != REDIS_REPLY_ERROR;
    freeReplyObject(reply);
    return {1, allowed ? 1 : 0, since};
  }

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };

  Command command_;
  std::unique_ptr<redisContext, Free> context_;
  std::string bytes_;
};

class RawCaller final : public Caller {
 public:
  RawCaller(KeyRing keys, const Ground& ground)
      : Caller(std::move(keys)), command_(ground.decide), wire_(ground.route) {}

  Answers step() override {
    const auto since = Clock::now();
    bytes_.clear();
    command_.append_to(bytes_, keys_.next());
    wire_.send(bytes_);
    (void)wire_.receive(1);
    return {1, wire_.errors() == 0 ? 1 : 0, since};
  }

 private:
  Command command_;
  Wire wire_;
  std::string bytes_;
};

class PipeliningCaller final : public Caller {
 public:
  PipeliningCaller(KeyRing keys, const Route& route, Command command, std::size_t window)
      : Caller(std::move(keys)), command_(std::move(command)), window_(window), wire_(route) {}

  Answers step() override {
    if (in_flight_ == 0) send_window();
    send_window();
    return take_window();
  }

  void finish() override {
    while (in_flight_ > 0) (void)take_window();
  }

 private:
  void send_window() {
    bytes_.clear();
    for (std::size_t i = 0; i < window_; ++i) command_.append_to(bytes_, keys_.next());
    sent_at_[in_flight_++] = Clock::now();
    wire_.send(bytes_);
  }

  Answers take_window() {
    const auto since = sent_at_[0];
    const std::int64_t errors = wire_.errors();
    (void)wire_.receive(window_);
    sent_at_[0] = sent_at_[1];
    --in_flight_;
    const auto asked = static_cast<std::int64_t>(window_);
    return {asked, asked - (wire_.errors() - errors), since};
  }

  Command command_;
  std::size_t window_;
  Wire wire_;
  std::string bytes_;
  std::array<Clock::time_point, 2> sent_at_;  // of the windows in flight, the older one first
  std::size_t in_flight_ = 0;
};

template <class Make>
Callers made(int count, Keys keys, Make make) {
  Callers callers;
  for (int i = 0; i < count; ++i) callers.push_back(make(KeyRing(keys, i)));
  return callers;
}

}  // namespace

KeyRing::KeyRing(Keys keys, int caller) {
  const int count = count_of(keys);
  const int first = keys == Keys::hot ? 0 : caller * count;
  for (int i = 0; i < count; ++i) texts_.push_back(key_of(first + i));
}

Ground make_ground(const testing::RedisServer& server, Route route, const Policy& policy) {
  const KeyText key;
  Recorded limiter{.policy = policy};
  Command decide = record(server, limiter, key.view());
  const std::string incr = encoded({"INCR", std::string(key.view())});
  return {std::move(route), std::move(limiter), std::move(decide), Command(incr, key.view())};
}

std::shared_ptr<Limiter> limiter_on(const Ground& ground, std::int64_t connections) {
  const auto backend = make_redis_backend({.url = ground.route.url,
                                           .timeout = std::chrono::seconds(5),
                                           .prefix = ground.limiter.prefix,
                                           .max_connections = connections})
                           .value();
  const auto& [prefix, name, policy] = ground.limiter;
  return backend->make_limiter(name, policy, {.on_error = OnError::deny}).value();
}

Callers library_callers(const Ground& ground, std::int64_t connections, int count, Keys keys) {
  const auto limiter = limiter_on(ground, connections);
  return made(count, keys, [&](KeyRing ring) {
    return std::make_unique<LibraryCaller>(std::move(ring), limiter);
  });
}

Callers blocking_callers(const Ground& ground, int count, Keys keys) {
  return made(count, keys, [&](KeyRing ring) {
    return std::make_unique<BlockingCaller>(std::move(ring), ground);
  });
}

Callers raw_caller(const Ground& ground) {
  return made(1, Keys::few,
              [&](KeyRing ring) { return std::make_unique<RawCaller>(std::move(ring), ground); });
}

Callers pipelining_caller(const Ground& ground, const Command& command, std::size_t window) {
  return made(1, Keys::many, [&](KeyRing ring) {
    return std::make_unique<PipeliningCaller>(std::move(ring), ground.route, command, window);
  });
}

}  // namespace ratelimit::bench
