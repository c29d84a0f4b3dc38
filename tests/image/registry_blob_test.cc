// SPDX-License-Identifier: Apache-2.0
// Blobs from a registry that breaks off, lies or dawdles: what is published has the right digest,
// and what has come is not asked for again.
#include "registry_fetch.h"

namespace onggi::image::test {
namespace {

TEST_CASE("a blob is published when its digest is right") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(300'000);
  server.add(blob_path(bytes), bytes);
  Client client(server);
  const Fetch fetched = fetch(client, directory, descriptor_of(bytes), bytes);
  CHECK_FALSE(fetched.error);
  CHECK(fetched.is_there);
  CHECK_FALSE(fetched.has_partial);
  CHECK_FALSE(server.received("/blobs/")[0].has("accept-encoding"));
}

TEST_CASE("an empty blob needs no request") {
  FakeRegistry server;
  TemporaryDirectory directory;
  Client client(server);
  CHECK(fetch(client, directory, descriptor_of(""), "").is_there);
  CHECK(server.received("/blobs/").empty());
}

TEST_CASE("a blob whose connection breaks goes on where it ended") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(300'000);
  server.add(blob_path(bytes), bytes);
  answer_first(server, {.body = bytes, .sent = 100'000});
  Client client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
  const auto requests = server.received("/blobs/");
  REQUIRE(requests.size() == 2);
  CHECK(requests[1].headers.at("range") == "bytes=100000-");
}

TEST_CASE("a blob that ends early without an error goes on as well") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(300'000);
  server.add(blob_path(bytes), bytes);
  answer_first(server, {.body = bytes.substr(0, 100'000), .is_chunked = true});
  Client client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
  CHECK(server.received("/blobs/").at(1).headers.at("range") == "bytes=100000-");
}

TEST_CASE("what a failed pull has got is not asked for by the next one") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(300'000);
  answer_first(server, {.body = bytes, .sent = 200'000});  // and 404 from then on
  {
    Client client(server);
    const Fetch fetched = fetch(client, directory, descriptor_of(bytes), bytes);
    REQUIRE(fetched.error);
    CHECK(says(*fetched.error, "not found in the registry (NAME_UNKNOWN: not here)"));
    CHECK_FALSE(fetched.is_there);
    CHECK(fetched.has_partial);
  }
  server.add(blob_path(bytes), bytes);
  Client client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
  CHECK(server.received("/blobs/").back().headers.at("range") == "bytes=200000-");
}

TEST_CASE("a server without ranges sends all of it again") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(300'000);
  directory.write("sha256-" + std::string(digest_of(bytes).hex()), bytes.substr(0, 1000));
  answer_always(server, {.body = bytes});
  Client client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
}

TEST_CASE("a partial file with wrong bytes costs one more pull and is never published") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(300'000);
  server.add(blob_path(bytes), bytes);
  directory.write("sha256-" + std::string(digest_of(bytes).hex()), std::string(1000, 'x'));
  Client client(server);
  const Fetch first = fetch(client, directory, descriptor_of(bytes), bytes);
  REQUIRE(first.error);
  CHECK(says(*first.error, "has the digest sha256:"));
  CHECK_FALSE(first.is_there);
  CHECK_FALSE(first.has_partial);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
}

TEST_CASE("a 416 whose body never comes makes the blob start again") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(300'000);
  server.add(blob_path(bytes), bytes);
  directory.write("sha256-" + std::string(digest_of(bytes).hex()), bytes.substr(0, 1000));
  answer_first(
      server,
      {.status = 416, .body = std::string(1000, 'x'), .announced = 300'000, .is_slow = true});
  Client client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
}

TEST_CASE("another range than was asked for is refused") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(300'000);
  directory.write("sha256-" + std::string(digest_of(bytes).hex()), bytes.substr(0, 1000));
  answer_always(server, {206, {"Content-Range: bytes 0-299999/300000"}, bytes});
  Client client(server);
  const Fetch fetched = fetch(client, directory, descriptor_of(bytes), bytes);
  REQUIRE(fetched.error);
  CHECK(says(*fetched.error, "asked for bytes 1000-299999/300000"));
  CHECK_FALSE(fetched.is_there);
}

TEST_CASE("a length that is not the descriptor's is refused before any byte") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(1000);
  answer_always(server, {.body = noise(2000)});
  Client client(server);
  const Fetch fetched = fetch(client, directory, descriptor_of(bytes), bytes);
  REQUIRE(fetched.error);
  CHECK(says(*fetched.error, "sent 2000 bytes instead of the 1000"));
  CHECK_FALSE(fetched.is_there);
}

TEST_CASE("a body that does not end is broken off behind the descriptor's size") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(1000);
  answer_always(server, {.body = bytes, .is_endless = true});
  Client client(server);
  const Fetch fetched = fetch(client, directory, descriptor_of(bytes), bytes);
  REQUIRE(fetched.error);
  CHECK(says(*fetched.error, "longer than the 1000 bytes"));
  CHECK_FALSE(fetched.is_there);
}

TEST_CASE("wrong bytes of the right size are thrown away") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(1000);
  answer_always(server, {.body = std::string(1000, 'x')});
  Client client(server);
  const Fetch fetched = fetch(client, directory, descriptor_of(bytes), bytes);
  REQUIRE(fetched.error);
  CHECK(says(*fetched.error, digest_of(bytes).text()));
  CHECK_FALSE(fetched.is_there);
  CHECK_FALSE(fetched.has_partial);
}

TEST_CASE("a blob that is missing is looked for once more after a second") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(1000);
  server.add(blob_path(bytes), bytes);
  answer_first(server, {.status = 404});
  Client client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
  CHECK(client.clock.pauses == std::vector<int64_t>{1000});
}

TEST_CASE("a server that sends a byte now and then is given up") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(100'000);
  answer_always(server, {.body = bytes, .is_slow = true});
  Client client(server, "/nonexistent", 1);
  const Fetch fetched = fetch(client, directory, descriptor_of(bytes), bytes);
  REQUIRE(fetched.error);
  CHECK(says(*fetched.error, "too slow"));
  CHECK(server.received("/blobs/").size() == 5);
  CHECK(fetched.has_partial);
}

TEST_CASE("a transfer that stands still is broken off and goes on where it ended") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(300'000);
  server.add(blob_path(bytes), bytes);
  answer_first(server, {.body = bytes, .sent = 100'000, .stalls = true});
  Client client(server, "/nonexistent", 1);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
  CHECK(server.received("/blobs/").at(1).headers.at("range") == "bytes=100000-");
}

TEST_CASE("less than the range that was asked for is taken, and the rest asked for again") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(300'000);
  server.add(blob_path(bytes), bytes);
  directory.write("sha256-" + std::string(digest_of(bytes).hex()), bytes.substr(0, 1000));
  answer_first(server, {206, {"Content-Range: bytes 1000-1999/300000"}, bytes.substr(1000, 1000)});
  Client client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
  CHECK(server.received("/blobs/").at(1).headers.at("range") == "bytes=2000-");
}

TEST_CASE("a registry that goes away in the middle is waited for") {
  TemporaryDirectory directory;
  const std::string bytes = noise(1000);
  std::optional<FakeRegistry> server(std::in_place);
  Client client(*server);
  REQUIRE(client.registry.check_credentials());
  server.reset();
  const Fetch fetched = fetch(client, directory, descriptor_of(bytes), bytes);
  REQUIRE(fetched.error);
  CHECK(client.clock.pauses.size() == 4);
}

TEST_CASE("a blob behind a redirect is asked for at the registry again when it breaks") {
  FakeRegistry server, storage;
  TemporaryDirectory directory;
  const std::string bytes = noise(300'000);
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
    return Answer{307, {"Location: " + storage.url("/presigned?X-Amz-Signature=abc")}};
  });
  storage.add("/presigned?X-Amz-Signature=abc", bytes);
  auto is_first = std::make_shared<std::atomic<bool>>(true);
  storage.respond([=](const Received&) -> std::optional<Answer> {
    if (!is_first->exchange(false)) return std::nullopt;
    return Answer{.body = bytes, .sent = 1000};
  });
  Client client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
  CHECK(server.received("/blobs/").size() == 2);
  CHECK(storage.received().at(1).headers.at("range") == "bytes=1000-");
}

TEST_CASE("a storage server's own token is fetched for anybody, once, and never with credentials") {
  FakeRegistry server, storage;
  TemporaryDirectory directory, blobs;
  const std::string one = noise(1000), other = noise(2000);
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (!request.has("authorization")) return Answer{401, {"WWW-Authenticate: Basic realm=x"}};
    if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
    return Answer{307, {"Location: " + storage.url("/s" + request.target)}};
  });
  for (const std::string& bytes : {one, other}) storage.add("/s" + blob_path(bytes), bytes);
  storage.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.target.find("/token") == 0) return Answer{.body = R"({"token": "anybody"})"};
    if (request.has("authorization") && request.headers.at("authorization") == "Bearer anybody")
      return std::nullopt;
    return Answer{401,
                  {"WWW-Authenticate: Bearer realm=\"" + storage.url("/token") +
                   "\",service=\"s\",scope=\"repository:a:pull\""}};
  });
  Client client(server, directory.write("auth.json", R"({"auths": {")" + server.host() +
                                                         R"(": {"auth": "dXNlcjpzZWNyZXQ="}}})"));
  CHECK(fetch(client, blobs, descriptor_of(one), one).is_there);
  CHECK(fetch(client, TemporaryDirectory(), descriptor_of(other), other).is_there);
  const auto asked = storage.received("/token");
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].target == "/token?service=s&scope=repository%3Aa%3Apull");
  CHECK_FALSE(asked[0].has("authorization"));
  for (const Received& request : storage.received("/s/")) {
    CHECK(
        (!request.has("authorization") || request.headers.at("authorization") == "Bearer anybody"));
  }
}

TEST_CASE("a storage server that wants credentials, or a token from the network, is refused") {
  struct Row {
    const char *challenge, *message;
  };
  for (const Row& row :
       {Row{"Basic realm=x", "which answered with status 401"},
        Row{"Bearer realm=\"http://169.254.169.254/token\"",
            "requests credentials for the internal address http://169.254.169.254/token"}}) {
    CAPTURE(row.challenge);
    FakeRegistry server, storage;
    TemporaryDirectory directory, blobs;
    const std::string bytes = noise(1000);
    server.respond([&](const Received& request) -> std::optional<Answer> {
      if (!request.has("authorization")) return Answer{401, {"WWW-Authenticate: Basic realm=x"}};
      if (request.target.find("/blobs/") == std::string::npos) return std::nullopt;
      return Answer{307, {"Location: " + storage.url("/s?X-Amz-Signature=abc")}};
    });
    storage.respond([&](const Received&) -> std::optional<Answer> {
      return Answer{401, {std::string("WWW-Authenticate: ") + row.challenge}};
    });
    Client client(server, directory.write("auth.json", R"({"auths": {")" + server.host() +
                                                           R"(": {"auth": "dXNlcjpzZWNyZXQ="}}})"));
    const Fetch fetched = fetch(client, blobs, descriptor_of(bytes), bytes);
    REQUIRE(fetched.error);
    CHECK(says(*fetched.error, row.message));
    CHECK(text_of(*fetched.error).find("X-Amz") == std::string::npos);
    REQUIRE(storage.received().size() == 1);
    CHECK_FALSE(storage.received()[0].has("authorization"));
  }
}

TEST_CASE("a foreign layer's address is asked after the registry, and without credentials") {
  FakeRegistry server, elsewhere;
  TemporaryDirectory directory;
  const std::string bytes = noise(1000);
  Descriptor descriptor = descriptor_of(bytes);
  descriptor.urls = {elsewhere.url("/layer")};
  elsewhere.add("/layer", bytes);
  server.respond([](const Received& request) -> std::optional<Answer> {
    if (request.has("authorization")) return std::nullopt;
    return Answer{401, {"WWW-Authenticate: Basic realm=\"fake\""}};
  });
  const std::string authfile = directory.write(
      "auth.json", R"({"auths": {")" + server.host() + R"(": {"auth": "dXNlcjpzZWNyZXQ="}}})");
  TemporaryDirectory blobs;
  Client client(server, authfile);
  CHECK(fetch(client, blobs, descriptor, bytes).is_there);
  CHECK(server.received("/blobs/").back().headers.at("authorization") == "Basic dXNlcjpzZWNyZXQ=");
  REQUIRE(elsewhere.received().size() == 1);
  CHECK_FALSE(elsewhere.received()[0].has("authorization"));
}

TEST_CASE("a foreign layer's address in the own network is not asked") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(1000);
  Descriptor descriptor = descriptor_of(bytes);
  descriptor.urls = {"http://169.254.169.254/latest/meta-data"};
  Client client(server);
  const Fetch fetched = fetch(client, directory, descriptor, bytes);
  REQUIRE(fetched.error);
  CHECK(says(*fetched.error, "internal address http://169.254.169.254/"));
}

}  // namespace
}  // namespace onggi::image::test
