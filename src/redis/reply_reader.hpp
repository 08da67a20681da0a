// Bytes in, replies out. Refuses what no answer of ours looks like before it is stored: a peer that
// is not a Redis server, or has gone mad, can take neither our memory nor our stack.
//
// hiredis parses; it is seen by reply_reader.cpp only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "redis/reply.hpp"

struct redisReader;

namespace ratelimit::redis {

class ReplyReader {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{64} * 1024;  // of one reply
  static constexpr std::size_t kMostElements = 256;                  // of one array
  static constexpr int kMostDepth = 2;                               // arrays within arrays

  ReplyReader();

  enum class Status : std::uint8_t { incomplete, complete, broken };

  /// Takes bytes as they come in. They need not end where a reply ends.
  /// Throws std::bad_alloc.
  void feed(std::string_view bytes);

  /// Takes the next reply out, where it is complete. Once broken, always broken.
  Status next(Reply& reply);

  /// Whether bytes are left that `next` has not taken out.
  [[nodiscard]] bool has_leftover() const;

 private:
  struct Free {
    void operator()(redisReader* reader) const;
  };

  Reply root_;                                 // being built by the reader's callbacks
  std::unique_ptr<redisReader, Free> reader_;  // holds a pointer to root_
  std::size_t pending_ = 0;                    // bytes taken in since the last complete reply
  bool broken_ = false;

 public:
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;
};

}  // namespace ratelimit::redis
