// What of a log is read, what is refused and why, and that no input is too much.
#include "access_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <sstream>
#include <string>

namespace examples {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kTail = R"( "GET / HTTP/1.0" 200 5)";

/// Unix seconds of a line with this stamp; nothing where it is refused.
std::optional<std::int64_t> seconds_of(const std::string& stamp) {
  const std::string line = "host - - [" + stamp + "]" + kTail;
  const auto read = read_log_line(line);
  if (!read) {
    EXPECT_THAT(read.error().message, StartsWith("no time like"));
    return std::nullopt;
  }
  return read->time.time_since_epoch().count() / 1'000'000;
}

/// The client of a line; where it is refused, "!" and why.
std::string client_of(const std::string& line) {
  const auto read = read_log_line(line);
  return read ? std::string(read->client) : "!" + read.error().message;
}

std::string line_of(const std::string& client) {
  return client + " - - [01/Jul/1995:00:00:01 -0400]" + kTail;
}

TEST(ReadTime, CountsEveryZoneFromUtc) {
  EXPECT_EQ(seconds_of("01/Jul/1995:04:00:01 +0000"), 804571201);
  EXPECT_EQ(seconds_of("01/Jul/1995:04:00:01 -0000"), 804571201);
  EXPECT_EQ(seconds_of("01/Jul/1995:00:00:01 -0400"), 804571201);
  EXPECT_EQ(seconds_of("01/Jul/1995:09:30:01 +0530"), 804571201);
  EXPECT_EQ(seconds_of("01/Jul/1995:18:00:01 +1400"), 804571201);
  EXPECT_EQ(seconds_of("30/Jun/1995:16:00:01 -1200"), 804571201);
}

TEST(ReadTime, IsInMicroseconds) {
  const auto line = read_log_line(line_of("host"));
  ASSERT_TRUE(line);
  EXPECT_EQ(line->time.time_since_epoch().count(), 804571201'000'000);
}

TEST(ReadTime, KnowsTheCalendar) {
  EXPECT_EQ(seconds_of("01/Jan/1970:00:00:00 +0000"), 0);
  EXPECT_EQ(seconds_of("31/Dec/1969:19:00:00 -0500"), 0);
  EXPECT_EQ(seconds_of("29/Feb/2000:12:00:00 +0000"), 951825600);
  EXPECT_EQ(seconds_of("01/Mar/2000:00:00:00 +0000"), 951868800);
  EXPECT_EQ(seconds_of("31/Dec/2099:23:59:59 +0000"), 4102444799);
  EXPECT_EQ(seconds_of("31/Dec/9999:23:59:59 +0000"), 253402300799);
  EXPECT_EQ(seconds_of("29/Feb/1900:12:00:00 +0000"), std::nullopt);
  EXPECT_EQ(seconds_of("29/Feb/2001:12:00:00 +0000"), std::nullopt);
  EXPECT_EQ(seconds_of("31/Apr/2001:12:00:00 +0000"), std::nullopt);
  EXPECT_EQ(seconds_of("00/Apr/2001:12:00:00 +0000"), std::nullopt);
}

TEST(ReadTime, KnowsAllMonths) {
  const char* const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::int64_t day = 0;
  const std::int64_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (int month = 0; month < 12; ++month) {
    EXPECT_EQ(seconds_of("01/" + std::string(months[month]) + "/1970:00:00:00 +0000"), day * 86400);
    day += lengths[month];
  }
}

TEST(ReadTime, TakesALeapSecondAtTheEndOfAUtcDayOnly) {
  EXPECT_EQ(seconds_of("31/Dec/2016:23:59:60 +0000"), 1483228800);
  EXPECT_EQ(seconds_of("01/Jan/2017:08:59:60 +0900"), 1483228800);
  EXPECT_EQ(seconds_of("31/Dec/2016:23:58:60 +0000"), std::nullopt);
  EXPECT_EQ(seconds_of("31/Dec/2016:23:59:60 +0100"), std::nullopt);
  EXPECT_EQ(seconds_of("31/Dec/2016:23:59:61 +0000"), std::nullopt);
}

TEST(ReadTime, RefusesWhatIsNotExactlyATime) {
  for (const char* const stamp :
       {"", "-", "01/Jul/1995:24:00:00 +0000", "01/Jul/1995:00:60:00 +0000",
        "01/Jul/1995:00:00:00 +2400", "01/Jul/1995:00:00:00 +0060", "01/Jul/1995:00:00:00 0000",
        "01/Jul/1995:00:00:00 Z", "01/Jul/1995:00:00:00", "1/Jul/1995:00:00:00 +0000",
        " 1/Jul/1995:00:00:00 +0000", "01/jul/1995:00:00:00 +0000", "01/Jux/1995:00:00:00 +0000",
        "01/Jul/95:00:00:00 +0000", "01/Jul/+995:00:00:00 +0000", "01/Jul/1995 00:00:00 +0000",
        "01/Jul/1995:00:00:00.5 +0000", "01/Jul/1995:00:00:00 +00000", "1995-07-01T00:00:00Z"}) {
    EXPECT_EQ(seconds_of(stamp), std::nullopt) << stamp;
  }
}

TEST(ReadLogLine, ReadsCommonAndCombinedFormat) {
  EXPECT_EQ(client_of(line_of("burger.letters.com")), "burger.letters.com");
  EXPECT_EQ(client_of(line_of("199.72.81.55")), "199.72.81.55");
  EXPECT_EQ(client_of(line_of("2001:db8::1%eth0")), "2001:db8::1%eth0");
  EXPECT_EQ(client_of(line_of("b\xc3\xbc"
                              "cher.example")),
            "b\xc3\xbc"
            "cher.example");
  EXPECT_EQ(client_of(line_of("host") + R"( "http://a/?q=\"b\"" "Agent 1.0")"), "host");
  EXPECT_EQ(client_of(line_of("host") + R"( "-" "-" 0.003 "more")"), "host");
  EXPECT_EQ(client_of(line_of("host") + "\r"), "host");
}

TEST(ReadLogLine, ReadsRequestsOfEveryKind) {
  const std::string head = "host ident user [01/Jul/1995:00:00:01 -0400] ";
  for (const char* const tail :
       {R"("-" 408 -)", R"("" 400 0)", R"("GET /" 200 18446744073709551616)",
        R"("GET /a"b"c HTTP/1.0" 200 5)", R"("GET /" HTTP/1.0" " 200 5)",
        R"("GET /\" 200 5 HTTP/1.1" 200 5)", R"("\x16\x03 ] [" 400 226)"}) {
    EXPECT_EQ(client_of(head + tail), "host") << tail;
  }
  for (const char* const tail :
       {"", "GET / 200 5", R"("GET / 200 5)", R"("GET /" 200)", R"("GET /" 200 )",
        R"("GET /" 2000 5)", R"("GET /" 20x 5)", R"("GET /" 200 5k)", R"("GET /"200 5)",
        R"("GET /" 200 --)", R"( "GET /" 200 5)"}) {
    EXPECT_THAT(client_of(head + tail), StartsWith("!no \"request\"")) << tail;
  }
}

TEST(ReadLogLine, SaysWhatIsWrong) {
  EXPECT_EQ(client_of(""), "!empty");
  EXPECT_EQ(client_of("\r"), "!empty");
  EXPECT_EQ(client_of("host"), "!no client at its start");
  EXPECT_EQ(client_of(" host - -"), "!no client at its start");
  EXPECT_EQ(client_of(line_of(std::string("a\0b", 3))), "!no client at its start");
  EXPECT_EQ(client_of(line_of("a\x1b[2Jb")), "!no client at its start");
  EXPECT_EQ(client_of(line_of(std::string(256, 'x'))), "!client longer than 255 bytes");
  EXPECT_THAT(client_of("host - - no time"), StartsWith("!no \"ident user [time]\""));
  EXPECT_THAT(client_of("host - -"), StartsWith("!no \"ident user [time]\""));
  EXPECT_THAT(client_of("www.example.com:80 " + line_of("host")),
              StartsWith("!no \"ident user [time]\""));
  EXPECT_THAT(client_of("host - - [01/Jul/1995:00:00:01 -0400"), StartsWith("!no time like"));
}

TEST(ReadLogLine, KeepsTheLongestClientWhole) {
  const std::string client(255, 'x');
  EXPECT_EQ(client_of(line_of(client)), client);
}

TEST(ReadLogLine, ReadsEveryBeginningOfALineWithoutHarm) {
  const std::string line = line_of("host") + R"( "referer" "agent")";
  const std::size_t shortest = line_of("host").size();
  for (std::size_t length = 0; length <= line.size(); ++length) {
    // As a string of its own, so that a sanitizer sees a step beyond its end.
    const std::string beginning = line.substr(0, length);
    EXPECT_EQ(read_log_line(beginning).has_value(), length >= shortest) << beginning;
  }
}

TEST(ReadLogLine, SurvivesRandomDamage) {
  const std::string line = line_of("host") + R"( "referer" "agent")";
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same lines every time
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = line;
    for (int change = 0; change < 3; ++change) {
      damaged[random() % damaged.size()] = static_cast<char>(random() % 256);
    }
    const auto read = read_log_line(damaged);
    if (read) {
      EXPECT_THAT(damaged, StartsWith(std::string(read->client) + " "));
    }
  }
}

TEST(ReadAccessLog, KeepsOrderAndNumbersClients) {
  std::istringstream in(line_of("b") + "\n" + line_of("a") + "\n" + line_of("b") + "\n");
  const AccessLog log = read_access_log(in);
  EXPECT_FALSE(in.bad());
  EXPECT_THAT(log.clients, ElementsAre("b", "a"));
  EXPECT_THAT(log.requests, ElementsAre(Field(&AccessLog::Request::client, 0),
                                        Field(&AccessLog::Request::client, 1),
                                        Field(&AccessLog::Request::client, 0)));
  EXPECT_EQ(log.bad_lines, 0);
}

TEST(ReadAccessLog, ReadsNothingFromNothing) {
  std::istringstream in("");
  const AccessLog log = read_access_log(in);
  EXPECT_THAT(log.requests, IsEmpty());
  EXPECT_EQ(log.bad_lines, 0);
}

TEST(ReadAccessLog, ReadsALastLineWithoutLineFeedAndCrlf) {
  std::istringstream in(line_of("a") + "\r\n" + line_of("b"));
  EXPECT_THAT(read_access_log(in).clients, ElementsAre("a", "b"));
}

TEST(ReadAccessLog, CountsAllBadLinesAndKeepsTheFirst) {
  std::string text = line_of("a") + "\n";
  for (int line = 0; line < 7; ++line) text.append("bad ").append(std::to_string(line)) += '\n';
  text.append("\n").append(line_of("b")) += '\n';
  std::istringstream in(text);
  const AccessLog log = read_access_log(in);
  EXPECT_THAT(log.clients, ElementsAre("a", "b"));
  EXPECT_EQ(log.bad_lines, 8);
  ASSERT_THAT(log.first_bad_lines, SizeIs(5));
  EXPECT_EQ(log.first_bad_lines[0].number, 2);
  EXPECT_EQ(log.first_bad_lines[0].text, "bad 0");
  EXPECT_THAT(log.first_bad_lines[0].reason, HasSubstr("ident"));
  EXPECT_EQ(log.first_bad_lines[4].number, 6);
}

TEST(ReadAccessLog, ReadsLinesUpToTheLongestAndGoesOnAfterLongerOnes) {
  const std::string start = line_of("long") + " \"";
  const std::string longest = start + std::string(kLongestLine - start.size(), 'x');
  std::istringstream in(longest + "\n" + longest + "x\n" + line_of("a") + "\n" + longest + "\n" +
                        longest + longest);
  const AccessLog log = read_access_log(in);
  EXPECT_THAT(log.clients, ElementsAre("long", "a"));
  EXPECT_THAT(log.requests, SizeIs(3));
  EXPECT_EQ(log.bad_lines, 2);
  EXPECT_THAT(log.first_bad_lines,
              ElementsAre(AllOf(Field(&AccessLog::BadLine::number, 2),
                                Field(&AccessLog::BadLine::reason, "longer than 1 MiB"),
                                Field(&AccessLog::BadLine::text, SizeIs(80))),
                          Field(&AccessLog::BadLine::number, 5)));
}

TEST(ReadAccessLog, ReadsNulBytesAsAnyOther) {
  std::string text = line_of("a") + " \"agent";
  text += '\0';
  text.append("\"\n").append(line_of("b")) += '\n';
  text += '\0';
  text += "\n";
  std::istringstream in(text);
  const AccessLog log = read_access_log(in);
  EXPECT_THAT(log.clients, ElementsAre("a", "b"));
  EXPECT_EQ(log.bad_lines, 1);
}

TEST(Printable, EscapesWhatDisturbsATerminal) {
  EXPECT_EQ(printable("GET /~a b"), "GET /~a b");
  EXPECT_EQ(printable(std::string("\0\x1b[m\x7f\xff\n", 7)), "\\x00\\x1b[m\\x7f\\xff\\x0a");
  EXPECT_THAT(printable("\x9b"), EndsWith("9b"));
}

}  // namespace
}  // namespace examples
