// SPDX-License-Identifier: Apache-2.0
// Large blobs over several connections when one is slow. The clock is the test's: the streams are
// slow because a second goes by at each look at it.
#include "registry_fetch.h"

#include <algorithm>

namespace onggi::image::test {
namespace {

constexpr size_t kMiB = 1u << 20;
const std::string kRanges = "Accept-Ranges: bytes";

struct SlowClient : Client {
  explicit SlowClient(const FakeRegistry& server) : Client(server) { clock.step = 1000; }
};

bool is_part(const Received& request) {
  return request.has("range") && !request.headers.at("range").ends_with('-');
}

std::vector<std::string> parts_of(const FakeRegistry& server) {
  std::vector<std::string> found;
  for (const Received& request : server.received("/blobs/")) {
    if (is_part(request)) found.push_back(request.headers.at("range").substr(6));
  }
  return found;
}

// `answer` for parts whose place is behind `place`; all else from the table.
void answer_parts_behind(FakeRegistry& server, size_t place, const Answer& answer) {
  server.respond([=](const Received& request) -> std::optional<Answer> {
    if (!is_part(request) || std::stoul(request.headers.at("range").substr(6)) < place)
      return std::nullopt;
    return answer;
  });
}

TEST_CASE("a large blob that comes slowly is fetched over several connections") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(12 * kMiB + 17);
  server.add(blob_path(bytes), bytes, {kRanges});
  SlowClient client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
  std::vector<std::string> parts = parts_of(server);
  REQUIRE(parts.size() >= 11);
  std::ranges::sort(parts, {}, [](const std::string& part) { return std::stoul(part); });
  for (size_t i = 1; i < parts.size(); ++i) {
    const size_t end = std::stoul(parts[i - 1].substr(parts[i - 1].find('-') + 1));
    CHECK(std::stoul(parts[i]) == end + 1);
  }
  CHECK(parts.back().ends_with("-" + std::to_string(bytes.size() - 1)));
  CHECK(server.most_connections() <= 5);  // with the one of the stream, while it is being closed
}

TEST_CASE("a blob that comes fast, or is small, is one stream") {
  for (const bool is_small : {true, false}) {
    FakeRegistry server;
    TemporaryDirectory directory;
    const std::string bytes = noise(is_small ? 3 * kMiB : 12 * kMiB);
    server.add(blob_path(bytes), bytes, {kRanges});
    Client client(server);
    if (is_small) client.clock.step = 1000;
    CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
    CHECK(server.received("/blobs/").size() == 1);
  }
}

TEST_CASE("a slow blob of a server that does not speak of ranges is one stream") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(12 * kMiB);
  server.add(blob_path(bytes), bytes);
  SlowClient client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
  CHECK(server.received("/blobs/").size() == 1);
}

TEST_CASE("a part that does not come makes the blob go on as one stream") {
  const std::string bytes = noise(12 * kMiB);
  const Answer full = {.body = bytes};
  const Answer elsewhere = {
      206, {"Content-Range: bytes 0-9/" + std::to_string(bytes.size())}, bytes.substr(0, 10)};
  const Answer broken = {206, {}, std::string(1000, 'x'), 2000};
  struct Row {
    const char* name;
    Answer answer;
  };
  for (const Row& row : {Row{"a server without ranges", full}, Row{"another range", elsewhere},
                         Row{"no range at all", broken}, Row{"too many requests", {.status = 429}},
                         Row{"gone", {.status = 404}}}) {
    CAPTURE(row.name);
    FakeRegistry server;
    TemporaryDirectory directory;
    server.add(blob_path(bytes), bytes, {kRanges});
    answer_parts_behind(server, 3 * kMiB, row.answer);
    SlowClient client(server);
    CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
    const std::vector<std::string> parts = parts_of(server);
    CHECK_FALSE(parts.empty());
    CHECK(parts.size() <= 10);  // and not tried again
  }
}

TEST_CASE("parts whose connections break are tried again after the stream has gone on") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(16 * kMiB);
  server.add(blob_path(bytes), bytes, {kRanges});
  std::atomic<int> parts = 0;
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (!is_part(request) || ++parts != 3) return std::nullopt;
    const std::string range = request.headers.at("range").substr(6);
    return Answer{206,
                  {"Content-Range: bytes " + range + "/" + std::to_string(bytes.size())},
                  bytes.substr(std::stoul(range), 1000),
                  kMiB};
  });
  SlowClient client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
  CHECK(parts > 8);
}

TEST_CASE("what is on the disk after a failure is a beginning of the blob, and is taken up") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(16 * kMiB);
  const std::string partial = "sha256-" + std::string(digest_of(bytes).hex());
  server.add(blob_path(bytes), bytes, {kRanges});
  server.respond([](const Received& request) -> std::optional<Answer> {
    if (!request.has("range")) return std::nullopt;
    const size_t place = std::stoul(request.headers.at("range").substr(6));
    if (is_part(request) && place < 6 * kMiB) return std::nullopt;
    return Answer{.status = 403};
  });
  {
    SlowClient client(server);
    const Fetch fetched = fetch(client, directory, descriptor_of(bytes), bytes);
    REQUIRE(fetched.error);
    CHECK(says(*fetched.error, "denied access"));
    CHECK(fetched.has_partial);
  }
  const std::string there = directory.read(partial);
  REQUIRE(there.size() < bytes.size());
  CHECK(bytes.starts_with(there));
  server.respond({});
  Client client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
  CHECK(server.received("/blobs/").back().headers.at("range") ==
        "bytes=" + std::to_string(there.size()) + "-");
}

TEST_CASE("wrong bytes in a part are noticed by the digest") {
  FakeRegistry server;
  TemporaryDirectory directory;
  const std::string bytes = noise(12 * kMiB);
  server.add(blob_path(bytes), bytes, {kRanges});
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (!is_part(request)) return std::nullopt;
    const std::string range = request.headers.at("range").substr(6);
    const size_t start = std::stoul(range);
    const size_t size = std::stoul(range.substr(range.find('-') + 1)) + 1 - start;
    return Answer{206,
                  {"Content-Range: bytes " + range + "/" + std::to_string(bytes.size())},
                  std::string(size, 'x')};
  });
  SlowClient client(server);
  const Fetch fetched = fetch(client, directory, descriptor_of(bytes), bytes);
  REQUIRE(fetched.error);
  CHECK(says(*fetched.error, "has the digest"));
  CHECK_FALSE(fetched.is_there);
  CHECK_FALSE(fetched.has_partial);
}

}  // namespace
}  // namespace onggi::image::test
