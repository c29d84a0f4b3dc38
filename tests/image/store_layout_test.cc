// SPDX-License-Identifier: Apache-2.0
// index.json as it is changed, and the store's names.
#include "image_fixture.h"
#include "store/store.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

using namespace onggi;
using namespace onggi::image;
using namespace onggi::image::test;

namespace {

Descriptor descriptor_of(const std::string& bytes) {
  Descriptor descriptor;
  descriptor.media_type = "application/vnd.oci.image.manifest.v1+json";
  descriptor.digest = digest_of(bytes);
  descriptor.size = bytes.size();
  return descriptor;
}

std::string names_in(const Index& index) {
  std::string names;
  for (const Descriptor& each : index.manifests)
    names += reference_name(each) + "=" + std::string(each.digest.hex().substr(0, 4)) + " ";
  return names;
}

}  // namespace

TEST_SUITE("store: index.json") {
  TEST_CASE("what is not changed keeps every byte, also what no program knows") {
    const Descriptor first = descriptor_of("first"), second = descriptor_of("second");
    const std::string odd = "{ \"digest\" : \"" + first.digest.text() +
                            "\", \"x\" : 123456789012345678901234567890.50, \"size\": 5, "
                            "\"mediaType\":\"" +
                            first.media_type +
                            "\", \"annotations\": {\"org.opencontainers.image.ref.name\": "
                            "\"\\u0061,]}\\\"\", \"k\": \"v\" } }";
    const std::string text = "{\n  \"later\": [1, {\"a\": [\"]\"]}],\n  \"manifests\": [ " + odd +
                             "\n ], \"schemaVersion\": 2 }\n";
    IndexText index = IndexText::parse(text).value();
    REQUIRE(index.set_name("new", second));
    CHECK(index.text().find(odd) != std::string::npos);
    CHECK(index.text().find("\"later\":[1, {\"a\": [\"]\"]}]") != std::string::npos);
    CHECK(names_in(index.index()) == "a,]}\"=" + std::string(first.digest.hex().substr(0, 4)) +
                                         " new=" + std::string(second.digest.hex().substr(0, 4)) +
                                         " ");
  }

  TEST_CASE("a name is at one image at a time") {
    const Descriptor first = descriptor_of("first"), second = descriptor_of("second");
    IndexText index = IndexText::parse(IndexText::empty()).value();
    REQUIRE(index.set_name("v1", first));
    REQUIRE(index.set_name("v1", first));
    REQUIRE(index.set_name("latest", first));
    REQUIRE(index.set_name("latest", second));
    CHECK(index.index().manifests.size() == 2);
    CHECK(names_in(index.index()).starts_with("v1="));
    CHECK(index.index().manifests[1].digest == second.digest);
  }

  TEST_CASE("an entry without a name is there once, and goes when its image gets a name") {
    const Descriptor image = descriptor_of("image");
    IndexText index = IndexText::parse(IndexText::empty()).value();
    REQUIRE(index.set_name("", image));
    REQUIRE(index.set_name("", image));
    CHECK(index.index().manifests.size() == 1);
    REQUIRE(index.set_name("a", image));
    CHECK(index.index().manifests.size() == 1);
    CHECK(reference_name(index.index().manifests[0]) == "a");
  }

  TEST_CASE("a name that is taken away leaves the image and its other annotations") {
    const Descriptor image = descriptor_of("image");
    IndexText index =
        IndexText::parse(R"({"schemaVersion":2,"manifests":[{"mediaType":")" + image.media_type +
                         R"(","digest":")" + image.digest.text() +
                         R"(","size":5,"annotations":{"io.containerd.image.name":"a","k":"v",)"
                         R"("org.opencontainers.image.ref.name":"a"}}]})")
            .value();
    REQUIRE(index.remove_name("a", IndexText::Unnamed::keep));
    REQUIRE(index.index().manifests.size() == 1);
    CHECK(reference_name(index.index().manifests[0]).empty());
    CHECK(*index.index().manifests[0].annotations.find("k") == "v");
    REQUIRE(index.set_name("b", image));
    REQUIRE(index.set_name("c", image));
    REQUIRE(index.remove_name("b", IndexText::Unnamed::keep));
    CHECK(index.index().manifests.size() == 1);
    REQUIRE(index.remove_image(image.digest));
    CHECK(index.text().find("\"manifests\":[]") != std::string::npos);
  }

  TEST_CASE("manifests that are null, as old tools wrote them, become a list") {
    IndexText index = IndexText::parse(R"({"schemaVersion":2,"manifests":null})").value();
    REQUIRE(index.set_name("a", descriptor_of("image")));
    CHECK(index.text().find("null") == std::string::npos);
    CHECK(index.index().manifests.size() == 1);
  }

  TEST_CASE("\"manifests\" twice is refused") {
    const Result<IndexText> index = IndexText::parse(
        R"({"schemaVersion":2,"manifests":[],"manifests":[{"mediaType":"a/b","digest":")" +
        digest_of("x").text() + R"(","size":1}]})");
    REQUIRE(!index);
    CHECK(text_of(index.error()).find("more than once") != std::string::npos);
  }
}

TEST_SUITE("store: layouts") {
  TEST_CASE("an empty directory becomes a layout that other programs can read") {
    const Scratch scratch;
    const std::string path = scratch.path("layout");
    mkdir(path.c_str(), 0755);
    const LayoutWriter layout =
        LayoutWriter::open(UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC)), ".partial").value();
    layout.remove_empty_partial();
    CHECK(scratch.read("layout/oci-layout") == R"({"imageLayoutVersion":"1.0.0"})");
    CHECK(scratch.read("layout/index.json").find("\"manifests\":[]") != std::string::npos);
    CHECK(!scratch.exists("layout/.partial"));
  }

  TEST_CASE("a directory with another version of the layout is left as it is") {
    const Scratch scratch;
    const TestLayout layout(scratch.path("layout"));
    scratch.write("layout/oci-layout", R"({"imageLayoutVersion": "2.0.0"})");
    const auto opened =
        LayoutWriter::open(UniqueFd(open(layout.path().c_str(), O_RDONLY | O_CLOEXEC)), ".partial");
    REQUIRE(!opened);
    CHECK(text_of(opened.error()).find("2.0.0") != std::string::npos);
  }

  TEST_CASE("names that several threads give at once are all there") {
    const Scratch scratch;
    const Store store = Store::open(scratch.path("store"), LockKind::shared).value();
    std::vector<std::thread> threads;
    std::atomic<int> failures = 0;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        for (int k = 0; k < 10; ++k) {
          const std::string name = "docker.io/library/n:" + std::to_string(i * 10 + k);
          if (!store.set_name(name, descriptor_of(name))) ++failures;
        }
      });
    }
    for (std::thread& each : threads) each.join();
    CHECK(failures == 0);
    CHECK(store.images().value().size() == 80);
  }
}

TEST_SUITE("store: the directory") {
  TEST_CASE("it is made for its owner alone, with the directories above") {
    const Scratch scratch;
    REQUIRE(Store::open(scratch.path("a/b/store"), LockKind::shared));
    struct stat info = {};
    REQUIRE(stat(scratch.path("a/b/store").c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0700);
  }

  TEST_CASE("one that others may enter is closed (CVE-2021-41103)") {
    const Scratch scratch;
    mkdir(scratch.path("store").c_str(), 0755);
    REQUIRE(Store::open(scratch.path("store"), LockKind::shared));
    struct stat info = {};
    REQUIRE(stat(scratch.path("store").c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0700);
  }

  TEST_CASE("one that belongs to somebody else is refused") {
    if (geteuid() != 0) {
      MESSAGE("SKIP: needs root to give a directory away");
      return;
    }
    const Scratch scratch;
    mkdir(scratch.path("store").c_str(), 0700);
    REQUIRE(chown(scratch.path("store").c_str(), 1000, 1000) == 0);
    const auto store = Store::open(scratch.path("store"), LockKind::shared);
    REQUIRE(!store);
    CHECK(text_of(store.error()).find("belongs to user 1000") != std::string::npos);
    CHECK(!scratch.exists("store/lock"));
  }

  TEST_CASE("gc's lock is not given while the store is in use, and the other way round waits") {
    const Scratch scratch;
    const Store first = Store::open(scratch.path("store"), LockKind::shared).value();
    REQUIRE(Store::open(scratch.path("store"), LockKind::shared));
    const auto second = Store::open(scratch.path("store"), LockKind::exclusive);
    REQUIRE(!second);
    CHECK(text_of(second.error()).find("in use") != std::string::npos);
  }

  TEST_CASE("images are found by short and full names and by parts of digests") {
    const Scratch scratch;
    const Store store = Store::open(scratch.path("store"), LockKind::shared).value();
    const Descriptor image = descriptor_of("image");
    REQUIRE(store.set_name("docker.io/library/alpine:latest", image));
    REQUIRE(store.set_name("localhost:5000/team/web:1.2", image));
    const std::string hex(image.digest.hex());
    for (const std::string& text :
         {std::string("alpine"), std::string("alpine:latest"), std::string("library/alpine"),
          std::string("docker.io/library/alpine"), std::string("localhost:5000/team/web:1.2"),
          image.digest.text(), hex, hex.substr(0, 12), "sha256:" + hex.substr(0, 4)}) {
      CAPTURE(text);
      const auto found = store.find(text);
      REQUIRE(found);
      CHECK(found.value().descriptor.digest == image.digest);
    }
    for (const std::string& text : {std::string("alpine:3"), hex.substr(0, 3), std::string("web"),
                                    std::string("../x"), std::string()}) {
      CAPTURE(text);
      const auto found = store.find(text);
      REQUIRE(!found);
      CHECK(text_of(found.error()).find("no image") != std::string::npos);
    }
  }

  TEST_CASE("untagging keeps the image, removing does not") {
    const Scratch scratch;
    const Store store = Store::open(scratch.path("store"), LockKind::shared).value();
    const Descriptor image = descriptor_of("image");
    REQUIRE(store.set_name("docker.io/library/a:1", image));
    REQUIRE(store.remove_name("docker.io/library/a:1"));
    REQUIRE(store.images().value().size() == 1);
    CHECK(store.images().value()[0].name.empty());
    CHECK(!store.remove_name("docker.io/library/a:1"));
    REQUIRE(store.set_name("docker.io/library/a:1", image));
    REQUIRE(store.set_name("docker.io/library/b:1", image));
    REQUIRE(store.remove(store.find("a:1").value()));
    REQUIRE(store.images().value().size() == 1);
    CHECK(store.images().value()[0].name == "docker.io/library/b:1");
    REQUIRE(store.remove(store.find(image.digest.hex()).value()));
    CHECK(store.images().value().empty());
  }
}
