// SPDX-License-Identifier: Apache-2.0
// `verify` and the layers that are unpacked in the store.
#include "image_fixture.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>

using namespace onggi;
using namespace onggi::image;
using namespace onggi::image::test;

namespace {

namespace fs = std::filesystem;
using doctest::skip;

bool lacks_root() {
  if (geteuid() == 0) return false;
  MESSAGE("SKIP: layers are made by root");
  return true;
}

std::string lower_layer() {
  return Tar()
      .directory("etc")
      .file("etc/passwd", "root:x:0:0")
      .hardlink("etc/second", "etc/passwd")
      .file("etc/other", "root:x:0:0")
      .symlink("link", "etc/passwd")
      .add({"fifo", '6', {}, {}, 0600})
      .directory("gone")
      .file("gone/file", "x")
      .bytes();
}
// With a whiteout, an opaque directory and a file that is copied up for a link to it.
std::string upper_layer() {
  return Tar()
      .file(".wh.link", "")
      .file("gone/.wh..wh..opq", "")
      .file("gone/new", "y")
      .hardlink("etc/third", "etc/other")
      .bytes();
}

struct Change {
  const char* what;
  bool content_only;
  std::string said;
  void (*make)(const std::string& root);
};

void write_byte(const std::string& path, int64_t mtime) {
  std::fstream(path, std::ios::in | std::ios::out).put('R');
  const timespec times[] = {{mtime, 0}, {mtime, 0}};
  REQUIRE(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

const Change kChanges[] = {
    {"a byte", true, "'etc/passwd' differs in content",
     [](const std::string& root) { write_byte(root + "/etc/passwd", 1'000'000'000); }},
    {"a time", false, "'etc/passwd' differs in time",
     [](const std::string& root) {
       const timespec times[] = {{7, 0}, {7, 0}};
       REQUIRE(utimensat(AT_FDCWD, (root + "/etc/passwd").c_str(), times, 0) == 0);
     }},
    {"a size", false, "'etc/passwd' differs in size, time",
     [](const std::string& root) { REQUIRE(truncate((root + "/etc/passwd").c_str(), 3) == 0); }},
    {"a mode", false, "'etc/passwd' differs in mode",
     [](const std::string& root) { REQUIRE(chmod((root + "/etc/passwd").c_str(), 0777) == 0); }},
    {"an owner", false, "'fifo' differs in owner",
     [](const std::string& root) { REQUIRE(chown((root + "/fifo").c_str(), 1, 0) == 0); }},
    {"a target", false, "'link' differs in target",
     [](const std::string& root) {
       REQUIRE(unlink((root + "/link").c_str()) == 0);
       REQUIRE(symlink("etc/shadow", (root + "/link").c_str()) == 0);
     }},
    {"a type", false, "'etc/passwd' has another type",
     [](const std::string& root) {
       REQUIRE(unlink((root + "/etc/passwd").c_str()) == 0);
       REQUIRE(mkfifo((root + "/etc/passwd").c_str(), 0644) == 0);
     }},
    {"names of a file", false, "'etc/second' differs in time, names",
     [](const std::string& root) {
       fs::rename(root + "/etc/second", root + "/etc/s");
       fs::copy_file(root + "/etc/s", root + "/etc/second");
       fs::remove(root + "/etc/s");
     }},
    {"a missing file", false, "'etc/other' is missing",
     [](const std::string& root) { REQUIRE(unlink((root + "/etc/other").c_str()) == 0); }},
    {"another file", false, "'gone/more' is not from the image",
     [](const std::string& root) { std::ofstream(root + "/gone/more") << "x"; }},
    {"an attribute", false, "'etc/passwd' differs in extended attributes",
     [](const std::string& root) {
       REQUIRE(setxattr((root + "/etc/passwd").c_str(), "trusted.x", "1", 1, 0) == 0);
     }},
    {"an opaque mark", false, "'gone' differs in extended attributes",
     [](const std::string& root) {
       REQUIRE(setxattr((root + "/gone").c_str(), "trusted.overlay.opaque", "y", 1, 0) == 0);
     }},
};

class VerifiedStore {
 public:
  VerifiedStore() : from_(scratch_.path("from")) {
    from_.name(from_.image({lower_layer(), upper_layer()}), "a");
    pull();
    for (const auto& each : fs::directory_iterator(scratch_.path("store/layers"))) {
      const std::string root = each.path().string() + "/fs";
      (fs::exists(root + "/etc/passwd") ? lower : upper) = root;
    }
    REQUIRE(!lower.empty());
    REQUIRE(!upper.empty());
  }
  Run operator()(std::vector<std::string> words) const {
    words.insert(words.begin(), {ONGGI_IMAGE, "--root", scratch_.path("store")});
    return run(words);
  }
  void pull() const {
    const Run copied = (*this)({"copy", "-q", "oci:" + from_.path() + ":a", "a"});
    CAPTURE(copied.err);
    REQUIRE(copied.status == 0);
  }
  bool leaves_nothing() const { return fs::is_empty(scratch_.path("store/work")); }

  std::string lower, upper;

 private:
  Scratch scratch_;
  TestLayout from_;
};

void check(const VerifiedStore& store, const std::vector<std::string>& options, int status,
           const std::string& said) {
  std::vector<std::string> words = {"verify"};
  words.insert(words.end(), options.begin(), options.end());
  const Run result = store(words);
  CAPTURE(result.out);
  CAPTURE(result.err);
  CHECK(result.status == status);
  CHECK(result.out.find(said) != std::string::npos);
  CHECK(store.leaves_nothing());
}

}  // namespace

TEST_SUITE("store: verify") {
  TEST_CASE("verify finds every change of an unpacked layer, and pulling again mends it" *
            skip(lacks_root())) {
    const VerifiedStore store;
    check(store, {}, 0, "no damage found");
    check(store, {"--quick"}, 0, "no damage found");
    for (const Change& change : kChanges) {
      const std::string what = change.what;
      CAPTURE(what);
      change.make(store.lower);
      if (change.content_only) {
        check(store, {"--quick"}, 0, "no damage found");
      } else {
        check(store, {"--quick"}, 1, change.said);
      }
      check(store, {}, 1, change.said);
      check(store, {"--remove-damaged"}, 1, "damaged, and removed: pull the images again");
      CHECK(!fs::exists(store.lower));
      store.pull();
      check(store, {}, 0, "no damage found");
    }
  }

  TEST_CASE("verify sees that overlayfs's marks of a layer are gone" * skip(lacks_root())) {
    const VerifiedStore store;
    REQUIRE(unlink((store.upper + "/link").c_str()) == 0);
    check(store, {}, 1, "'link' is missing");
  }
}
