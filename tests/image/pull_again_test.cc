// SPDX-License-Identifier: Apache-2.0
// What a registry is asked for when its image has been pulled before: it counts the manifests that
// it hands out.
#include "fake_registry.h"
#include "image_fixture.h"
#include "model/platform.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

using namespace onggi::image;
using namespace onggi::image::test;

namespace {

class Repository {
 public:
  explicit Repository(const Scratch& scratch)
      : layout_(scratch.path("served")), store_(scratch.path("store")) {}

  // Behind the tag "1": an index of an image for this machine and one for another. The value is
  // what a pull prints.
  std::string serve(const std::string& content, bool tells_digest = true) {
    const Descriptor image =
        layout_.image({Tar().file("f", content).bytes()}, host_platform().architecture);
    const Descriptor index = layout_.index({image, layout_.image({Tar().bytes()}, "sparc64")});
    for (const auto& entry : std::filesystem::directory_iterator(layout_.path() + "/blobs/sha256"))
      server_.add("/v2/app/blobs/sha256:" + entry.path().filename().string(), read(entry.path()));
    add_manifest(image, image.digest.text(), true);
    add_manifest(index, "1", tells_digest);
    return image.digest.text() + "\n";
  }
  std::string pull() const {
    const Run result =
        run({ONGGI_IMAGE, "--root", store_, "pull", "-q", server_.host() + "/app:1"});
    CAPTURE(result.err);
    CHECK(result.status == 0);
    return result.out;
  }
  void collect() const { REQUIRE(run({ONGGI_IMAGE, "--root", store_, "gc"}).status == 0); }
  // Of manifests and blobs, since it was asked last: "HEAD 1".
  std::vector<std::string> requests() {
    std::vector<std::string> all;
    for (const Received& each : server_.received("/v2/app/")) {
      const std::string last = each.target.substr(each.target.rfind('/') + 1);
      all.push_back(each.method + " " + last.substr(0, 10));
    }
    std::vector<std::string> recent(all.begin() + static_cast<std::ptrdiff_t>(seen_), all.end());
    seen_ = all.size();
    return recent;
  }

 private:
  static std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void add_manifest(const Descriptor& manifest, const std::string& version, bool tells_digest) {
    std::vector<std::string> headers = {"Content-Type: " + manifest.media_type};
    if (tells_digest) headers.push_back("Docker-Content-Digest: " + manifest.digest.text());
    server_.add("/v2/app/manifests/" + version, read(layout_.blob_file(manifest.digest)), headers);
  }

  TestLayout layout_;
  const std::string store_;
  FakeRegistry server_;
  size_t seen_ = 0;
};

using Requests = std::vector<std::string>;

}  // namespace

TEST_SUITE("pull: again") {
  TEST_CASE("of what has not changed the registry is asked for the tag's digest alone") {
    const Scratch scratch;
    Repository repository(scratch);
    const std::string digest = repository.serve("content");
    CHECK(repository.pull() == digest);
    const Requests first = repository.requests();
    CHECK(std::ranges::count(first, "GET 1") == 1);
    CHECK(std::ranges::count(first, "HEAD 1") == 0);
    CHECK(repository.pull() == digest);
    CHECK(repository.requests() == Requests{"HEAD 1"});
  }

  TEST_CASE("what the tag names now is fetched") {
    const Scratch scratch;
    Repository repository(scratch);
    const std::string before = repository.serve("content");
    CHECK(repository.pull() == before);
    const std::string digest = repository.serve("other content");
    REQUIRE(digest != before);
    CHECK(repository.pull() == digest);
    CHECK(repository.pull() == digest);
  }

  TEST_CASE("a registry that does not tell the digest, and a store after gc, go without") {
    const Scratch scratch;
    Repository repository(scratch);
    std::string digest = repository.serve("content", false);
    CHECK(repository.pull() == digest);
    CHECK(repository.pull() == digest);
    digest = repository.serve("content");
    repository.collect();
    repository.requests();
    CHECK(repository.pull() == digest);
    CHECK(repository.requests() == Requests{"HEAD 1", "GET 1"});
  }
}
