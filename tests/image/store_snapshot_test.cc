// SPDX-License-Identifier: Apache-2.0
// Snapshots of layers, as directories of an overlay. They need root.
#include "image_fixture.h"
#include "store/snapshots.h"
#include "transfer/copy.h"
#include "transfer/layout_endpoint.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <thread>

using namespace onggi;
using namespace onggi::image;
using namespace onggi::image::test;

namespace {

namespace fs = std::filesystem;

bool may_mount() {
  if (geteuid() == 0) return true;
  MESSAGE("SKIP: overlay mounts need root");
  return false;
}

UniqueFd open_at(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

Image image_of(const Layout& layout, const std::string& name) {
  const Platform platform{"linux", "amd64", "", ""};
  return read_image(layout, *layout.find(name, platform).value(), platform).value();
}

// A store with a copy of an image, under the name docker.io/library/NAME:latest.
class StoreWithImage {
 public:
  StoreWithImage(const Scratch& scratch, const TestLayout& from, const std::string& name)
      : store(Store::open(scratch.path("store"), LockKind::shared).value()),
        full("docker.io/library/" + name + ":latest") {
    Layout layout = Layout::open(from.path()).value();
    const Descriptor named = *layout.find(name, host_platform()).value();
    LayoutSource source(std::move(layout), named);
    StoreTarget target(store, full);
    CopyView view;
    REQUIRE(copy_image(source, target, {}, view));
  }

  Result<> make_snapshots() const {
    const Layout layout = store.read().value();
    return Snapshots(store).make(layout, image_of(layout, full), {});
  }
  std::vector<Digest> chain() const {
    return chain_ids(image_of(store.read().value(), full).config.rootfs.diff_ids);
  }
  std::string layer(size_t number) const {
    return store.path() + "/" + Snapshots::path(chain()[number]);
  }
  // The files of all layers as a mount shows them.
  std::string mounted(const Scratch& scratch) const {
    std::vector<UniqueFd> lower;
    for (const Digest& each : chain())
      lower.insert(lower.begin(), open_at(store.path() + "/" + Snapshots::path(each)));
    fs::create_directories(scratch.path("upper"));
    fs::create_directories(scratch.path("overlay"));
    const UniqueFd upper = open_at(scratch.path("upper"));
    const UniqueFd work = open_at(scratch.path("overlay"));
    const UniqueFd root = mount_overlay({lower, upper.get(), work.get()}).value();
    return listing("/proc/self/fd/" + std::to_string(root.get()) + "/.");
  }

  Store store;
  std::string full;
};

std::string flat(const Scratch& scratch, const TestLayout& from, const std::string& name) {
  const Layout layout = Layout::open(from.path()).value();
  fs::create_directories(scratch.path("flat"));
  REQUIRE(unpack_layers(layout, image_of(layout, name), open_at(scratch.path("flat")), {}));
  return listing(scratch.path("flat"));
}

std::vector<std::string> odd_layers() {
  Tar base, middle, top;
  base.directory("a", 0750).file("a/old", "old").file("a/both", "lower").directory("a/sub");
  base.file("a/sub/x", "x").directory("b").file("b/one", "1").file("b/two", "2");
  base.file("gone", "gone").file("file", "a file").directory("dir").file("dir/in", "in");
  base.file("target", "linked").symlink("link", "a/old").add({.name = "pipe", .type = '6'});
  base.directory("tmp", 01777).file("suid", "s", 04755);
  middle.file(".wh.gone", "").file("b/.wh..wh..opq", "").file("b/three", "3");
  middle.file(".wh.dir", "").file("dir", "now a file").hardlink("second", "target");
  middle.file("a/both", "upper").file("a/sub/.wh.x", "");
  top.file(".wh.a", "").directory("a", 0700).file("a/new", "new").file(".wh.file", "");
  top.directory("file").file("file/below", "b").file("link", "not a link");
  top.add({.name = "./", .type = '5', .mode = 0711, .mtime = 5});
  return {base.bytes(), middle.bytes(), top.bytes()};
}

}  // namespace

TEST_SUITE("store: snapshots") {
  TEST_CASE("chain IDs are those of the image-spec") {
    const Digest a = digest_of("a"), b = digest_of("b"), c = digest_of("c");
    const std::vector<Digest> diff_ids = {a, b, c};
    const std::vector<Digest> chain = chain_ids(diff_ids);
    CHECK(chain[0] == a);
    CHECK(chain[1] == digest_of(a.text() + " " + b.text()));
    CHECK(chain[2] == digest_of(chain[1].text() + " " + c.text()));
  }

  TEST_CASE("mounted, they are the tree that unpack makes") {
    if (!may_mount()) return;
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    from.name(from.image(odd_layers()), "odd");
    const StoreWithImage image(scratch, from, "odd");
    REQUIRE(image.make_snapshots());
    CHECK(image.mounted(scratch) == flat(scratch, from, "odd"));
    CHECK(fs::is_empty(scratch.path("store/work")));
    struct stat root = {};
    REQUIRE(stat(image.layer(2).c_str(), &root) == 0);
    CHECK((root.st_mode & 07777) == 0711);
    CHECK(root.st_mtim.tv_sec == 5);
  }

  TEST_CASE("a layer that says nothing about the root keeps it as it was below") {
    if (!may_mount()) return;
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    Tar base, top;
    base.add({.name = "./", .type = '5', .mode = 0711, .uid = 7, .gid = 8, .mtime = 5});
    top.file("new", "");
    from.name(from.image({base.bytes(), top.bytes()}), "root");
    const StoreWithImage image(scratch, from, "root");
    REQUIRE(image.make_snapshots());
    struct stat root = {};
    REQUIRE(stat(image.layer(1).c_str(), &root) == 0);
    CHECK((root.st_mode & 07777) == 0711);
    CHECK(root.st_uid == 7);
    CHECK(root.st_gid == 8);
    CHECK(root.st_mtim.tv_sec == 5);
  }

  TEST_CASE("images share the layers that they begin with, and a layer may repeat") {
    if (!may_mount()) return;
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    const std::string base = Tar().file("base", "b").bytes();
    const std::string top = Tar().file("top", "t").bytes();
    from.name(from.image({base, top, base}), "first");
    from.name(from.image({base}), "second");
    const StoreWithImage first(scratch, from, "first"), second(scratch, from, "second");
    REQUIRE(first.make_snapshots());
    struct stat before = {}, after = {};
    REQUIRE(stat(first.layer(0).c_str(), &before) == 0);
    REQUIRE(second.make_snapshots());
    REQUIRE(stat(second.layer(0).c_str(), &after) == 0);
    CHECK(before.st_ino == after.st_ino);
    CHECK(std::distance(fs::directory_iterator(scratch.path("store/layers")), {}) == 3);
    CHECK(fs::exists(first.layer(2) + "/base"));
  }

  TEST_CASE("a layer with a wrong diffID never appears") {
    if (!may_mount()) return;
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    const std::string good = Tar().file("good", "g").bytes();
    const std::string bad = Tar().file("bad", "b").bytes();
    from.name(from.image({good, bad}), "lying");
    const StoreWithImage image(scratch, from, "lying");
    std::string other = bad;
    other[512] = 'B';  // the file's content
    scratch.write("store/blobs/sha256/" + std::string(digest_of(bad).hex()), other);
    const Result<> made = image.make_snapshots();
    REQUIRE(!made);
    CHECK(text_of(made.error()).find("layers[1]") != std::string::npos);
    CHECK(fs::exists(image.layer(0)));
    CHECK(!fs::exists(image.layer(1)));
    CHECK(fs::is_empty(scratch.path("store/work")));
  }

  TEST_CASE("several at once make each layer once") {
    if (!may_mount()) return;
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    std::vector<std::string> layers;
    for (int i = 0; i < 8; ++i) {
      Tar tar;
      for (int k = 0; k < 50; ++k) tar.file("f" + std::to_string(k), std::to_string(i));
      layers.push_back(tar.bytes());
    }
    from.name(from.image(layers), "busy");
    const StoreWithImage image(scratch, from, "busy");
    std::atomic<int> failures = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] { failures += image.make_snapshots() ? 0 : 1; });
    for (std::thread& each : threads) each.join();
    CHECK(failures == 0);
    CHECK(std::distance(fs::directory_iterator(scratch.path("store/layers")), {}) == 8);
    CHECK(fs::is_empty(scratch.path("store/work")));
  }

  TEST_CASE("what a killed process has left is not taken for a layer, and is cleared away") {
    if (!may_mount()) return;
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    from.name(from.image({Tar().file("f", "f").bytes()}), "left");
    const StoreWithImage image(scratch, from, "left");
    const std::string work =
        scratch.path("store/work/sha256-" + std::string(image.chain()[0].hex()));
    fs::create_directories(work + "/new/fs/half");
    fs::create_directories(work + "/overlay/work");
    REQUIRE(image.make_snapshots());
    CHECK(fs::exists(image.layer(0) + "/f"));
    CHECK(!fs::exists(image.layer(0) + "/half"));
    CHECK(fs::is_empty(scratch.path("store/work")));
    REQUIRE(image.store.empty_trash());
    CHECK(fs::is_empty(scratch.path("store/trash")));
  }

  TEST_CASE("a layer that was not synced counts in the same boot only") {
    if (!may_mount()) return;
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    from.name(from.image({Tar().file("f", "f").bytes()}), "boot");
    const StoreWithImage image(scratch, from, "boot");
    REQUIRE(image.make_snapshots());
    const Snapshots snapshots(image.store);
    const Digest id = image.chain()[0];
    CHECK(snapshots.has(id).value());
    const fs::path mark = fs::path(image.layer(0)).parent_path() / "unsynced";
    REQUIRE(fs::exists(mark));
    scratch.write(fs::relative(mark, scratch.path()), "another boot\n");
    fs::remove(image.layer(0) + "/f");
    CHECK(!snapshots.has(id).value());
    REQUIRE(image.make_snapshots());
    CHECK(fs::exists(image.layer(0) + "/f"));
    const Layout layout = image.store.read().value();
    REQUIRE(snapshots.sync(image_of(layout, image.full)));
    CHECK(!fs::exists(mark));
    CHECK(snapshots.has(id).value());
  }

  TEST_CASE("two hundred layers are mounted, or the kernel's limit is named") {
    if (!may_mount()) return;
    const Scratch scratch;
    std::vector<UniqueFd> lower;
    for (int i = 0; i < 200; ++i) {
      fs::create_directories(scratch.path("l" + std::to_string(i) + "/d"));
      scratch.write("l" + std::to_string(i) + "/f" + std::to_string(i), "");
      lower.push_back(open_at(scratch.path("l" + std::to_string(i))));
    }
    for (const char* each : {"u1", "w1", "u2", "w2"}) fs::create_directories(scratch.path(each));
    const UniqueFd upper = open_at(scratch.path("u1")), work = open_at(scratch.path("w1"));
    const auto many = mount_overlay({lower, upper.get(), work.get()});
    if (many) {
      const std::string files =
          listing("/proc/self/fd/" + std::to_string(many.value().get()) + "/.");
      CHECK(files.find("f199 ") != std::string::npos);
      CHECK(files.find("f0 ") != std::string::npos);
    } else {
      CHECK(text_of(many.error()).find("more layers than this kernel supports") !=
            std::string::npos);
    }
    const UniqueFd upper2 = open_at(scratch.path("u2")), work2 = open_at(scratch.path("w2"));
    const auto joined = mount_overlay({lower, upper2.get(), work2.get()}, LowerNotation::joined);
    REQUIRE(!joined);
    CHECK(text_of(joined.error()).find("more layers than this kernel supports") !=
          std::string::npos);
    const auto fewer = mount_overlay({std::span(lower).first(50), upper2.get(), work2.get()},
                                     LowerNotation::joined);
    REQUIRE(fewer);
    CHECK(listing("/proc/self/fd/" + std::to_string(fewer.value().get()) + "/.").find("f49 ") !=
          std::string::npos);
  }

  TEST_CASE("what would mean something to overlayfs hides nothing") {
    if (!may_mount()) return;
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    Tar base, whiteout;
    base.directory("d").file("d/kept", "k");
    whiteout.add({.name = "d", .type = '3'});  // the device 0:0, overlayfs's whiteout
    from.name(from.image({base.bytes(), whiteout.bytes()}), "device");
    const StoreWithImage image(scratch, from, "device");
    REQUIRE(image.make_snapshots());
    CHECK(image.mounted(scratch) == flat(scratch, from, "device"));
    CHECK(fs::is_regular_file(image.layer(1) + "/d"));
  }
}
