// SPDX-License-Identifier: Apache-2.0
// Layers that want out of the root or want more than there is. A canary outside of the root must
// not change.
#include "layer_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace onggi::image::test {
namespace {

using doctest::skip;

// A directory with a file, and what the kernel said of them before.
class Canary {
 public:
  Canary() {
    scratch_.write("file", "canary");
    REQUIRE(chmod((path() + "/file").c_str(), 0640) == 0);
    before_ = describe(read_tree(scratch_.fd()));
  }
  const std::string& path() const { return scratch_.path(); }
  // From within a root: as many steps up as any path can need.
  std::string climbing() const {
    std::string steps = "..";
    for (int i = 0; i < 20; ++i) steps += "/..";
    return steps + path();
  }
  bool unchanged() const { return describe(read_tree(scratch_.fd())) == before_; }

 private:
  Scratch scratch_;
  std::string before_;
};

TEST_CASE("Neither names nor links lead out of the root" * skip(lacks_root())) {
  const Canary canary;
  const std::string inside = canary.path().substr(1);
  const std::vector<std::vector<Item>> layers = {
      {file(canary.climbing() + "/pwn", "x")},
      {file(canary.path() + "/pwn", "x")},
      {symlink("s", canary.path()), file("s/pwn", "x"), directory("s", 0777)},
      {symlink("s", canary.climbing()), file("s/pwn", "x"), file("s/file", "x")},
      {symlink("s", ".."), symlink("s/t", canary.climbing()), file("s/t/pwn", "x")},
      {symlink("a", "b"), symlink("b", canary.path()), file("a/file", "x", 0777)},
      {symlink("f", canary.path() + "/file"), file("f", "x", 0777)},
      {symlink("f", canary.path() + "/file"), hardlink("g", "f"), file("g", "x", 0777)},
      {symlink("f", canary.path() + "/file"), with_owner(directory("f", 0777), 5, 5)},
      {symlink("s", canary.path()), file("s/.wh.file"), file("s/.wh..wh..opq"), file(".wh.s")},
      {symlink("s", canary.path()), directory("s"), file("s/file", "x")},
      {directory("d"), symlink("d", canary.path()), file("d/file", "x")},
      {symlink("p", "/proc/self/root" + canary.path()), file("p/pwn", "x")},
  };
  for (const std::vector<Item>& items : layers) {
    CAPTURE(items.front().name);
    // All in one layer, and each in one of its own.
    std::vector<std::string> single;
    for (const Item& each : items) single.push_back(tar({each}));
    (void)tree_of({tar(items)});
    (void)tree_of(single, {.compare_names = false});
    CHECK(canary.unchanged());
  }
  const Tree tree = flat_tree_of({tar({symlink("s", canary.path()), file("s/pwn", "in")})});
  CHECK(tree.at(inside + "/pwn").content == "in");
}

TEST_CASE("Hardlinks do not reach out of the root" * skip(lacks_root())) {
  const Canary canary;
  for (const std::string& target :
       {canary.path() + "/file", canary.climbing() + "/file", std::string("s/file")}) {
    CAPTURE(target);
    CHECK(contains(error_of({tar({symlink("s", canary.path())}),
                             tar({hardlink("g", target), file("g", "x", 0777)})}),
                   "'g': a hardlink to '"));
    CHECK(canary.unchanged());
  }
}

TEST_CASE("The root is a directory and stays one" * skip(lacks_root())) {
  const Canary canary;
  for (const char* name : {".", "./.", "a/.."}) {
    for (const Item& item : {symlink(name, canary.path()), file(name, "x"), fifo(name)}) {
      CAPTURE(name);
      CHECK(contains(error_of({tar({}), tar({item, file("pwn", "x")})}),
                     "the root must be a directory"));
    }
    CHECK(
        contains(error_of({tar({}), tar({hardlink(name, "x")})}), "the root must be a directory"));
  }
  CHECK(canary.unchanged());
}

std::string deep_path(size_t size, const std::string& step) {
  std::string path = step;
  while (path.size() < size) path += "/" + step;
  return path;
}

TEST_CASE("Deep trees are made and removed, deeper ones refused" * skip(lacks_root())) {
  const std::string deep = deep_path(5000, "dir");
  const Tree tree = tree_of({tar({file(deep + "/f"), file("kept")}), tar({file(".wh.dir")})});
  CHECK(paths_of(tree) == "kept");
  CHECK(contains(error_of({tar({}), tar({file(deep_path(16385, "d"))})}),
                 "a path of 16385 bytes, at most 16384"));
  // By way of links a short name may stand for a deep path.
  std::vector<Item> items;
  const std::string part = deep_path(3000, std::string(200, 'd'));
  for (const auto& [name, below] :
       {std::pair("a", ""), {"b", "a/"}, {"c", "b/"}, {"d", "c/"}, {"e", "d/"}, {"f", "e/"}})
    items.push_back(symlink(name, below + part));
  CHECK(contains(error_of({tar(items), tar({file("f/x")})}), "bytes, at most 16384"));
}

TEST_CASE("Names take no more memory than is allowed" * skip(lacks_root())) {
  LayerLimits limits;
  limits.names = 1 << 20;
  const std::string deep = deep_path(8000, "dir");
  CHECK(contains(error_of({tar({}), tar({file(deep)})}, {.limits = limits}),
                 "more than 1048576 bytes of names"));
  std::vector<Item> links;
  for (int i = 0; i < 6000; ++i) {
    links.push_back(hardlink("link" + std::to_string(i), std::string(200, 't')));
  }
  CHECK(contains(error_of({tar({}), tar(links)}, {.limits = limits}),
                 "more than 1048576 bytes of names"));
}

TEST_CASE("A layer that is cut off, or has less than it says, is an error that names the file" *
          skip(lacks_root())) {
  const std::string large = tar_entry(file("dir/f", std::string(5000, 'x')));
  for (const std::string& blob :
       {large.substr(0, 3000), gzip(large.substr(0, 3000)),
        tar_header(file("dir/f"), 1 << 20) + tar_end(),
        tar_header(file("dir/f"), uint64_t{1} << 36) + std::string(3000, 'x')}) {
    const std::string text = error_of({tar({}), blob});
    CHECK(contains(text, "'dir/f': the tar is damaged: it ends within a file"));
  }
  CHECK(contains(error_of({tar({}), tar_header(file("f"), uint64_t{1} << 37)}),
                 "'f': more than 68719476736 bytes of files"));
  const std::string blob = gzip(large + tar_end());
  CHECK(contains(error_of({tar({}), blob.substr(0, blob.size() - 9)}),
                 "the compressed data ends too early"));
}

TEST_CASE("A long chain of hardlinks in the wrong order ends soon" * skip(lacks_root())) {
  std::vector<Item> links;
  for (int i = 0; i < 2000; ++i)
    links.push_back(hardlink("l" + std::to_string(i), "l" + std::to_string(i + 1)));
  CHECK(
      contains(error_of({tar({}), tar(links)}), "a hardlink to 'l1', which is not in this layer"));
}

TEST_CASE("Somebody who swaps directories and links meanwhile gets nothing written outside" *
          skip(lacks_root())) {
  const Canary canary;
  const Scratch scratch;
  const std::string root = scratch.make_directory("root");
  REQUIRE(mkdir((root + "/d").c_str(), 0755) == 0);
  REQUIRE(::symlink(canary.path().c_str(), (root + "/l").c_str()) == 0);
  std::atomic<bool> stop = false;
  std::thread swapper([&] {
    constexpr unsigned kExchange = 2;  // RENAME_EXCHANGE
    while (!stop) {
      (void)syscall(SYS_renameat2, AT_FDCWD, (root + "/d").c_str(), AT_FDCWD, (root + "/l").c_str(),
                    kExchange);
    }
  });
  std::vector<Item> items;
  for (int i = 0; i < 500; ++i) {
    const std::string name = "d/file" + std::to_string(i % 50);
    items.push_back(with_owner(file(name, "pwn", 0777), 5, 5));
    items.push_back(directory("d/sub/" + std::to_string(i), 0777));
    items.push_back(file("d/.wh.file"));
    items.push_back(fifo("d/file"));
    items.push_back(symlink("d/link", "x"));
  }
  const std::string layer = tar(items);
  for (int round = 0; round < 10; ++round) {
    Notices notices;
    Attributes attributes(notices);
    // It may fail: the tree is not what the layer was told.
    Rootfs rootfs(open_tree_root(root));
    (void)apply_blob(layer, diff_id_of(layer), rootfs, attributes, {});
  }
  stop = true;
  swapper.join();
  CHECK(canary.unchanged());
}

}  // namespace
}  // namespace onggi::image::test
