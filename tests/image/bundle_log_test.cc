// SPDX-License-Identifier: Apache-2.0
// The log of a detached container: its lines, the last of them, and times as people give them.
#include "process/log_lines.h"
#include "process/log_time.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

namespace onggi::image {
namespace {

const std::string kTime = "2026-11-30T06:07:33.000000001Z";

std::string logged(std::string_view bytes, LogStream stream = LogStream::output) {
  std::string log;
  append_log_lines(bytes, stream, kTime, log);
  return log;
}

TEST_CASE("a log has whole lines and parts of lines, and gives back what was written") {
  CHECK(logged("one\ntwo") == kTime + " stdout F one\n" + kTime + " stdout P two\n");
  CHECK(logged("bad\n", LogStream::error) == kTime + " stderr F bad\n");
  CHECK(logged("\n") == kTime + " stdout F \n");
  CHECK(logged("") == "");
  for (const std::string& bytes :
       {std::string("one\ntwo"), std::string("\n\n"), std::string("a\r\nb \n"),
        std::string("zero\0\xff\xfe in it\n", 16), kTime + " stdout F forged\n"})
    CHECK(text_of_log(logged(bytes)) == bytes);
  CHECK(text_of_log(logged("par") + logged("tly\n")) == "partly\n");
}

TEST_CASE("what is no line of a log is not taken for one") {
  LogPiece piece;
  CHECK(parse_log_line(kTime + " stdout F ", piece));
  CHECK(piece.text.empty());
  for (const char* line : {"", "x", "T stdout", "T stdout F", "T stdout X text", "T stdin F text",
                           "T stdout Ftext", "stdout F text"})
    CHECK_FALSE(parse_log_line(line, piece));
}

TEST_CASE("the last lines of a log: a line in parts is one") {
  const std::string first = logged("one\n"), parts = logged("t") + logged("w") + logged("o\n");
  const std::string open = logged("thr") + logged("ee");
  const std::string log = first + parts + open;
  CHECK(log.substr(find_last_lines(log, 0)) == "");
  CHECK(log.substr(find_last_lines(log, 1)) == open);
  CHECK(log.substr(find_last_lines(log, 2)) == parts + open);
  CHECK(log.substr(find_last_lines(log, 3)) == log);
  CHECK(log.substr(find_last_lines(log, 99)) == log);
  CHECK(find_last_lines("", 5) == 0);
}

TEST_CASE("times for --since") {
  (void)setenv("TZ", "UTC-1", 1);  // an hour east of Greenwich
  tzset();
  const std::pair<const char*, const char*> right[] = {
      {"2026-11-30T06:07:33Z", "2026-11-30T06:07:33.000000000Z"},
      {"2026-11-30T06:07:33.25+01:30", "2026-11-30T04:37:33.250000000Z"},
      {"2026-11-30T06:07:33-00:30", "2026-11-30T06:37:33.000000000Z"},
      {"2026-11-30T06:07", "2026-11-30T05:07:00.000000000Z"},
      {"2026-11-30", "2026-11-29T23:00:00.000000000Z"},
      {"0", "1970-01-01T00:00:00.000000000Z"},
      {"1798610400.5", "2026-12-30T06:00:00.500000000Z"},
  };
  for (const auto& [text, time] : right) {
    CAPTURE(text);
    const std::optional<std::string> parsed = parse_log_time(text);
    REQUIRE(parsed);
    CHECK(*parsed == time);
  }
  for (const char* text : {"", "yesterday", "10m", "2026-13-01", "2026-11-30T", "2026-11-30T06",
                           "2026-11-30T24:00", "2026-11-30T06:07:33ZZ", "2026-11-30T06:07:33+1",
                           "1969-12-31", "99999999999999999999", "1.", "-5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_log_time(text));
  }
}

}  // namespace
}  // namespace onggi::image
