#include "redis/reply_reader.hpp"

#include <hiredis/hiredis.h>

#include <exception>
#include <new>
#include <utility>

namespace ratelimit::redis {
namespace {

// hiredis calls these as it reads. Each returns null to refuse; the reader then stops for good. No
// exception may pass through its C frames.

Reply* place_of(const redisReadTask* task) {
  if (task->parent == nullptr) return static_cast<Reply*>(task->privdata);
  auto* parent = static_cast<Reply*>(task->parent->obj);
  return &parent->elements[static_cast<std::size_t>(task->idx)];
}

void* on_text(const redisReadTask* task, char* text, std::size_t size) noexcept try {
  Reply* reply = place_of(task);
  switch (task->type) {
    case REDIS_REPLY_STRING:
      reply->type = Reply::Type::string;
      break;
    case REDIS_REPLY_STATUS:
      reply->type = Reply::Type::status;
      break;
    case REDIS_REPLY_ERROR:
      reply->type = Reply::Type::error;
      break;
    default:
      return nullptr;
  }
  reply->text.assign(text, size);
  return reply;
} catch (const std::bad_alloc&) {
  return nullptr;
}

#if HIREDIS_MAJOR >= 1
using ElementCount = std::size_t;
#else
using ElementCount = int;
#endif

void* on_array(const redisReadTask* task, ElementCount count) noexcept try {
  int depth = 1;
  for (const auto* up = task->parent; up != nullptr; up = up->parent) ++depth;
  const auto elements = static_cast<std::size_t>(count);
  if (task->type != REDIS_REPLY_ARRAY || depth > ReplyReader::kMostDepth ||
      elements > ReplyReader::kMostElements) {
    return nullptr;
  }
  Reply* reply = place_of(task);
  reply->type = Reply::Type::array;
  reply->elements.resize(elements);
  return reply;
} catch (const std::bad_alloc&) {
  return nullptr;
}

void* on_integer(const redisReadTask* task, long long value) noexcept {
  Reply* reply = place_of(task);
  reply->type = Reply::Type::integer;
  reply->integer = value;
  return reply;
}

void* on_nil(const redisReadTask* task) noexcept { return place_of(task); }

void on_free(void* /*reply*/) noexcept {}  // replies belong to the ReplyReader

const redisReplyObjectFunctions* callbacks() {
  static const redisReplyObjectFunctions functions = [] {
    redisReplyObjectFunctions made{};
    made.createString = on_text;
    made.createArray = on_array;
    made.createInteger = on_integer;
    made.createNil = on_nil;
    made.freeObject = on_free;
#if HIREDIS_MAJOR >= 1
    // Kinds of RESP3, which we never ask for.
    made.createDouble = [](const redisReadTask*, double, char*, std::size_t) -> void* {
      return nullptr;
    };
    made.createBool = [](const redisReadTask*, int) -> void* { return nullptr; };
#endif
    return made;
  }();
  return &functions;
}

}  // namespace

void ReplyReader::Free::operator()(redisReader* reader) const { redisReaderFree(reader); }

ReplyReader::ReplyReader()
    : reader_(redisReaderCreateWithFunctions(
          const_cast<redisReplyObjectFunctions*>(callbacks()))) {  // hiredis only reads them
  if (reader_ == nullptr) throw std::bad_alloc();
  reader_->privdata = &root_;
  reader_->maxbuf = 0;  // keep the buffer: what it holds is bounded here
}

void ReplyReader::feed(std::string_view bytes) {
  if (broken_) return;
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK)
    throw std::bad_alloc();
  pending_ += bytes.size();
}

ReplyReader::Status ReplyReader::next(Reply& reply) {
  if (broken_) return Status::broken;
  void* done = nullptr;
  const bool is_sound = redisReaderGetReply(reader_.get(), &done) == REDIS_OK;
  if (is_sound && done != nullptr) {
    pending_ = reader_->len - reader_->pos;
    reply = std::exchange(root_, {});
    return Status::complete;
  }
  broken_ = !is_sound || pending_ > kMostBytes;
  return broken_ ? Status::broken : Status::incomplete;
}

bool ReplyReader::has_leftover() const { return pending_ > 0; }

}  // namespace ratelimit::redis
