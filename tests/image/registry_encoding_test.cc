// SPDX-License-Identifier: Apache-2.0
// Servers that answer with Content-Encoding although nobody asked for it: some compress what they
// send, others only label a layer's own compression. The digest decides which it is.
#include "layer/encoder.h"
#include "registry_fetch.h"

#include <sys/mman.h>
#include <unistd.h>

namespace onggi::image::test {
namespace {

std::string compressed(const std::string& bytes, Compression compression) {
  const UniqueFd file(memfd_create("compressed", MFD_CLOEXEC));
  LayerEncoder encoder(file.get(), compression);
  REQUIRE(encoder.write(bytes));
  REQUIRE(encoder.finish());
  std::string result(static_cast<size_t>(lseek(file.get(), 0, SEEK_END)), '\0');
  REQUIRE(pread(file.get(), result.data(), result.size(), 0) ==
          static_cast<ssize_t>(result.size()));
  return result;
}

// RFC 1950: up to 65,535 bytes as they are.
std::string zlib_of(const std::string& bytes) {
  uint32_t a = 1, b = 0;
  for (const char c : bytes) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  const auto low = [](size_t value) { return static_cast<char>(value); };
  const size_t size = bytes.size();
  std::string text = {'\x78',         '\x01',     '\x01',         low(size),
                      low(size >> 8), low(~size), low(~size >> 8)};
  return text + bytes + std::string{low(b >> 8), low(b), low(a >> 8), low(a)};
}

std::string text_of_size(size_t size) {
  std::string bytes;
  for (size_t i = 0; bytes.size() < size; ++i) bytes += std::to_string(i) + ", ";
  bytes.resize(size);
  return bytes;
}

struct Coding {
  const char* name;
  std::string body;
};

std::vector<Coding> codings(const std::string& bytes) {
  return {{"gzip", compressed(bytes, Compression::gzip)},
          {"x-gzip", compressed(bytes, Compression::gzip)},
          {"zstd", compressed(bytes, Compression::zstd)},
          {"deflate", zlib_of(bytes)}};
}

std::string encoding(const char* name) {
  return std::string("Content-Encoding: ") + name;
}

TEST_CASE("a blob that was compressed for the transfer arrives as it is") {
  const std::string bytes = text_of_size(60'000);
  for (const Coding& coding : codings(bytes)) {
    for (const bool is_chunked : {false, true}) {
      CAPTURE(coding.name);
      CAPTURE(is_chunked);
      FakeRegistry server;
      TemporaryDirectory directory;
      answer_always(
          server,
          {.headers = {encoding(coding.name)}, .body = coding.body, .is_chunked = is_chunked});
      Client client(server);
      CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
      const auto requests = server.received("/blobs/");
      CHECK(requests.size() == 2);
      for (const Received& request : requests) {
        CHECK_FALSE(request.has("accept-encoding"));
        CHECK_FALSE(request.has("range"));
      }
    }
  }
}

TEST_CASE("the digest decides, even when the compressed bytes have the blob's size") {
  const std::string bytes = text_of_size(60'000);
  std::string body = compressed(bytes, Compression::gzip);
  // A file name in the header (RFC 1952, FNAME) makes it as long as wanted.
  REQUIRE(body.size() < bytes.size());
  body[3] = '\x08';
  body.insert(10, std::string(bytes.size() - body.size() - 1, 'x') + std::string(1, '\0'));
  REQUIRE(body.size() == bytes.size());
  FakeRegistry server;
  TemporaryDirectory directory;
  answer_always(server, {.headers = {encoding("gzip")}, .body = body});
  Client client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
}

TEST_CASE("a layer whose own compression is told as that of the transfer stays compressed") {
  const std::string bytes = compressed(text_of_size(300'000), Compression::gzip);
  for (const bool is_chunked : {false, true}) {
    FakeRegistry server;
    TemporaryDirectory directory;
    answer_always(server, {.headers = {encoding("gzip")}, .body = bytes, .is_chunked = is_chunked});
    Client client(server);
    CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
    CHECK(server.received("/blobs/").size() == 1);
  }
}

TEST_CASE("such a layer whose transfer breaks goes on where it ended") {
  const std::string bytes = compressed(text_of_size(300'000), Compression::gzip);
  FakeRegistry server;
  TemporaryDirectory directory;
  server.add(blob_path(bytes), bytes, {encoding("gzip")});
  answer_first(server, {.headers = {encoding("gzip")}, .body = bytes, .sent = 1000});
  Client client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
  CHECK(server.received("/blobs/").at(1).headers.at("range") == "bytes=1000-");
  CHECK(server.received("/blobs/").size() == 2);
}

TEST_CASE("a range of compressed bytes is not taken for one of the blob") {
  const std::string bytes = text_of_size(60'000);
  FakeRegistry server;
  TemporaryDirectory directory;
  directory.write("sha256-" + std::string(digest_of(bytes).hex()), bytes.substr(0, 100));
  server.add(blob_path(bytes), compressed(bytes, Compression::gzip), {encoding("gzip")});
  Client client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
  CHECK(server.received("/blobs/").at(0).headers.at("range") == "bytes=100-");
  CHECK_FALSE(server.received("/blobs/").at(1).has("range"));
}

TEST_CASE("compressed bytes that are more than the blob, or damaged, are refused") {
  const std::string bytes = text_of_size(1000);
  std::string damaged = compressed(bytes, Compression::gzip);
  damaged[damaged.size() / 2] = static_cast<char>(~damaged[damaged.size() / 2]);
  const Coding bad[] = {
      {"longer than the 1000 bytes", compressed(std::string(64u << 20, 'x'), Compression::gzip)},
      {"/blobs/sha256:", damaged}};
  for (const auto& [message, body] : bad) {
    FakeRegistry server;
    TemporaryDirectory directory;
    answer_always(server, {.headers = {encoding("gzip")}, .body = body});
    Client client(server);
    const Fetch fetched = fetch(client, directory, descriptor_of(bytes), bytes);
    REQUIRE(fetched.error);
    CHECK(says(*fetched.error, message));
    CHECK_FALSE(fetched.is_there);
  }
}

TEST_CASE("a compressed transfer that breaks begins anew") {
  const std::string bytes = text_of_size(60'000);
  const std::string body = compressed(bytes, Compression::gzip);
  FakeRegistry server;
  TemporaryDirectory directory;
  server.add(blob_path(bytes), body, {encoding("gzip")});
  std::atomic<int> count = 0;
  server.respond([&](const Received& request) -> std::optional<Answer> {
    const bool is_second = request.target.find("/blobs/") != std::string::npos && ++count == 2;
    if (!is_second) return std::nullopt;
    return Answer{.headers = {encoding("gzip")}, .body = body, .sent = body.size() / 2};
  });
  Client client(server);
  CHECK(fetch(client, directory, descriptor_of(bytes), bytes).is_there);
  CHECK(count == 3);
  CHECK_FALSE(server.received("/blobs/").back().has("range"));
}

TEST_CASE("a compressed manifest is read, and its digest is that of its own bytes") {
  const std::string manifest =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{)"
      R"("mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":)"
      R"("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]})";
  FakeRegistry server;
  server.add("/v2/team/app/manifests/latest", compressed(manifest, Compression::gzip),
             {encoding("gzip")});
  Client client(server);
  const auto fetched = client.registry.manifest("latest");
  REQUIRE(fetched);
  CHECK(fetched.value().digest == digest_of(manifest));
  CHECK_FALSE(server.received("manifests").at(0).has("accept-encoding"));
}

}  // namespace
}  // namespace onggi::image::test
