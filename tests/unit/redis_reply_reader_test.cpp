// Reading replies from bytes, and refusing what is no reply of ours before it is stored.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "redis/reply_reader.hpp"

namespace ratelimit::redis {
namespace {

using Status = ReplyReader::Status;

/// Feeds `bytes` in pieces of `size` and takes what comes of it.
Status read_in_pieces(std::string_view bytes, std::size_t size, Reply& reply) {
  ReplyReader reader;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    reader.feed(bytes.substr(at, size));
    const Status status = reader.next(reply);
    if (status != Status::incomplete) {
      EXPECT_TRUE(status == Status::broken || at + size >= bytes.size()) << "done too early";
      return status;
    }
  }
  return Status::incomplete;
}

Reply read(std::string_view bytes) {
  Reply reply;
  for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{3}, bytes.size()}) {
    reply = {};
    EXPECT_EQ(read_in_pieces(bytes, size, reply), Status::complete) << bytes;
  }
  return reply;
}

Status status_of(std::string_view bytes) {
  Reply reply;
  return read_in_pieces(bytes, 4096, reply);
}

TEST(ReplyReader, ReadsEveryType) {
  EXPECT_EQ(read("+OK\r\n").type, Reply::Type::status);
  EXPECT_EQ(read("+OK\r\n").text, "OK");
  EXPECT_EQ(read("-ERR no\r\n").type, Reply::Type::error);
  EXPECT_EQ(read("-ERR no\r\n").text, "ERR no");
  EXPECT_EQ(read(":-42\r\n").type, Reply::Type::integer);
  EXPECT_EQ(read(":-42\r\n").integer, -42);
  EXPECT_EQ(read(":9007199254740991\r\n").integer, 9007199254740991);
  EXPECT_EQ(read("$4\r\na\r\nb\r\n").type, Reply::Type::string);
  EXPECT_EQ(read("$4\r\na\r\nb\r\n").text, "a\r\nb");
  EXPECT_EQ(read("$-1\r\n").type, Reply::Type::nil);
}

TEST(ReplyReader, ReadsArrays) {
  const Reply reply = read("*3\r\n:1\r\n*2\r\n+a\r\n$1\r\nb\r\n:-3\r\n");
  ASSERT_EQ(reply.type, Reply::Type::array);
  ASSERT_EQ(reply.elements.size(), 3U);
  EXPECT_EQ(reply.elements[0].integer, 1);
  ASSERT_EQ(reply.elements[1].elements.size(), 2U);
  EXPECT_EQ(reply.elements[1].elements[1].text, "b");
  EXPECT_EQ(reply.elements[2].integer, -3);
  EXPECT_EQ(read("*0\r\n").elements.size(), 0U);
}

TEST(ReplyReader, KeepsWhatComesAfterAReply) {
  ReplyReader reader;
  Reply reply;
  reader.feed(":1\r\n:2\r\n:3");
  EXPECT_EQ(reader.next(reply), Status::complete);
  EXPECT_EQ(reply.integer, 1);
  EXPECT_TRUE(reader.has_leftover());
  EXPECT_EQ(reader.next(reply), Status::complete);
  EXPECT_EQ(reply.integer, 2);
  EXPECT_EQ(reader.next(reply), Status::incomplete);
  EXPECT_TRUE(reader.has_leftover());
  reader.feed("\r\n");
  EXPECT_EQ(reader.next(reply), Status::complete);
  EXPECT_EQ(reply.integer, 3);
  EXPECT_FALSE(reader.has_leftover());
  EXPECT_EQ(reader.next(reply), Status::incomplete);
}

TEST(ReplyReader, BoundsTheBytesOfAReply) {
  const std::string fits = "$60000\r\n" + std::string(60000, 'x') + "\r\n";
  Reply reply;
  EXPECT_EQ(read_in_pieces(fits, 4096, reply), Status::complete);
  EXPECT_EQ(reply.text.size(), 60000U);
  EXPECT_EQ(status_of("$536870912\r\n" + std::string(70'000, 'x')), Status::broken);
  EXPECT_EQ(status_of("+" + std::string(70'000, 'x')), Status::broken);
  EXPECT_EQ(status_of(std::string(70'000, '1')), Status::broken);
}

TEST(ReplyReader, CountsTheBytesOfEachReplyAnew) {
  ReplyReader reader;
  Reply reply;
  for (int i = 0; i < 100'000; ++i) {
    reader.feed(":1\r\n");
    ASSERT_EQ(reader.next(reply), Status::complete);
  }
}

TEST(ReplyReader, BoundsElementsAndDepth) {
  std::string most = "*256\r\n";
  for (int i = 0; i < 256; ++i) most += ":1\r\n";
  EXPECT_EQ(status_of(most), Status::complete);
  EXPECT_EQ(status_of("*257\r\n"), Status::broken);
  EXPECT_EQ(status_of("*2147483647\r\n"), Status::broken);
  EXPECT_EQ(status_of("*9223372036854775807\r\n"), Status::broken);
  EXPECT_EQ(status_of("*1\r\n*1\r\n:1\r\n"), Status::complete);
  EXPECT_EQ(status_of("*1\r\n*1\r\n*1\r\n:1\r\n"), Status::broken);
}

TEST(ReplyReader, RefusesWhatIsNoReply) {
  for (const char* bytes :
       {"HTTP/1.1 400 Bad Request\r\n", "?\r\n", "\r\n", "$x\r\n", ":1x\r\n", "$-2\r\n", "*-2\r\n",
        ":99999999999999999999\r\n", "%1\r\n:1\r\n:2\r\n", "~1\r\n:1\r\n", ">1\r\n:1\r\n", "#t\r\n",
        ",1.5\r\n", "(123\r\n", "=5\r\ntxt:a\r\n"}) {
    EXPECT_EQ(status_of(bytes), Status::broken) << bytes;
  }
}

TEST(ReplyReader, StaysBroken) {
  ReplyReader reader;
  Reply reply;
  reader.feed("?\r\n");
  EXPECT_EQ(reader.next(reply), Status::broken);
  reader.feed(":1\r\n");
  EXPECT_EQ(reader.next(reply), Status::broken);
}

}  // namespace
}  // namespace ratelimit::redis
