// SPDX-License-Identifier: Apache-2.0
// What is decided over text alone: names, challenges, links, addresses.
#include "model/reference.h"
#include "registry/challenge.h"
#include "registry/url.h"

#include <doctest/doctest.h>

namespace onggi::image {
namespace {

TEST_CASE("short names are Docker Hub's") {
  struct Row {
    const char *given, *full, *host;
  };
  const std::string digest = "sha256:" + std::string(64, 'a');
  const std::string with_digest = "alpine@" + digest;
  const std::string full_digest = "docker.io/library/alpine@" + digest;
  const std::string both = "ghcr.io/a/b:1@" + digest;
  const Row rows[] = {
      {"alpine", "docker.io/library/alpine:latest", "registry-1.docker.io"},
      {"team/app", "docker.io/team/app:latest", "registry-1.docker.io"},
      {"index.docker.io/team/app:1", "docker.io/team/app:1", "registry-1.docker.io"},
      {"docker.io/alpine", "docker.io/library/alpine:latest", "registry-1.docker.io"},
      {"localhost/app", "localhost/app:latest", "localhost"},
      {"host:5000/app:1.2", "host:5000/app:1.2", "host:5000"},
      {"[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000"},
      {"quay.io/a/b/c/d:x_Y-1.2", "quay.io/a/b/c/d:x_Y-1.2", "quay.io"},
      {"quay.io/a__b/c--d.e_f", "quay.io/a__b/c--d.e_f:latest", "quay.io"},
      {with_digest.c_str(), full_digest.c_str(), "registry-1.docker.io"},
      {both.c_str(), both.c_str(), "ghcr.io"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.given);
    const auto reference = parse_reference(row.given);
    REQUIRE(reference);
    CHECK(to_text(reference.value()) == row.full);
    CHECK(host_of(reference.value().registry) == row.host);
  }
}

TEST_CASE("a digest decides over the tag beside it") {
  const std::string digest = "sha256:" + std::string(64, 'a');
  CHECK(parse_reference("ghcr.io/a/b:1@" + digest).value().version() == digest);
  CHECK(parse_reference("ghcr.io/a/b:1").value().version() == "1");
}

TEST_CASE("what is no image name is refused") {
  for (const std::string& wrong : {std::string(""),
                                   std::string("Alpine"),
                                   std::string("a//b"),
                                   std::string("a/"),
                                   std::string("/a"),
                                   std::string("a:"),
                                   std::string("a:.x"),
                                   std::string("a:-x"),
                                   "a:" + std::string(129, 'x'),
                                   std::string("a..b"),
                                   std::string("a___b"),
                                   std::string("a-"),
                                   std::string("../../etc"),
                                   std::string("host:0/a"),
                                   std::string("host:70000/a"),
                                   std::string("ho_st.x/a"),
                                   std::string("-host.x/a"),
                                   std::string("host..x/a"),
                                   std::string("user@host.x/a"),
                                   std::string("[::1/a"),
                                   std::string("a@sha256:abc"),
                                   std::string("a@sha256:../../x"),
                                   std::string("a@md5:") + std::string(32, 'a'),
                                   std::string("host.x/") + std::string(255, 'a'),
                                   std::string("a b"),
                                   std::string("a\n"),
                                   std::string("https://host.x/a")}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_reference(wrong));
  }
}

std::string shown(const std::vector<Challenge>& challenges) {
  std::string text;
  for (const Challenge& challenge : challenges) {
    text += challenge.scheme + "{";
    for (const auto& [name, value] : challenge.parameters) text += name + "=" + value + ";";
    text += "}";
  }
  return text;
}

TEST_CASE("challenges are read as registries write them") {
  struct Row {
    const char *field, *expected;
  };
  const Row rows[] = {
      {R"(Bearer realm="https://a.example/token",service="b c",scope="repository:x:pull,push")",
       "bearer{realm=https://a.example/token;service=b c;scope=repository:x:pull,push;}"},
      {R"(BEARER Realm=https://a.example/t,Service=x)",
       "bearer{realm=https://a.example/t;service=x;}"},
      {R"(Basic realm="a, b", Bearer realm="c" , service="d")",
       "basic{realm=a, b;}bearer{realm=c;service=d;}"},
      {R"(Negotiate, Basic realm="x")", "negotiate{}basic{realm=x;}"},
      {R"(Basic realm="say \"hi\"")", R"(basic{realm=say "hi";})"},
      {R"(Basic realm = "x" , charset = "UTF-8")", "basic{realm=x;charset=UTF-8;}"},
      {R"(Basic realm="never closed)", "basic{realm=never closed;}"},
      {"", ""},
      {R"(="x", Basic)", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.field);
    CHECK(shown(parse_challenges(row.field)) == row.expected);
  }
}

TEST_CASE("the next page is that of rel=next") {
  CHECK(next_link(R"(</v2/a/tags/list?last=x&n=2>; rel="next")") == "/v2/a/tags/list?last=x&n=2");
  CHECK(next_link(R"(<a>; rel=prev, <b>; title="x, y"; REL="last Next")") == "b");
  CHECK(next_link("<a>;rel=next") == "a");
  CHECK_FALSE(next_link("<a>; rel=prev").has_value());
  CHECK_FALSE(next_link("").has_value());
  CHECK_FALSE(next_link("a; rel=next").has_value());
  CHECK_FALSE(next_link("<a").has_value());
}

bool same_origin(const char* one, const char* other) {
  return parse_url(one).value().same_origin(parse_url(other).value());
}

TEST_CASE("an origin is scheme, host and port") {
  CHECK(same_origin("https://a.example/x", "https://A.example:443/y?z"));
  CHECK_FALSE(same_origin("https://a.example/", "http://a.example/"));
  CHECK_FALSE(same_origin("https://a.example/", "https://a.example:8443/"));
  CHECK_FALSE(same_origin("https://a.example/", "https://a.example.evil/"));
  CHECK(same_origin("http://[::1]:5000/a", "http://[0:0:0:0:0:0:0:1]:5000/b"));
}

TEST_CASE("relative targets are resolved, and other schemes refused") {
  const Url base = parse_url("https://a.example/v2/x/blobs/uploads/1?_state=y").value();
  CHECK(resolve_url(base, "/v2/z").value().text == "https://a.example/v2/z");
  CHECK(resolve_url(base, "2?_state=w").value().text ==
        "https://a.example/v2/x/blobs/uploads/2?_state=w");
  CHECK(resolve_url(base, "//b.example/c").value().host == "b.example");
  for (const char* wrong : {"file:///etc/passwd", "ftp://a/b", "gopher://a", "https://u:p@a/b",
                            "https://", "", "https://a b/", "https://a/\r\nHost: b", "x"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_url(wrong));
  }
  CHECK(with_parameter("/a", "digest", "sha256:b") == "/a?digest=sha256%3Ab");
  CHECK(with_parameter("/a?_state=c", "digest", "x y") == "/a?_state=c&digest=x%20y");
}

bool internal(const char* url) {
  return is_internal(parse_url(url).value().host);
}

TEST_CASE("internal addresses are known in all their spellings") {
  for (const char* address :
       {"http://127.0.0.1/", "http://169.254.169.254/", "http://10.1.2.3/", "http://172.31.0.1/",
        "http://192.168.1.1/", "http://100.64.0.1/", "http://0.0.0.0/", "http://2130706433/",
        "http://0x7f.1/", "http://[::1]/", "http://[::]/", "http://[fe80::1]/", "http://[fd00::1]/",
        "http://[::ffff:10.0.0.1]/", "http://localhost/", "http://x.localhost/",
        "http://localhost./"}) {
    CAPTURE(address);
    CHECK(internal(address));
  }
  for (const char* address : {"http://8.8.8.8/", "http://172.32.0.1/", "http://[2001:db8::1]/",
                              "http://a.example/", "http://localhost.example/"}) {
    CAPTURE(address);
    CHECK_FALSE(internal(address));
  }
  CHECK(is_loopback("127.9.9.9"));
  CHECK(is_loopback("[::1]"));
  CHECK_FALSE(is_loopback("10.0.0.1"));
}

}  // namespace
}  // namespace onggi::image
