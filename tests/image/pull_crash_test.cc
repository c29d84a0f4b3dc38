// SPDX-License-Identifier: Apache-2.0
// A pull from a registry, with its layers unpacked, that is killed at each of its system calls:
// what is left is a whole store, and the next pull makes of it what the first would have made. At
// calls that change nothing (recv, poll, futex) it is killed here and there; with ONGGI_KILL_AT_ALL
// in the environment at all of them.
#include "fake_registry.h"
#include "killed_command.h"
#include "model/platform.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <climits>
#include <fstream>

using namespace onggi::image;
using namespace onggi::image::test;

namespace {

namespace fs = std::filesystem;

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Too much for one read of the client's, and nothing that gzip could make small.
std::string noise() {
  std::string bytes(150'000, '\0');
  uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

std::vector<std::string> layers() {
  Tar base, middle, top;
  base.directory(".").directory("bin", 01755).file("bin/sh", noise(), 04755);
  base.symlink("sh", "bin/sh").hardlink("ash", "bin/sh");
  base.file("gone", "x").directory("dir").file("dir/old", "o");
  middle.file(".wh.gone", "").file("etc/os-release", "ID=test\n");
  top.file(".wh.dir", "").directory("dir").file("dir/new", "n");
  top.add({"owned", '0', "mine", {}, 0640, 7, 8});
  return {base.bytes(), middle.bytes(), top.bytes()};
}

// Serves an index for two platforms, the first of which is this machine's.
class Served {
 public:
  explicit Served(const MemoryPlace& place) : layout_(place.path + "/from") {
    std::vector<std::string> blobs;
    for (const std::string& tar : layers()) blobs.push_back(run({"gzip", "-nc"}, tar).out);
    const Descriptor image = layout_.image(blobs, host_platform().architecture, kCreated, layers());
    const Descriptor other = layout_.image({layers()[1]}, "sparc64");
    const Descriptor index = layout_.index({image, other});
    for (const auto& entry : fs::directory_iterator(layout_.path() + "/blobs/sha256")) {
      const std::string name = "sha256:" + entry.path().filename().string();
      server_.add("/v2/team/app/blobs/" + name, read(entry.path()));
    }
    for (const Descriptor& each : {index, image}) add_manifest(each, each.digest.text());
    add_manifest(index, "1");
    digest_ = image.digest.text();
  }
  std::string name() const { return server_.host() + "/team/app:1"; }
  // Of the one that a pull chooses.
  const std::string& digest() const { return digest_; }
  bool was_asked_for_a_rest() const {
    return std::ranges::any_of(server_.received(), [](const Received& each) {
      return each.has("range") && !each.headers.at("range").starts_with("bytes=0-");
    });
  }

 private:
  void add_manifest(const Descriptor& manifest, const std::string& version) {
    server_.add("/v2/team/app/manifests/" + version, read(layout_.blob_file(manifest.digest)),
                {"Content-Type: " + manifest.media_type});
  }

  TestLayout layout_;
  FakeRegistry server_;
  std::string digest_;
};

// Values of overlayfs's own attributes name inodes.
std::string xattr_names(const std::string& path) {
  char names[1024] = {};
  const ssize_t size = llistxattr(path.c_str(), names, sizeof names);
  std::replace(names, names + std::max<ssize_t>(size, 0), '\0', ' ');
  return names;
}

// Other tests mount elsewhere at the same time.
bool is_mounted_on(const MemoryPlace& place) {
  return read("/proc/self/mountinfo").find(place.path) != std::string::npos;
}

// All that a pull is to make. Left out is what differs from one to the next: the time of the
// directory around a layer; time and names of overlayfs's marks of what a layer hides.
std::string made(const MemoryPlace& place) {
  const std::string layers = place.path + "/store/layers";
  std::vector<std::string> lines;
  for (auto entry = fs::recursive_directory_iterator(layers); entry != fs::end(entry); ++entry) {
    const std::string file = entry->path().string();
    struct stat info = {};
    REQUIRE(lstat(file.c_str(), &info) == 0);
    const bool is_mark = S_ISCHR(info.st_mode), is_new = is_mark || entry.depth() == 0;
    char text[128];
    snprintf(text, sizeof text, " %06o %u:%u %ld %zu ", info.st_mode, info.st_uid, info.st_gid,
             is_new ? 0 : info.st_mtim.tv_sec, is_mark ? 1 : info.st_nlink);
    std::string line = file.substr(layers.size()) + text + xattr_names(file);
    if (S_ISREG(info.st_mode)) line += digest_of(read(file)).text();
    if (S_ISLNK(info.st_mode)) line += fs::read_symlink(file).string();
    lines.push_back(line + "\n");
  }
  std::ranges::sort(lines);
  std::string all = read(place.path + "/store/index.json") + "\n";
  for (const std::string& line : lines) all += line;
  return all;
}

}  // namespace

TEST_SUITE("pull: killed") {
  TEST_CASE("a pull from a registry, at each of its calls") {
    const MemoryPlace place;
    setenv("HOME", place.path.c_str(), 1);
    setenv("TMPDIR", place.path.c_str(), 1);
    const Served served(place);
    const std::vector<std::string> pull = {"pull", "--quiet", served.name()};
    REQUIRE(place.must(pull) == served.digest() + "\n");
    const std::string wanted = made(place);
    CHECK(wanted.find("trusted.overlay.opaque") != wanted.npos);
    place.must({"gc"});
    const std::string whole = place.names();
    const unsigned most = getenv("ONGGI_KILL_AT_ALL") == nullptr ? 60 : UINT_MAX;

    const Kills kills = kill_everywhere(place, {.words = pull, .most_other = most}, [&] {
      CHECK(!is_mounted_on(place));
      const std::string listed = place.must({"list", "--quiet"});
      CHECK((listed.empty() || listed == served.name() + "\n"));
      place.must({"verify"});
      CHECK(place.must(pull) == served.digest() + "\n");
      REQUIRE(made(place) == wanted);
      place.must({"verify"});
      place.must({"gc"});
      REQUIRE(place.names() == whole);
    });
    MESSAGE(kills.at_changes << " kills at changes, " << kills.at_others << " elsewhere");
    CHECK(kills.at_changes > 100);
    CHECK(kills.at_others >= 50);
    CHECK(served.was_asked_for_a_rest());
  }
}
