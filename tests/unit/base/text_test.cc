// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include "base/path.h"
#include "base/utf8.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace onggi {
namespace {

TEST_CASE("FixedText cuts what does not fit and stays terminated") {
  FixedText<6> text("abc");
  text.append("defg");
  CHECK(text.view() == "abcde");
  CHECK(std::string(text.c_str()) == "abcde");
  text.clear();
  CHECK(text.empty());
  CHECK(text.append(-7, '|').append(12u).view() == "-7|12");
}

TEST_CASE("FixedText writes the extreme integers") {
  CHECK(text<32>(std::numeric_limits<int64_t>::min()).view() == "-9223372036854775808");
  CHECK(text<32>(std::numeric_limits<uint64_t>::max()).view() == "18446744073709551615");
}

TEST_CASE("padded numbers have at least that many digits, in any base up to 16") {
  const auto padded = [](uint64_t number, size_t width, unsigned base) {
    return std::string(FixedText<80>().append_padded(number, width, base).view());
  };
  CHECK(padded(7, 3, 10) == "007");
  CHECK(padded(1234, 3, 10) == "1234");
  CHECK(padded(0, 0, 10) == "");
  CHECK(padded(0755, 4, 8) == "0755");
  CHECK(padded(0xabc, 16, 16) == "0000000000000abc");
  CHECK(padded(std::numeric_limits<uint64_t>::max(), 1, 2) == std::string(64, '1'));
}

TEST_CASE("parse_decimal takes digits only, and only what fits") {
  CHECK(parse_decimal<uint32_t>("4294967295") == 4294967295U);
  CHECK(parse_decimal<int8_t>("-128") == -128);
  CHECK(parse_decimal<int64_t>("-9223372036854775808") == std::numeric_limits<int64_t>::min());
  for (const char* wrong :
       {"", "-", "+1", " 1", "1 ", "0x1", "4294967296", "-1", "99999999999999999999"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_decimal<uint32_t>(wrong).has_value());
  }
  CHECK_FALSE(parse_decimal<int8_t>("128").has_value());
  CHECK_FALSE(parse_decimal<uint64_t>("18446744073709551616").has_value());
}

TEST_CASE("clean_path never climbs above its start") {
  CHECK(clean_path("/a//./b/../c") == "/a/c");
  CHECK(clean_path("x/../..") == "");
  CHECK(clean_path("/") == "/");
  CHECK(clean_path("/../../etc") == "/etc");
  CHECK(clean_path("a/b/../../c") == "c");
  CHECK(clean_path("") == "");
}

TEST_CASE("join_path keeps absolute paths") {
  CHECK(join_path("/bundle", "rootfs") == "/bundle/rootfs");
  CHECK(join_path("/", "rootfs") == "/rootfs");
  CHECK(join_path("/bundle", "/rootfs") == "/rootfs");
  CHECK(join_path("", "rootfs") == "rootfs");
}

TEST_CASE("printable leaves no control character and no malformed byte") {
  CHECK(printable("a\nb\r\t") == "a\\nb\\r\\t");
  CHECK(printable("\x1b[2J\x7f") == "\\x1b[2J\\x7f");
  CHECK(printable("옹기") == "옹기");
  CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");           // U+009B is a one-character ESC [
  CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");           // overlong
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // surrogate
  CHECK(printable("\xec\x98") == "\\xec\\x98");           // cut off
  CHECK(replace_malformed_utf8("a\xff옹") == "a\xef\xbf\xbd옹");
}

}  // namespace
}  // namespace onggi
