// SPDX-License-Identifier: Apache-2.0
// A hostile passwd file in parts of every size gives the same home.
#include "base/passwd.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace {

using namespace onggi;

std::string home_in(const std::string& text, uint32_t uid, size_t part) {
  HomeSearch search(uid);
  for (size_t at = 0; at < text.size(); at += part)
    if (search.add(std::string_view(text).substr(at, part))) break;
  return std::string(search.finish());
}

std::string home(const std::string& text, uint32_t uid = 1000) {
  const std::string whole = home_in(text, uid, std::max<size_t>(text.size(), 1));
  for (const size_t part : {1U, 2U, 3U, 7U, 64U}) CHECK(home_in(text, uid, part) == whole);
  return whole;
}

TEST_CASE("a home is the sixth field of the first line with the uid") {
  CHECK(home("a:x:1000:100:A:/home/a:/bin/sh\n") == "/home/a");
  CHECK(home("r:x:0:0::/root:\na:x:1000:100::/home/a:/bin/sh\n") == "/home/a");
  CHECK(home("a:x:1000:100::/home/a:/bin/sh\nb:x:1000:100::/home/b:/bin/sh\n") == "/home/a");
  CHECK(home("a:x:1000:100::/home/a:/bin/sh:more:fields\n") == "/home/a");
  CHECK(home("a::1000:::/home/a:\n") == "/home/a");
  CHECK(home("a:x:01000:100::/home/a:\n") == "/home/a");
  CHECK(home("a:x:4294967295:100::/home/a:\n", UINT32_MAX) == "/home/a");
}

TEST_CASE("a line may lack its shell and its newline, or end in CR LF") {
  CHECK(home("a:x:1000:100::/home/a\n") == "/home/a");
  CHECK(home("a:x:1000:100::/home/a") == "/home/a");
  CHECK(home("a:x:1000:100::/home/a:") == "/home/a");
  CHECK(home("a:x:1000:100::/home/a\r\n") == "/home/a");
  CHECK(home("a:x:1000:100::/home/a:/bin/sh\r\n") == "/home/a");
  CHECK(home("b:x:1:1::/b\r\na:x:1000:100::/home/a\r\n") == "/home/a");
}

TEST_CASE("lines of any length and of no sense are passed over") {
  const std::string user = "a:x:1000:100::/home/a:/bin/sh\n";
  for (const std::string& line :
       {std::string(), std::string("#a:x:1000:1::/comment:"), std::string("1000"),
        std::string("a:x:1000:1:/no/home"), std::string("a:x:1000"), std::string(":::::::"),
        std::string("+::::::"), std::string("-a:x:1000:1::/x:"), std::string("a:x:1000x:1::/x:"),
        std::string("a:x: 1000:1::/x:"), std::string("a:x:-1000:1::/x:"),
        std::string("a:x:4294968296:1::/x:"), std::string("a:x:18446744073709552616:1::/x:"),
        std::string("a:x::1::/x:"), std::string(100000, 'x'), std::string(10000, ':'),
        std::string(5000, '\0'), "b:x:1:1:" + std::string(70000, 'g') + ":/b:/bin/sh"}) {
    CAPTURE(line.substr(0, 40));
    CHECK(home(line + "\n" + user) == "/home/a");
  }
}

TEST_CASE("a user without a home that a path can name has none") {
  CHECK(home("").empty());
  CHECK(home("\n\n").empty());
  CHECK(home("a:x:1001:100::/home/a:\n").empty());
  CHECK(home("a:x:1000:100::\nb:x:1000:100::/home/b:\n").empty());
  CHECK(home("a:x:1000:100::/" + std::string(5000, 'x') + ":\n").empty());
  CHECK(home("a:x:1000:100::/" + std::string(1, '\0') + "x:\n").empty());
  CHECK(home("a:x:1000:100::/" + std::string(1000, 'x') + ":\n").size() == 1001);
}

}  // namespace
