// SPDX-License-Identifier: Apache-2.0
// Copies between layouts and the store.
#include "image_fixture.h"
#include "transfer/copy.h"
#include "transfer/layout_endpoint.h"

#include <doctest/doctest.h>

#include <mutex>
#include <set>

using namespace onggi;
using namespace onggi::image;
using namespace onggi::image::test;

namespace {

struct Counted : CopyView {
  std::mutex mutex;
  int moved = 0, were_there = 0;
  void finished(const BlobProgress& blob) override {
    const std::scoped_lock lock(mutex);
    ++(blob.state == BlobProgress::State::moved ? moved : were_there);
  }
};

Result<ImageSource::Named> copy_layout(const std::string& from, const std::string& name,
                                       const std::string& to, CopyView& view,
                                       const CopyOptions& options = {}) {
  Layout layout = Layout::open(from).value();
  const Descriptor named = *layout.find(name, host_platform()).value();
  LayoutSource source(std::move(layout), named);
  const auto target = LayoutTarget::open(to, name).value();
  return copy_image(source, *target, options, view);
}

std::string layer(int number, size_t size = 3000) {
  return Tar().file("file" + std::to_string(number), std::string(size, 'x')).bytes();
}

}  // namespace

TEST_SUITE("transfer: copy") {
  TEST_CASE("all platforms of an index arrive with their digests") {
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    const Descriptor first = from.image({layer(1), layer(2)}, "amd64");
    const Descriptor second = from.image({layer(1), layer(3)}, "arm64");
    const Descriptor index = from.index({first, second});
    from.name(index, "multi");
    Counted view;
    const auto copied = copy_layout(from.path(), "multi", scratch.path("to"), view);
    REQUIRE(copied);
    CHECK(copied.value().descriptor.digest == index.digest);
    CHECK(view.moved == 5);  // three layers, two configs
    CHECK(view.were_there == 0);
    CHECK(listing(scratch.path("from/blobs")).size() == listing(scratch.path("to/blobs")).size());
    CHECK(!scratch.exists("to/.onggi-partial"));
    const Layout to = Layout::open(scratch.path("to")).value();
    CHECK(to.find("multi", host_platform()).value()->digest == index.digest);

    Counted again;
    REQUIRE(copy_layout(from.path(), "multi", scratch.path("to"), again));
    CHECK(again.moved == 0);
    CHECK(again.were_there == 5);
  }

  TEST_CASE("one platform of an index is the manifest for it, and no more") {
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    const Descriptor first = from.image({layer(1), layer(2)}, "amd64");
    const Descriptor second = from.image({layer(1), layer(3)}, "arm64");
    from.name(from.index({first, second}), "multi");
    Counted view;
    const auto copied = copy_layout(from.path(), "multi", scratch.path("to"), view,
                                    {Platform{"linux", "arm64", "", ""}, 3});
    REQUIRE(copied);
    CHECK(copied.value().descriptor.digest == second.digest);
    CHECK(view.moved == 3);
    const Layout to = Layout::open(scratch.path("to")).value();
    CHECK(to.find("multi", host_platform()).value()->digest == second.digest);
    CHECK(!scratch.exists("to/blobs/sha256/" + std::string(first.digest.hex())));
  }

  TEST_CASE("a layer that an image has twice is moved once") {
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    from.name(from.image({layer(1), layer(2), layer(1)}), "twice");
    Counted view;
    REQUIRE(copy_layout(from.path(), "twice", scratch.path("to"), view));
    CHECK(view.moved == 3);
  }

  TEST_CASE("a damaged blob does not get into the target, and its image no name") {
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    const Descriptor image = from.image({layer(1), layer(2)});
    from.name(image, "bad");
    const Digest damaged = digest_of(layer(2));
    std::string bytes = layer(2);
    bytes[1000] = 'y';
    scratch.write("from/blobs/sha256/" + std::string(damaged.hex()), bytes);
    Counted view;
    const auto copied = copy_layout(from.path(), "bad", scratch.path("to"), view);
    REQUIRE(!copied);
    CHECK(text_of(copied.error()).find(damaged.text()) != std::string::npos);
    CHECK(!scratch.exists("to/blobs/sha256/" + std::string(damaged.hex())));
    CHECK(!scratch.exists("to/blobs/sha256/" + std::string(image.digest.hex())));
    CHECK(Layout::open(scratch.path("to")).value().index().manifests.empty());
  }

  TEST_CASE("a blob of another size than its descriptor's is named") {
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    from.name(from.image({layer(1)}), "short");
    const Digest damaged = digest_of(layer(1));
    scratch.write("from/blobs/sha256/" + std::string(damaged.hex()), "short");
    Counted view;
    const auto copied = copy_layout(from.path(), "short", scratch.path("to"), view);
    REQUIRE(!copied);
    CHECK(text_of(copied.error()).find("has 5 bytes") != std::string::npos);
  }

  TEST_CASE("what an earlier copy has brought is not read again") {
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    from.name(from.image({layer(1, 900'000)}), "resumed");
    const std::string bytes = layer(1, 900'000);
    const Digest digest = digest_of(bytes);
    std::filesystem::create_directories(scratch.path("to/.onggi-partial"));
    scratch.write("to/.onggi-partial/sha256-" + std::string(digest.hex()),
                  bytes.substr(0, 500'000));
    // Were it read from the start, the difference would be noticed.
    std::string other = bytes;
    other[1000] = 'y';
    scratch.write("from/blobs/sha256/" + std::string(digest.hex()), other);
    Counted view;
    REQUIRE(copy_layout(from.path(), "resumed", scratch.path("to"), view));
    CHECK(scratch.read("to/blobs/sha256/" + std::string(digest.hex())) == bytes);
  }

  TEST_CASE("an index whose source lacks a platform says so") {
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    const Descriptor first = from.image({layer(1)}, "amd64");
    const Descriptor second = from.image({layer(2)}, "arm64");
    from.name(from.index({first, second}), "sparse");
    std::filesystem::remove(from.blob_file(second.digest));
    Counted view;
    const auto copied = copy_layout(from.path(), "sparse", scratch.path("to"), view);
    REQUIRE(!copied);
    CHECK(text_of(copied.error()).find("choose one") != std::string::npos);
    CHECK(copy_layout(from.path(), "sparse", scratch.path("to"), view,
                      {Platform{"linux", "amd64", "", ""}, 3}));
  }

  TEST_CASE("two images under two names share their blobs in the store") {
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    from.name(from.image({layer(1), layer(2)}), "a");
    from.name(from.image({layer(1), layer(3)}), "b");
    const Store store = Store::open(scratch.path("store"), LockKind::shared).value();
    Counted view;
    for (const std::string name : {"a", "b"}) {
      Layout layout = Layout::open(from.path()).value();
      const Descriptor named = *layout.find(name, host_platform()).value();
      LayoutSource source(std::move(layout), named);
      StoreTarget target(store, "docker.io/library/" + name + ":latest");
      REQUIRE(copy_image(source, target, {}, view));
    }
    CHECK(view.moved == 5);
    CHECK(view.were_there == 1);
    CHECK(store.images().value().size() == 2);
    CHECK(std::filesystem::is_empty(scratch.path("store/partial")));
  }
}
