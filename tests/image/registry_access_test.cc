// SPDX-License-Identifier: Apache-2.0
// Who is shown credentials and tokens, and who is not; manifests, tags, retries.
#include "registry_fixture.h"

namespace onggi::image::test {
namespace {

const std::string kManifest =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{)"
    R"("mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":)"
    R"("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]})";
const std::string kType = "Content-Type: application/vnd.oci.image.manifest.v1+json";
const std::string kLatest = "/v2/team/app/manifests/latest";

std::string authfile_for(const TemporaryDirectory& directory, const FakeRegistry& server,
                         const std::string& entry = R"({"auth": "dXNlcjpzZWNyZXQ="})") {
  return directory.write("auth.json", R"({"auths": {")" + server.host() + "\": " + entry + "}}");
}
const std::string kBasic = "Basic dXNlcjpzZWNyZXQ=";

// Wants a token of its own realm for everything; `token` answers there.
FakeRegistry::Respond with_tokens(const std::string& realm, FakeRegistry::Respond token,
                                  const std::string& good = "Bearer good") {
  return [=](const Received& request) -> std::optional<Answer> {
    if (request.target.find("/token") == 0) return token(request);
    if (request.has("authorization") && request.headers.at("authorization") == good)
      return std::nullopt;
    return Answer{401, {"WWW-Authenticate: Bearer realm=\"" + realm + "\",service=\"a b\""}};
  };
}

std::optional<Answer> good_token(const Received&) {
  return Answer{.body = R"({"token": "good"})"};
}

TEST_CASE("a manifest is asked for with all media types, and comes as it was sent") {
  FakeRegistry server;
  server.add(kLatest, kManifest, {kType, "Docker-Content-Digest: " + digest_of(kManifest).text()});
  Client client(server);
  const auto fetched = client.registry.manifest("latest");
  REQUIRE(fetched);
  CHECK(std::get<Manifest>(fetched.value().document).raw == kManifest);
  CHECK(fetched.value().digest == digest_of(kManifest));
  const std::string accept = server.received(kLatest)[0].headers.at("accept");
  for (const char* type : {"oci.image.manifest.v1", "oci.image.index.v1",
                           "distribution.manifest.v2", "distribution.manifest.list.v2"})
    CHECK(accept.find(type) != std::string::npos);
}

TEST_CASE("a manifest that is not what was asked for is refused") {
  FakeRegistry server;
  Client client(server);
  const std::string digest = digest_of("other").text();
  const auto error = [&](const std::string& version) {
    const auto fetched = client.registry.manifest(version);
    REQUIRE_FALSE(fetched);
    return fetched.error();
  };
  server.add("/v2/team/app/manifests/" + digest, kManifest, {kType});
  CHECK(says(error(digest), digest));
  server.add(kLatest, kManifest, {kType, "Docker-Content-Digest: " + digest});
  CHECK(says(error("latest"), "announced " + digest));
  server.add(kLatest, kManifest, {"Content-Type: application/vnd.oci.image.index.v1+json"});
  CHECK(says(error("latest"), "mediaType"));
  server.add(kLatest, "{}", {kType});
  CHECK(says(error("latest"), "neither a manifest nor an index"));
  server.add(kLatest, "", {kType});
  CHECK(says(error("latest"), "is not JSON"));
  CHECK(says(error("missing"), server.host() + "/team/app:missing: not found in the registry"));
}

TEST_CASE("a manifest without end is broken off") {
  FakeRegistry server;
  server.respond([](const Received& request) -> std::optional<Answer> {
    if (request.target != kLatest) return std::nullopt;
    return Answer{200, {kType}, std::string(65536, ' '), {}, false, {}, true};
  });
  Client client(server);
  const auto fetched = client.registry.manifest("latest");
  REQUIRE_FALSE(fetched);
  CHECK(says(fetched.error(), "larger than 4194304 bytes"));
}

TEST_CASE("a header without end is broken off") {
  FakeRegistry server;
  server.respond([](const Received& request) -> std::optional<Answer> {
    if (request.target != kLatest) return std::nullopt;
    return Answer{200, std::vector<std::string>(400, "X: " + std::string(1000, 'x')), kManifest};
  });
  Client client(server);
  CHECK_FALSE(client.registry.manifest("latest"));
}

TEST_CASE("a server that has had too many requests is asked again when it says") {
  struct Row {
    const char* field;
    int64_t pause;
  };
  for (const Row& row :
       {Row{"Retry-After: 7", 7000}, Row{"Retry-After: 100", 60'000}, Row{"Retry-After: 0", 0},
        Row{"Retry-After: Sun, 06 Nov 1994 08:49:47 GMT", 10'000}}) {
    CAPTURE(row.field);
    FakeRegistry server;
    server.add(kLatest, kManifest, {kType});
    auto is_first = std::make_shared<std::atomic<bool>>(true);
    server.respond([=](const Received& request) -> std::optional<Answer> {
      if (request.target != kLatest || !is_first->exchange(false)) return std::nullopt;
      return Answer{429, {row.field}};
    });
    Client client(server);
    CHECK(client.registry.manifest("latest"));
    CHECK(client.clock.pauses == std::vector<int64_t>{row.pause});
  }
}

TEST_CASE("a server that wants to be left alone for an hour is left alone, and the error says so") {
  FakeRegistry server;
  server.respond([](const Received& request) -> std::optional<Answer> {
    if (request.target != kLatest) return std::nullopt;
    return Answer{429, {"Retry-After: 3600"}};
  });
  Client client(server);
  const auto fetched = client.registry.manifest("latest");
  REQUIRE_FALSE(fetched);
  CHECK(says(fetched.error(), "too many requests to the registry, Retry-After: 3600 s"));
  CHECK(client.clock.pauses.empty());
}

TEST_CASE("a page in the place of a manifest is quoted, with its address") {
  FakeRegistry server;
  const std::string page = "<!DOCTYPE html><title>Sign in</title>";
  for (const char* type : {"text/html; charset=utf-8", "application/json", ""}) {
    CAPTURE(type);
    server.add(kLatest, page, {std::string("Content-Type: ") + type});
    Client client(server);
    const auto fetched = client.registry.manifest("latest");
    REQUIRE_FALSE(fetched);
    CHECK(says(fetched.error(), "expected a manifest, but http://" + server.host() + kLatest));
    CHECK(says(fetched.error(), type));
    CHECK(says(fetched.error(), "<!DOCTYPE html><title>Sign in"));
  }
}

TEST_CASE("a server that is out of order is asked five times, with longer and longer pauses") {
  FakeRegistry server;
  server.respond([](const Received& request) -> std::optional<Answer> {
    if (request.target != kLatest) return std::nullopt;
    return Answer{.status = 503};
  });
  Client client(server);
  const auto fetched = client.registry.manifest("latest");
  REQUIRE_FALSE(fetched);
  CHECK(says(fetched.error(), "status 503"));
  CHECK(server.received(kLatest).size() == 5);
  REQUIRE(client.clock.pauses.size() == 4);
  int64_t least = 2000;
  for (int next = 2; next <= 5; ++next) {
    CHECK(client.clock.reasons[static_cast<size_t>(next) - 2].ends_with(
        "status 503, try " + std::to_string(next) + " of 5"));
  }
  for (const int64_t pause : client.clock.pauses) {
    CHECK(pause >= least);
    CHECK(pause <= least * 5 / 4);
    least *= 2;
  }
}

TEST_CASE("400, 403 and 404 are answers, and not asked for again") {
  for (const int status : {400, 403, 404}) {
    FakeRegistry server;
    server.respond([=](const Received& request) -> std::optional<Answer> {
      if (request.target != kLatest) return std::nullopt;
      return Answer{status, {}, R"({"errors":[{"code":"DENIED","message":"no\u001b[31m"}]})"};
    });
    Client client(server);
    const auto fetched = client.registry.manifest("latest");
    REQUIRE_FALSE(fetched);
    CHECK(says(fetched.error(), R"((DENIED: no\x1b[31m))"));
    CHECK(server.received(kLatest).size() == 1);
  }
}

TEST_CASE("a token is fetched once for the scope, without credentials where there are none") {
  FakeRegistry server;
  server.add(kLatest, kManifest, {kType});
  server.respond(with_tokens(server.url("/token"), good_token));
  Client client(server);
  CHECK(client.registry.manifest("latest"));
  CHECK(client.registry.manifest("latest"));
  const auto asked = server.received("/token");
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].target == "/token?service=a%20b&scope=repository%3Ateam%2Fapp%3Apull");
  CHECK_FALSE(asked[0].has("authorization"));
}

TEST_CASE("a token that has run out is fetched anew") {
  FakeRegistry server;
  server.add(kLatest, kManifest, {kType});
  server.respond(with_tokens(server.url("/token"), [](const Received&) -> std::optional<Answer> {
    return Answer{.body = R"({"access_token": "good", "expires_in": 5})"};
  }));
  Client client(server);
  CHECK(client.registry.manifest("latest"));
  client.clock.now += 50'000;  // less than 60 seconds count as 60
  CHECK(client.registry.manifest("latest"));
  CHECK(server.received("/token").size() == 1);
  client.clock.now += 10'000;
  CHECK(client.registry.manifest("latest"));
  CHECK(server.received("/token").size() == 2);
}

TEST_CASE("the realm gets the credentials of the registry, and the registry the token alone") {
  FakeRegistry server;
  TemporaryDirectory directory;
  server.add(kLatest, kManifest, {kType});
  server.respond(with_tokens(server.url("/token"), good_token));
  Client client(server, authfile_for(directory, server));
  CHECK(client.registry.manifest("latest"));
  CHECK(server.received("/token").at(0).headers.at("authorization") == kBasic);
  for (const Received& request : server.received("/v2/"))
    CHECK((!request.has("authorization") || request.headers.at("authorization") == "Bearer good"));
}

TEST_CASE("a token that is refused is changed once, the missing scope first") {
  FakeRegistry server;
  server.add(kLatest, kManifest, {kType});
  server.respond([&](const Received& request) -> std::optional<Answer> {
    const std::string realm = "WWW-Authenticate: Bearer realm=\"" + server.url("/token") + "\"";
    if (request.target.find("/token") == 0) {
      const bool is_more =
          request.target.find("?scope=repository%3Abase%3Apull&") != std::string::npos;
      return Answer{.body = is_more ? R"({"token": "more"})" : R"({"token": "less"})"};
    }
    if (!request.has("authorization")) return Answer{401, {realm}};
    if (request.headers.at("authorization") == "Bearer more") return std::nullopt;
    return Answer{401, {realm + R"(,error="insufficient_scope",scope="repository:base:pull")"}};
  });
  Client client(server);
  CHECK(client.registry.manifest("latest"));
  CHECK(server.received("/token").size() == 2);
}

TEST_CASE("a server that refuses every token is not asked for ever") {
  FakeRegistry server;
  server.respond(with_tokens(server.url("/token"), good_token, "Bearer another"));
  Client client(server);
  const auto fetched = client.registry.manifest("latest");
  REQUIRE_FALSE(fetched);
  CHECK(says(fetched.error(), "rejected the credentials"));
  CHECK(says(fetched.error(), "onggi-image login " + server.host()));
  CHECK(server.received(kLatest).size() == 2);
}

TEST_CASE("a token that would break the header is refused") {
  FakeRegistry server;
  server.respond(with_tokens(server.url("/token"), [](const Received&) -> std::optional<Answer> {
    return Answer{.body = R"({"token": "a\r\nX-Evil: b"})"};
  }));
  Client client(server);
  const auto fetched = client.registry.manifest("latest");
  REQUIRE_FALSE(fetched);
  CHECK(says(fetched.error(), "did not send a token"));
}

TEST_CASE("an identity token is changed by POST, or else the password is used") {
  for (const bool knows_post : {true, false}) {
    CAPTURE(knows_post);
    FakeRegistry server;
    TemporaryDirectory directory;
    server.add(kLatest, kManifest, {kType});
    server.respond(with_tokens(server.url("/token"), [=](const Received& request) {
      const bool is_post = request.method == "POST";
      return is_post && !knows_post ? Answer{.status = 405} : good_token(request);
    }));
    Client client(server, authfile_for(directory, server,
                                       R"({"auth": "dXNlcjpzZWNyZXQ=", "identitytoken": "I=D"})"));
    CHECK(client.registry.manifest("latest"));
    const auto asked = server.received("/token");
    REQUIRE(asked.size() == (knows_post ? 1 : 2));
    CHECK(asked[0].body ==
          "grant_type=refresh_token&refresh_token=I%3DD&client_id=onggi-image&service=a%20b"
          "&scope=repository%3Ateam%2Fapp%3Apull");
    CHECK_FALSE(asked[0].has("authorization"));
    if (!knows_post) CHECK(asked[1].headers.at("authorization") == kBasic);
  }
}

TEST_CASE("a realm inside of the network is not asked") {
  FakeRegistry server;
  TemporaryDirectory directory;
  for (const std::string realm : {"http://169.254.169.254/token", "http://10.0.0.1/token",
                                  "http://localhost/token", "http://[::1]/token"}) {
    CAPTURE(realm);
    server.respond(with_tokens(realm, good_token));
    Client client(server, authfile_for(directory, server));
    const auto fetched = client.registry.manifest("latest");
    REQUIRE_FALSE(fetched);
    CHECK(says(fetched.error(), "requests credentials for the internal address " + realm));
  }
}

TEST_CASE("a realm may redirect, but not into the network, and credentials stay behind") {
  FakeRegistry server, other;
  TemporaryDirectory directory;
  server.add(kLatest, kManifest, {kType});
  std::string target = other.url("/token2");
  server.respond(with_tokens(server.url("/token"), [&](const Received&) -> std::optional<Answer> {
    return Answer{307, {"Location: " + target}};
  }));
  other.add("/token2", R"({"token": "good"})");
  {
    Client client(server, authfile_for(directory, server));
    CHECK(client.registry.manifest("latest"));
    REQUIRE(other.received().size() == 1);
    CHECK_FALSE(other.received()[0].has("authorization"));
  }
  target = "http://169.254.169.254/token";
  Client client(server, authfile_for(directory, server));
  const auto fetched = client.registry.manifest("latest");
  REQUIRE_FALSE(fetched);
  CHECK(says(fetched.error(), "internal address http://169.254.169.254/token"));
}

TEST_CASE("Basic credentials go to the registry that asks for them") {
  FakeRegistry server;
  TemporaryDirectory directory;
  server.add(kLatest, kManifest, {kType});
  std::string wanted = kBasic;
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.has("authorization") && request.headers.at("authorization") == wanted)
      return std::nullopt;
    return Answer{401, {"WWW-Authenticate: Digest realm=\"x\", Basic realm=\"fake\""}};
  });
  {
    Client client(server, authfile_for(directory, server));
    CHECK(client.registry.manifest("latest"));
  }
  wanted = "Basic none";
  Client client(server, authfile_for(directory, server));
  const auto fetched = client.registry.manifest("latest");
  REQUIRE_FALSE(fetched);
  CHECK(says(fetched.error(), server.host() + ": the registry rejected the credentials"));
  Client nobody(server);
  const auto refused = nobody.registry.manifest("latest");
  REQUIRE_FALSE(refused);
  CHECK(says(refused.error(), "onggi-image login " + server.host()));
}

TEST_CASE("another port of the host sees no credentials, nor does the way back") {
  FakeRegistry server, other;
  TemporaryDirectory directory;
  server.add("/v2/back", kManifest, {kType});
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.target == "/v2/back") return std::nullopt;
    if (!request.has("authorization")) return Answer{401, {"WWW-Authenticate: Basic realm=x"}};
    if (request.target == kLatest) return Answer{307, {"Location: " + other.url("/x")}};
    return std::nullopt;
  });
  other.respond([&](const Received&) -> std::optional<Answer> {
    return Answer{302, {"Location: " + server.url("/v2/back")}};
  });
  Client client(server, authfile_for(directory, server));
  CHECK(client.registry.manifest("latest"));
  REQUIRE(other.received().size() == 1);
  CHECK_FALSE(other.received()[0].has("authorization"));
  REQUIRE(server.received("/v2/back").size() == 1);
  CHECK_FALSE(server.received("/v2/back")[0].has("authorization"));
}

TEST_CASE("credentials follow a redirect within the registry") {
  FakeRegistry server;
  TemporaryDirectory directory;
  server.add("/v2/there", kManifest, {kType});
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (!request.has("authorization")) return Answer{401, {"WWW-Authenticate: Basic realm=x"}};
    if (request.target == kLatest) return Answer{307, {"Location: /v2/there"}};
    return std::nullopt;
  });
  Client client(server, authfile_for(directory, server));
  CHECK(client.registry.manifest("latest"));
}

TEST_CASE("a redirect in a circle ends, and one to a file is none") {
  FakeRegistry server;
  Client client(server);
  const auto error_after = [&](const std::string& target) {
    server.respond([=](const Received& request) -> std::optional<Answer> {
      if (request.target != kLatest) return std::nullopt;
      return Answer{307, {"Location: " + target}};
    });
    const auto fetched = client.registry.manifest("latest");
    REQUIRE_FALSE(fetched);
    return fetched.error();
  };
  CHECK(says(error_after(kLatest), "more than 10 redirects"));
  CHECK(says(error_after("file:///etc/passwd"), "must begin with http or https"));
}

TEST_CASE("all pages of the list of tags are read") {
  FakeRegistry server;
  server.add("/v2/team/app/tags/list", R"({"name":"team/app","tags":["a","b"]})",
             {R"(Link: </v2/team/app/tags/list?last=b>; rel="next")"});
  server.add("/v2/team/app/tags/list?last=b", R"({"tags":null})",
             {R"(Link: <?last=c>; rel="next")"});
  server.add("/v2/team/app/tags/list?last=c", R"({"tags":["d"]})");
  Client client(server);
  const auto tags = client.registry.tags();
  REQUIRE(tags);
  CHECK(tags.value() == std::vector<std::string>{"a", "b", "d"});
}

TEST_CASE("a list of tags that goes on at another server is refused") {
  FakeRegistry server, other;
  server.add("/v2/team/app/tags/list", R"({"tags":["a"]})",
             {"Link: <" + other.url("/") + ">; rel=\"next\""});
  Client client(server);
  const auto tags = client.registry.tags();
  REQUIRE_FALSE(tags);
  CHECK(says(tags.error(), "a different server"));
  CHECK(other.received().empty());
}

TEST_CASE("a registry that nobody serves is one clear error") {
  std::string host;
  { host = FakeRegistry().host(); }
  HttpLibrary library;
  TestClock clock;
  Access access(parse_reference(host + "/a").value(), {{{}, 30}, {{}, 5}, false}, clock);
  Registry registry(access);
  const auto fetched = registry.manifest("latest");
  REQUIRE_FALSE(fetched);
  CHECK(says(fetched.error(), "http://" + host + "/v2/"));
  CHECK(clock.pauses.empty());
}

}  // namespace
}  // namespace onggi::image::test
