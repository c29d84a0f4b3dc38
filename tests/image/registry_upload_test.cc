// SPDX-License-Identifier: Apache-2.0
// Blobs and manifests to a registry that breaks off, counts wrongly or takes small bites: what it
// says it has in the end are the bytes that were to be pushed, and no session is left open.
#include "fake_uploads.h"

namespace onggi::image::test {
namespace {

// What requests with bytes there were: "PUT 300000", "PATCH 0-65535".
std::vector<std::string> sent(const FakeRegistry& server) {
  std::vector<std::string> found;
  for (const Received& request : server.received("/uploads/")) {
    if (request.method == "PUT") found.push_back("PUT " + std::to_string(request.body.size()));
    if (request.method == "PATCH") found.push_back("PATCH " + request.headers.at("content-range"));
  }
  return found;
}

struct Push {
  FakeRegistry server;
  FakeUploads uploads;
  TemporaryDirectory directory;
  Client client;

  explicit Push(UploadFaults faults = {}, const std::string& authfile = "/nonexistent",
                long stall_seconds = 30)
      : uploads(server, faults), client(server, authfile, stall_seconds) {}

  Result<> operator()(const std::string& bytes) {
    const UniqueFd file(open(directory.write("bytes", bytes).c_str(), O_RDONLY | O_CLOEXEC));
    return client.registry.push(descriptor_of(bytes), Body{file.get(), 0, bytes.size(), {}});
  }
};

constexpr size_t kMiB = 1u << 20;

TEST_CASE("a blob is pushed by one request with its length and no range") {
  Push push;
  const std::string bytes = noise(300'000);
  CHECK(push(bytes));
  CHECK(push.uploads.has(bytes));
  CHECK(sent(push.server) == std::vector<std::string>{"PUT 300000"});
  const Received put = push.server.received("digest=").at(0);
  CHECK(put.headers.at("content-length") == "300000");
  CHECK(put.headers.at("content-type") == "application/octet-stream");
  CHECK_FALSE(put.has("content-range"));
  CHECK_FALSE(put.has("expect"));
  CHECK(push.server.received("/uploads/").at(0).headers.at("content-length") == "0");
}

TEST_CASE("an empty blob and one in memory are pushed like files") {
  Push push;
  CHECK(push(""));
  CHECK(push.uploads.has(""));
  const std::string bytes = "{}";
  CHECK(push.client.registry.push(descriptor_of(bytes), Body::of_text(bytes)));
  CHECK(push.uploads.has(bytes));
}

TEST_CASE("a registry tells by HEAD whether it has a blob, or else by its first byte") {
  Push push;
  const std::string bytes = noise(1000);
  CHECK_FALSE(push.client.registry.has(descriptor_of(bytes)).value());
  push.uploads.add(bytes);
  CHECK(push.client.registry.has(descriptor_of(bytes)).value());
  for (const int refusal : {405, 501}) {
    FakeRegistry server;
    server.respond([=](const Received& request) -> std::optional<Answer> {
      if (request.method != "HEAD") return std::nullopt;
      return Answer{refusal};
    });
    Client client(server);
    CHECK_FALSE(client.registry.has(descriptor_of(bytes)).value());
    server.add(blob_path(bytes), bytes);
    CHECK(client.registry.has(descriptor_of(bytes)).value());
    CHECK(server.received("/blobs/").back().headers.at("range") == "bytes=0-0");
  }
}

TEST_CASE("a proxy without HEAD and ranges does not make us read the whole blob") {
  FakeRegistry server;
  const std::string bytes = noise(1000);
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.target == "/v2/") return std::nullopt;
    if (request.method == "HEAD") return Answer{405};
    return Answer{.body = bytes, .is_endless = true};
  });
  Client client(server);
  CHECK(client.registry.has(descriptor_of(bytes)).value());
}

TEST_CASE("whether a blob is there is no guess when access is denied") {
  FakeRegistry server;
  server.respond([](const Received& request) -> std::optional<Answer> {
    if (request.target == "/v2/") return std::nullopt;
    return Answer{403};
  });
  Client client(server);
  const auto found = client.registry.has(descriptor_of("x"));
  REQUIRE_FALSE(found);
  CHECK(says(found.error(), "denied access"));
}

TEST_CASE("a blob that is too large for one request goes in chunks") {
  Push push({.largest_body = 4 * kMiB});
  const std::string bytes = noise(9 * kMiB + 1);
  CHECK(push(bytes));
  CHECK(push.uploads.has(bytes));
  CHECK(sent(push.server) == std::vector<std::string>{"PUT 9437185", "PATCH 0-4194303",
                                                      "PATCH 4194304-8388607",
                                                      "PATCH 8388608-9437184", "PUT 0"});
}

TEST_CASE("chunks that are still too large are halved, until it makes no sense") {
  {
    Push push({.largest_body = kMiB});
    const std::string bytes = noise(3 * kMiB);
    CHECK(push(bytes));
    CHECK(push.uploads.has(bytes));
    CHECK(sent(push.server) ==
          std::vector<std::string>{"PUT 3145728", "PATCH 0-3145727", "PATCH 0-1572863",
                                   "PATCH 0-786431", "PATCH 786432-1572863",
                                   "PATCH 1572864-2359295", "PATCH 2359296-3145727", "PUT 0"});
    CHECK(push.uploads.open_sessions() == 0);
  }
  Push push({.largest_body = 1000});
  const Result<> pushed = push(noise(3 * kMiB));
  REQUIRE_FALSE(pushed);
  CHECK(says(pushed.error(), "too large for the registry"));
  CHECK(push.uploads.open_sessions() == 0);
}

TEST_CASE("a registry that names a least chunk gets chunks of its measure") {
  Push push({.least_chunk = 20 * kMiB});
  const std::string bytes = noise(21 * kMiB);
  CHECK(push(bytes));
  CHECK(push.uploads.has(bytes));
  CHECK(sent(push.server) ==
        std::vector<std::string>{"PATCH 0-20971519", "PATCH 20971520-22020095", "PUT 0"});
  Push small({.least_chunk = 20 * kMiB});
  CHECK(small(noise(kMiB)));
  CHECK(sent(small.server) == std::vector<std::string>{"PUT 1048576"});
}

TEST_CASE("an upload that breaks goes on behind what has come") {
  Push push;
  const std::string bytes = noise(3 * kMiB);
  push.server.cut_next_body(kMiB);
  CHECK(push(bytes));
  CHECK(push.uploads.has(bytes));
  CHECK(sent(push.server) ==
        std::vector<std::string>{"PUT 1048576", "PATCH 1048576-3145727", "PUT 0"});
  CHECK(push.client.clock.pauses.size() == 1);
}

TEST_CASE("an upload that stands still is broken off and goes on behind what has come") {
  Push push({}, "/nonexistent", 1);
  const std::string bytes = noise(24 * kMiB);  // more than the sockets hold
  push.server.stall_next_body(kMiB);
  CHECK(push(bytes));
  CHECK(push.uploads.has(bytes));
  CHECK(sent(push.server) == std::vector<std::string>{"PUT 1048576", "PATCH 1048576-17825791",
                                                      "PATCH 17825792-25165823", "PUT 0"});
}

TEST_CASE("a registry that has all bytes of an upload may think longer") {
  FakeRegistry server;
  FakeUploads uploads(server);
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.method == "PUT") std::this_thread::sleep_for(std::chrono::milliseconds(2500));
    return uploads.respond(request);
  });
  Client client(server, "/nonexistent", 1);
  const std::string bytes = noise(kMiB);
  CHECK(client.registry.push(descriptor_of(bytes), Body::of_text(bytes)));
  CHECK(sent(server) == std::vector<std::string>{"PUT 1048576"});
}

TEST_CASE("a registry that cannot say how far it came gets another session, and the old one ends") {
  Push push({.has_no_status = true});
  const std::string bytes = noise(3 * kMiB);
  push.server.cut_next_body(kMiB);
  CHECK(push(bytes));
  CHECK(push.uploads.has(bytes));
  CHECK(sent(push.server) == std::vector<std::string>{"PUT 1048576", "PATCH 0-3145727", "PUT 0"});
  CHECK(push.uploads.open_sessions() == 0);
}

TEST_CASE("a session that is gone is replaced") {
  Push push({.forgets_cut = true});
  const std::string bytes = noise(3 * kMiB);
  push.server.cut_next_body(kMiB);
  CHECK(push(bytes));
  CHECK(push.uploads.has(bytes));
}

TEST_CASE("sessions that go again and again end the push") {
  FakeRegistry server;
  server.respond([](const Received& request) -> std::optional<Answer> {
    if (request.target == "/v2/") return std::nullopt;
    if (request.method == "POST") return Answer{202, {"Location: /v2/team/app/blobs/uploads/1"}};
    return Answer{404, {}, R"({"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"lost"}]})"};
  });
  Client client(server);
  const Result<> pushed = client.registry.push(descriptor_of("x"), Body::of_text("x"));
  REQUIRE_FALSE(pushed);
  CHECK(says(pushed.error(), "BLOB_UPLOAD_UNKNOWN: lost"));
  CHECK(sent(server).size() == 4);
}

TEST_CASE("a blob that arrived although the answer was lost is not sent again") {
  FakeRegistry server;
  FakeUploads uploads(server);
  const std::string bytes = noise(1000);
  server.respond([&](const Received& request) -> std::optional<Answer> {
    auto answer = uploads.respond(request);
    if (request.method == "PUT") return Answer{.status = 504};
    return answer;
  });
  Client client(server);
  CHECK(client.registry.push(descriptor_of(bytes), Body::of_text(bytes)));
  CHECK(sent(server).size() == 1);
}

TEST_CASE("counts of bytes that registries write differently are understood") {
  for (const UploadFaults& faults :
       {UploadFaults{.least_chunk = 100'000, .writes_bytes = true},
        UploadFaults{.least_chunk = 100'000, .stalls_range = true},
        UploadFaults{.least_chunk = 100'000, .most_taken = 7 * kMiB}}) {
    Push push(faults);
    const std::string bytes = noise(20 * kMiB);
    CHECK(push(bytes));
    CHECK(push.uploads.has(bytes));
  }
}

TEST_CASE("a chunk whose place is refused goes where the registry says that it stands") {
  FakeRegistry server;
  FakeUploads uploads(server, {.least_chunk = 1000});
  std::atomic<bool> is_first = true;
  // The first chunk is stored, but the client hears that it was not.
  server.respond([&](const Received& request) -> std::optional<Answer> {
    auto answer = uploads.respond(request);
    if (request.method == "PATCH" && is_first.exchange(false)) answer->status = 416;
    return answer;
  });
  Client client(server);
  const std::string bytes = noise(20 * kMiB);
  CHECK(client.registry.push(descriptor_of(bytes), Body::of_text(bytes)));
  CHECK(uploads.has(bytes));
  CHECK(sent(server) ==
        std::vector<std::string>{"PATCH 0-16777215", "PATCH 16777216-20971519", "PUT 0"});
}

TEST_CASE("the answer to a finished upload must name the blob's digest") {
  Push push({.announces = digest_of("other").text()});
  const Result<> pushed = push("bytes");
  REQUIRE_FALSE(pushed);
  CHECK(says(pushed.error(), "announced " + digest_of("other").text()));
}

TEST_CASE("an error of the registry ends the upload, and the session with it") {
  FakeRegistry server;
  FakeUploads uploads(server);
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.method != "PUT") return uploads.respond(request);
    return Answer{400, {}, R"({"errors":[{"code":"SIZE_INVALID","message":"quota"}]})"};
  });
  Client client(server);
  const Result<> pushed = client.registry.push(descriptor_of("x"), Body::of_text("x"));
  REQUIRE_FALSE(pushed);
  CHECK(says(pushed.error(), digest_of("x").text() + ": the registry answered with status 400"));
  CHECK(uploads.open_sessions() == 0);
}

TEST_CASE("an upload may go to another server, which sees no credentials") {
  FakeRegistry server, storage;
  TemporaryDirectory directory;
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (!request.has("authorization")) return Answer{401, {"WWW-Authenticate: Basic realm=x"}};
    return Answer{202, {"Location: " + storage.url("/put?X-Amz-Signature=abc")}};
  });
  storage.respond([](const Received&) -> std::optional<Answer> { return Answer{201}; });
  Client client(server, directory.write("auth.json", R"({"auths": {")" + server.host() +
                                                         R"(": {"auth": "dXNlcjpzZWNyZXQ="}}})"));
  CHECK(client.registry.push(descriptor_of("x"), Body::of_text("x")));
  REQUIRE(storage.received().size() == 1);
  CHECK_FALSE(storage.received()[0].has("authorization"));
  CHECK(storage.received()[0].target.find("/put?X-Amz-Signature=abc&digest=sha256%3A") == 0);
}

TEST_CASE("an upload is not sent into the own network") {
  FakeRegistry server;
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.method != "POST") return std::nullopt;
    return Answer{202, {"Location: http://169.254.169.254/put"}};
  });
  Client client(server);
  const Result<> pushed = client.registry.push(descriptor_of("x"), Body::of_text("x"));
  REQUIRE_FALSE(pushed);
  CHECK(says(pushed.error(), "internal address http://169.254.169.254/put"));
}

TEST_CASE("a token that runs out while a blob is sent is fetched anew, and the blob sent again") {
  FakeRegistry server;
  FakeUploads uploads(server);
  std::atomic<int> tokens = 0;
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.target.find("/token") == 0)
      return Answer{.body = R"({"token": ")" + std::to_string(++tokens) + "\"}"};
    const bool is_put = request.method == "PUT";
    if (request.has("authorization") &&
        request.headers.at("authorization") == (is_put ? "Bearer 2" : "Bearer 1"))
      return uploads.respond(request);
    return Answer{401, {"WWW-Authenticate: Bearer realm=\"" + server.url("/token") + "\""}};
  });
  Client client(server);
  const std::string bytes = noise(100'000);
  CHECK(client.registry.push(descriptor_of(bytes), Body::of_text(bytes)));
  CHECK(uploads.has(bytes));
  CHECK(server.received("/token").at(0).target ==
        "/token?scope=repository%3Ateam%2Fapp%3Apull%2Cpush");
}

TEST_CASE("a blob of another repository is mounted, with the right to read it in the token") {
  FakeRegistry server;
  FakeUploads uploads(server);
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.target.find("/token") == 0) return Answer{.body = R"({"token": "good"})"};
    if (request.has("authorization")) return uploads.respond(request);
    return Answer{401, {"WWW-Authenticate: Bearer realm=\"" + server.url("/token") + "\""}};
  });
  Client client(server);
  CHECK(client.registry.mount(descriptor_of("x"), "team/base").value());
  CHECK(server.received("/token").at(0).target ==
        "/token?scope=repository%3Ateam%2Fapp%3Apull%2Cpush&scope=repository%3Ateam%2Fbase%3Apull");
  CHECK(server.received("/uploads/").at(0).target == "/v2/team/app/blobs/uploads/?mount=sha256%3A" +
                                                         std::string(digest_of("x").hex()) +
                                                         "&from=team%2Fbase");
}

TEST_CASE("a mount that is refused leaves no session and does not spoil the push") {
  for (const UploadFaults& faults :
       {UploadFaults{.refuses_mount = true}, UploadFaults{.mount_status = 403},
        UploadFaults{.mount_status = 404}}) {
    CAPTURE(faults.mount_status);
    Push push(faults);
    CHECK_FALSE(push.client.registry.mount(descriptor_of("x"), "team/base").value());
    CHECK(push.uploads.open_sessions() == 0);
    CHECK(push("x"));
    CHECK(push.uploads.has("x"));
  }
}

TEST_CASE("after a mount without the right to it, the upload has a token of its own") {
  FakeRegistry server;
  FakeUploads uploads(server);
  server.respond([&](const Received& request) -> std::optional<Answer> {
    const bool is_both = request.target.find("team%2Fbase") != std::string::npos;
    if (request.target.find("/token") == 0)
      return is_both ? Answer{403} : Answer{.body = R"({"token": "good"})"};
    if (request.has("authorization")) return uploads.respond(request);
    return Answer{401,
                  {"WWW-Authenticate: Bearer realm=\"" + server.url("/token") +
                   "\",scope=\"repository:team/app:pull,push repository:team/base:pull\""}};
  });
  Client client(server);
  CHECK_FALSE(client.registry.mount(descriptor_of("x"), "team/base").value());
  CHECK(client.registry.push(descriptor_of("x"), Body::of_text("x")));
  CHECK(uploads.has("x"));
}

}  // namespace
}  // namespace onggi::image::test
