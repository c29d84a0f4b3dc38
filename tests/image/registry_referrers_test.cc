// SPDX-License-Identifier: Apache-2.0
// Manifests to a registry, and what is said of them there: subjects and their referrers, HEAD,
// removal.
#include "registry_fixture.h"

namespace onggi::image::test {
namespace {

const std::string kConfig =
    R"("config":{"mediaType":"application/vnd.example.config","size":2,"digest":)"
    R"("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"})";
const std::string kManifest =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)" + kConfig +
    R"(,"layers":[]})";
const Digest kSubject = digest_of(kManifest);
const std::string kSignature =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)" + kConfig +
    R"(,"layers":[],"annotations":{"by":"me"},"subject":{"mediaType":)"
    R"("application/vnd.oci.image.manifest.v1+json","size":1,"digest":")" +
    kSubject.text() + "\"}}";
const std::string kManifests = "/v2/team/app/manifests/";
const std::string kReferrersTag = kManifests + "sha256-" + std::string(kSubject.hex());
const std::string kReferrers = "/v2/team/app/referrers/" + kSubject.text();

Document document(const std::string& bytes) {
  return parse_document(bytes, "").value();
}

// Takes manifests by PUT; `headers` are in its answers.
void take_manifests(FakeRegistry& server, std::vector<std::string> headers = {}) {
  server.respond([&server, headers](const Received& request) -> std::optional<Answer> {
    if (request.method != "PUT") return std::nullopt;
    server.add(request.target, request.body,
               {"Content-Type: " + request.headers.at("content-type"), "Etag: \"1\""});
    return Answer{201, headers};
  });
}

std::string entry(const std::string& digest, const std::string& type) {
  return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","size":3,"digest":")" +
         digest + R"(","artifactType":")" + type + "\"}";
}

std::string index_of(const std::string& entries) {
  return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",)"
         R"("manifests":[)" +
         entries + "]}";
}

TEST_CASE("a manifest is pushed as the bytes that it is, with its media type") {
  FakeRegistry server;
  take_manifests(server, {"Docker-Content-Digest: " + kSubject.text()});
  Client client(server);
  for (const std::string& version : {std::string("latest"), kSubject.text()}) {
    const auto missing = client.registry.push(document(kManifest), version);
    REQUIRE(missing);
    CHECK(missing.value().empty());
    const Received put = server.received(kManifests + version).at(0);
    CHECK(put.body == kManifest);
    CHECK(put.headers.at("content-type") == "application/vnd.oci.image.manifest.v1+json");
    CHECK_FALSE(put.has("if-match"));
  }
  CHECK_FALSE(client.registry.push(document(kManifest), digest_of("other").text()));
}

TEST_CASE("a registry that has stored another manifest is caught") {
  FakeRegistry server;
  take_manifests(server, {"Docker-Content-Digest: " + digest_of("other").text()});
  Client client(server);
  const auto pushed = client.registry.push(document(kManifest), "latest");
  REQUIRE_FALSE(pushed);
  CHECK(says(pushed.error(), "announced " + digest_of("other").text()));
}

TEST_CASE("the blobs that a registry misses are named, or all are when it does not say") {
  FakeRegistry server;
  std::string detail = R"({"digest":")" + digest_of("x").text() + "\"}";
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.method != "PUT") return std::nullopt;
    return Answer{
        400, {}, R"({"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","detail":)" + detail + "}]}"};
  });
  Client client(server);
  CHECK(client.registry.push(document(kManifest), "a").value() ==
        std::vector<Digest>{digest_of("x")});
  detail = "null";
  CHECK(client.registry.push(document(kManifest), "a").value() ==
        std::vector<Digest>{digest_of("{}")});
}

TEST_CASE("a registry that knows referrers needs no tag for them") {
  FakeRegistry server;
  take_manifests(server, {"OCI-Subject: " + kSubject.text()});
  Client client(server);
  CHECK(client.registry.push(document(kSignature), "signature"));
  CHECK(server.received(kReferrersTag).empty());
}

TEST_CASE("for a registry that does not know referrers, they are listed under a tag, each once") {
  FakeRegistry server;
  take_manifests(server);
  Client client(server);
  CHECK(client.registry.push(document(kSignature), "signature"));
  CHECK(client.registry.push(document(kSignature), digest_of(kSignature).text()));
  const auto puts = [&] {
    std::vector<Received> found = server.received(kReferrersTag);
    std::erase_if(found, [](const Received& request) { return request.method != "PUT"; });
    return found;
  };
  REQUIRE(puts().size() == 1);
  CHECK(puts()[0].body ==
        R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",)"
        R"("manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
            digest_of(kSignature).text() + R"(","size":)" + std::to_string(kSignature.size()) +
            R"(,"artifactType":"application/vnd.example.config","annotations":{"by":"me"}}]})");
  const auto referrers = client.registry.referrers(kSubject, "");
  REQUIRE(referrers);
  REQUIRE(referrers.value().size() == 1);
  CHECK(referrers.value()[0].digest == digest_of(kSignature));
}

TEST_CASE("a list of referrers keeps what others have written into it") {
  FakeRegistry server;
  server.add(kReferrersTag,
             R"({"schemaVersion":2,"x":1,"mediaType":"application/vnd.oci.image.index.v1+json",)"
             R"("manifests":[{"y":2,"mediaType":"a/b","size":3,"digest":")" +
                 digest_of("x").text() + R"("}]})",
             {"Content-Type: application/vnd.oci.image.index.v1+json", "Etag: \"abc\""});
  take_manifests(server);
  Client client(server);
  CHECK(client.registry.push(document(kSignature), "signature"));
  const Received put = server.received(kReferrersTag).back();
  CHECK(put.headers.at("if-match") == "\"abc\"");
  CHECK(put.body.find(R"("x":1)") != std::string::npos);
  CHECK(put.body.find(R"({"y":2,"mediaType":"a/b","size":3,"digest":")" + digest_of("x").text()) !=
        std::string::npos);
  CHECK(put.body.find(digest_of(kSignature).text()) != std::string::npos);
}

TEST_CASE("a list of referrers that changes at the same time is read again") {
  FakeRegistry server;
  std::atomic<int> puts = 0;
  server.add(kReferrersTag, index_of(""), {"Etag: \"1\""});
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.method != "PUT") return std::nullopt;
    return Answer{request.target == kReferrersTag && ++puts < 3 ? 412 : 201};
  });
  Client client(server);
  CHECK(client.registry.push(document(kSignature), "signature"));
  CHECK(puts == 3);
}

TEST_CASE("a tag in the place of the list of referrers is not overwritten") {
  FakeRegistry server;
  take_manifests(server);
  server.add(kReferrersTag, kManifest);
  Client client(server);
  const auto pushed = client.registry.push(document(kSignature), "signature");
  REQUIRE_FALSE(pushed);
  CHECK(says(pushed.error(), "is a manifest where an index must be"));
}

TEST_CASE("referrers come in pages, and are filtered whoever does it") {
  FakeRegistry server;
  const std::string first = digest_of("1").text(), second = digest_of("2").text();
  const std::string next = kReferrers + "?artifactType=a%2Fsig&last=1";
  server.add(kReferrers + "?artifactType=a%2Fsig", index_of(entry(first, "a/sig")),
             {"Link: <" + next + ">; rel=\"next\"", "OCI-Filters-Applied: artifactType"});
  server.add(next, index_of(entry(second, "a/sbom") + "," + entry(second, "a/sig")));
  Client client(server);
  const auto found = client.registry.referrers(kSubject, "a/sig");
  REQUIRE(found);
  REQUIRE(found.value().size() == 2);
  CHECK(found.value()[0].digest.text() == first);
  CHECK(found.value()[1].artifact_type == "a/sig");
}

TEST_CASE("an image without referrers has none, whatever the registry knows") {
  FakeRegistry server;
  Client client(server);
  CHECK(client.registry.referrers(kSubject, "").value().empty());
  server.add(kReferrers, index_of(""));
  CHECK(client.registry.referrers(kSubject, "").value().empty());
  server.add(kReferrers, "<html>");
  CHECK_FALSE(client.registry.referrers(kSubject, ""));
}

TEST_CASE("what a tag is, is asked by HEAD, and by GET where HEAD does not tell") {
  struct Row {
    int status;
    std::vector<std::string> headers;
    size_t requests;
  };
  const std::string type = "Content-Type: application/vnd.oci.image.manifest.v1+json";
  for (const Row& row : {Row{200, {type, "Docker-Content-Digest: " + kSubject.text()}, 1},
                         Row{200, {type}, 2}, Row{405, {}, 2}, Row{404, {}, 2}}) {
    CAPTURE(row.status);
    FakeRegistry server;
    server.add(kManifests + "latest", kManifest, {type});
    server.respond([&](const Received& request) -> std::optional<Answer> {
      if (request.method != "HEAD") return std::nullopt;
      return Answer{row.status, row.headers, kManifest};
    });
    Client client(server);
    const auto found = client.registry.find("latest");
    REQUIRE(found);
    REQUIRE(found.value());
    CHECK(found.value()->digest == kSubject);
    CHECK(found.value()->size == kManifest.size());
    CHECK(found.value()->media_type == "application/vnd.oci.image.manifest.v1+json");
    CHECK(server.received(kManifests).size() == row.requests);
  }
}

TEST_CASE("a tag that is not there is not there; one that may not be seen is an error") {
  FakeRegistry server;
  Client client(server);
  CHECK_FALSE(client.registry.find("missing").value());
  server.respond([](const Received& request) -> std::optional<Answer> {
    return request.target == "/v2/" ? std::nullopt : std::optional(Answer{403});
  });
  CHECK_FALSE(client.registry.find("missing"));
}

TEST_CASE("what is removed is taken out of its subject's list, which keeps the rest") {
  FakeRegistry server;
  const std::string digest = digest_of(kSignature).text();
  take_manifests(server);
  server.add(kManifests + digest, kSignature);
  server.add(kReferrersTag,
             R"({"x":1,)" + index_of(entry(digest_of("x").text(), "a/b") + "," +
                                     entry(digest, "a/sig") + "," + entry(digest, "a/sig"))
                                .substr(1),
             {"Etag: \"abc\""});
  Client client(server);
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.method == "GET") return std::nullopt;
    return Answer{request.method == "PUT" ? 201 : 202};
  });
  CHECK(client.registry.remove(digest));
  const std::vector<Received> requests = server.received(kManifests);
  REQUIRE(requests.size() == 4);
  CHECK(requests[1].method == "DELETE");
  const Received& put = requests[3];
  CHECK(put.method == "PUT");
  CHECK(put.target == kReferrersTag);
  CHECK(put.headers.at("if-match") == "\"abc\"");
  CHECK(put.body.find(R"("x":1)") != std::string::npos);
  CHECK(put.body.find(digest_of("x").text()) != std::string::npos);
  CHECK(put.body.find(digest) == std::string::npos);
}

TEST_CASE("a list of referrers is left alone when there is nothing to take out") {
  const std::string digest = digest_of(kSignature).text();
  struct Row {
    const char* name;
    bool is_there, knows_referrers, is_tag;
    int status;
    bool is_listed;
  };
  for (const Row& row : {Row{"the registry knows referrers", true, true, false, 202, true},
                         Row{"a tag alone is removed", true, false, true, 202, true},
                         Row{"it is not listed", true, false, false, 202, false},
                         Row{"it is not removed", true, false, false, 405, true},
                         Row{"it is not there", false, false, false, 404, true}}) {
    CAPTURE(row.name);
    FakeRegistry server;
    if (row.is_there) server.add(kManifests + digest, kSignature);
    if (row.knows_referrers) server.add(kReferrers, index_of(""));
    server.add(kReferrersTag, index_of(row.is_listed ? entry(digest, "a/sig") : ""));
    server.respond([&](const Received& request) -> std::optional<Answer> {
      if (request.method != "DELETE") return std::nullopt;
      return Answer{row.status};
    });
    Client client(server);
    CHECK(bool(client.registry.remove(row.is_tag ? "signature" : digest)) == (row.status == 202));
    for (const Received& request : server.received(kManifests)) CHECK(request.method != "PUT");
  }
}

TEST_CASE("a list that cannot be changed is told after the removal") {
  FakeRegistry server;
  const std::string digest = digest_of(kSignature).text();
  server.add(kManifests + digest, kSignature);
  server.add(kReferrersTag, index_of(entry(digest, "a/sig")));
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.method == "GET") return std::nullopt;
    return Answer{request.method == "PUT" ? 403 : 202};
  });
  Client client(server);
  const Result<> removed = client.registry.remove(digest);
  REQUIRE_FALSE(removed);
  CHECK(says(removed.error(),
             "the manifest is removed, but is still in the referrers list of its subject"));
  CHECK(says(removed.error(), "denied access"));
}

TEST_CASE("a tag is removed, or the registry's refusal explained") {
  FakeRegistry server;
  int status = 202;
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.method != "DELETE") return std::nullopt;
    return Answer{status};
  });
  Client client(server);
  CHECK(client.registry.remove("old"));
  CHECK(server.received(kManifests).back().target == kManifests + "old");
  status = 405;
  const Result<> removed = client.registry.remove("old");
  REQUIRE_FALSE(removed);
  CHECK(says(removed.error(), "does not support deletion, or only by digest"));
}

}  // namespace
}  // namespace onggi::image::test
