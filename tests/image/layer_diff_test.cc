// SPDX-License-Identifier: Apache-2.0
// Layers made of overlays: what is changed on a mount comes back when the layer is applied.
#include "layer/layer_diff.h"

#include "layer/tar_writer.h"
#include "layer_fixture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace onggi::image::test {
namespace {

namespace fs = std::filesystem;
using doctest::skip;

std::string content_of(int fd) {
  std::string bytes(static_cast<size_t>(lseek(fd, 0, SEEK_END)), '\0');
  REQUIRE(pread(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return bytes;
}

// A base layer, and an overlay on it to be changed.
class Changes {
 public:
  explicit Changes(const std::string& base) : base_(base) {
    lower_ = scratch_.make_directory("lower");
    upper_ = scratch_.make_directory("upper");
    REQUIRE(set_times(open_tree_root(lower_).get(), nullptr, 0, {}));
    Notices notices;
    Attributes attributes(notices);
    Rootfs rootfs(open_tree_root(lower_));
    REQUIRE(apply_blob(base, diff_id_of(base), rootfs, attributes, {}));
    REQUIRE(copy_directory_attributes(open_tree_root(lower_).get(), open_tree_root(upper_).get()));
    mount_ = mount_overlay({lower_}, upper_, scratch_.make_directory("work"));
  }

  // On the mount.
  std::string operator()(const std::string& name) const {
    return "/proc/self/fd/" + std::to_string(mount_.get()) + "/" + name;
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream((*this)(name), std::ios::binary) << text;
  }
  const std::string& upper() const { return upper_; }
  Tree merged() const { return without_fractions(read_tree(mount_.get())); }

  Result<LayerDiff> write_to(int fd, const DiffOptions& options = {}) const {
    return write_layer_diff(open_tree_root(upper_), open_tree_root(lower_), options, fd);
  }
  struct Made {
    LayerDiff diff;
    std::string bytes;
  };
  Made diff(const DiffOptions& options = {}) const {
    const UniqueFd memory(memfd_create("layer", MFD_CLOEXEC));
    Result<LayerDiff> made = write_to(memory.get(), options);
    if (!made) FAIL(made.error().place.view() << ": " << made.error().message.view());
    Made result{std::move(made).value(), content_of(memory.get())};
    CHECK(result.diff.blob.descriptor.size == result.bytes.size());
    CHECK(result.diff.blob.descriptor.digest == digest_of(result.bytes));
    CHECK(result.diff.blob.diff_id == diff_id_of(result.bytes));
    return result;
  }
  std::string error() const {
    const UniqueFd memory(memfd_create("layer", MFD_CLOEXEC));
    Result<LayerDiff> made = write_to(memory.get());
    REQUIRE(!made);
    return std::string(made.error().place.view()) + ": " +
           std::string(made.error().message.view()) + " (" + std::string(made.error().hint.view()) +
           ")";
  }
  // Names in the order of the tar.
  std::vector<std::string> names() const {
    const Made made = diff({.compression = Compression::none});
    std::vector<std::string> names;
    for (size_t at = 0; at + 512 <= made.bytes.size() && made.bytes[at] != '\0';) {
      const std::string header = made.bytes.substr(at, 512);
      if (header[156] != 'x') names.emplace_back(header.c_str());
      at += 512 + (std::stoul(header.substr(124, 11), nullptr, 8) + 511) / 512 * 512;
    }
    return names;
  }
  // The layer of all that, on the base, is what the mount shows.
  Tree check_round_trip() const {
    const Made made = diff();
    const Tree applied = without_fractions(tree_of({base_, made.bytes}, {.compare_names = false}));
    CHECK(describe(applied) == describe(merged()));
    CHECK(diff().bytes == made.bytes);
    return applied;
  }

  static Tree without_fractions(Tree tree) {
    for (auto& [path, node] : tree) node.mtime_ns = 0;
    return tree;
  }

 private:
  Scratch scratch_;
  std::string base_, lower_, upper_;
  UniqueFd mount_;
};

using Names = std::vector<std::string>;

TEST_CASE("Without a change there is no entry" * skip(lacks_root())) {
  const Changes changes(tar({directory("d"), file("d/f", "x")}));
  CHECK(changes.diff().diff.entries == 0);
  // Copied up, and the same.
  std::fstream(changes("d/f"), std::ios::in | std::ios::out).close();
  CHECK(fs::exists(changes.upper() + "/d/f"));
  CHECK(changes.diff().diff.entries == 0);
  CHECK(changes.names().empty());
}

TEST_CASE("What a runtime mounts on leaves no trace, in the directories around it neither" *
          skip(lacks_root())) {
  const Changes changes(tar({with_mtime(directory("."), 7), directory("etc"), directory("d")}));
  REQUIRE(mkdir(changes("proc").c_str(), 0755) == 0);
  changes.write("etc/hosts", "");
  const DiffOptions options = {.mount_points = {"proc", "etc/hosts"}};
  CHECK(changes.diff(options).diff.entries == 0);
  CHECK(changes.names() == Names{"./", "etc/", "etc/hosts", "proc/"});
  changes.write("etc/new", "x");
  CHECK(changes.diff(options).diff.entries == 1);
  REQUIRE(chmod(changes("etc").c_str(), 0700) == 0);
  CHECK(changes.diff(options).diff.entries == 2);
}

TEST_CASE("A change that keeps size and time is one" * skip(lacks_root())) {
  const Changes changes(tar({file("f", "old")}));
  changes.write("f", "new");
  const timespec times[] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  REQUIRE(utimensat(AT_FDCWD, changes("f").c_str(), times, 0) == 0);
  CHECK(changes.names() == Names{"f"});
  CHECK(changes.check_round_trip().at("f").content == "new");
}

TEST_CASE("New, changed and removed files of every kind come back" * skip(lacks_root())) {
  const Changes changes(tar({
      directory("etc"),
      file("etc/changed", "old"),
      file("etc/gone", "x"),
      file("etc/mode", "x"),
      directory("old"),
      directory("old/sub"),
      file("old/sub/x"),
      directory("was-directory"),
      file("was-directory/x"),
      file("was-file", "x"),
      symlink("was-link", "etc"),
      with_mtime(directory("quiet"), 5),
      file("quiet/x", "x"),
  }));
  changes.write("etc/changed", "new and longer");
  changes.write("etc/new", std::string(300'000, 'n'));
  fs::remove(changes("etc/gone"));
  REQUIRE(chmod(changes("etc/mode").c_str(), 04711) == 0);
  fs::remove_all(changes("old"));
  fs::remove_all(changes("was-directory"));
  changes.write("was-directory", "file");
  fs::remove(changes("was-file"));
  fs::create_directory(changes("was-file"));
  changes.write("was-file/x", "x");
  fs::remove(changes("was-link"));
  fs::create_directory(changes("was-link"));
  fs::create_symlink("nowhere", changes("dangling"));
  REQUIRE(mknod(changes("null").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0);
  REQUIRE(mkfifo(changes("pipe").c_str(), 0620) == 0);
  REQUIRE(lchown(changes("dangling").c_str(), 70'000, 4'000'000) == 0);
  const std::string odd = "odd\n\xff\xfe=" + std::string(200, 'n');
  changes.write(odd, "odd");
  REQUIRE(setxattr(changes("etc/new").c_str(), "user.a", "a=b\n\0c", 7, 0) == 0);
  REQUIRE(setxattr(changes("etc").c_str(), "trusted.overlay.mine", "1", 1, 0) == 0);
  const Tree tree = changes.check_round_trip();
  CHECK(paths_of(tree) == "dangling etc etc/changed etc/mode etc/new null " + odd +
                              " pipe quiet quiet/x was-directory was-file was-file/x was-link");
  CHECK(tree.at("quiet").mtime == 5);
  CHECK(tree.at("etc").xattrs.at("trusted.overlay.mine") == "1");
}

TEST_CASE("Entries stand in the order of their names, whiteouts first, nothing below them" *
          skip(lacks_root())) {
  const Changes changes(
      tar({directory("a"), directory("a/gone"), file("a/gone/x"), file("a/z"), file("top")}));
  fs::remove_all(changes("a/gone"));
  fs::remove(changes("a/z"));
  fs::remove(changes("top"));
  fs::create_directories(changes("a/b/c"));
  for (const char* name : {"a/b/f", "a-b", "a/.x", "a.b"}) changes.write(name, "x");
  CHECK(changes.names() == Names{"./", ".wh.top", "a-b", "a.b", "a/", "a/.wh.gone", "a/.wh.z",
                                 "a/.x", "a/b/", "a/b/c/", "a/b/f"});
}

TEST_CASE("A directory made anew hides what was in it, by one whiteout for each name" *
          skip(lacks_root())) {
  const Changes changes(
      tar({directory("d", 0700), file("d/a", "old"), file("d/b"), directory("d/s"), file("d/s/x"),
           file("d/s/y"), directory("d/t"), file("d/t/x")}));
  fs::remove_all(changes("d"));
  fs::create_directory(changes("d"));
  changes.write("d/a", "new");
  fs::create_directory(changes("d/s"));
  changes.write("d/s/y", "new");
  CHECK(changes.names() ==
        Names{"./", "d/", "d/.wh.b", "d/.wh.t", "d/a", "d/s/", "d/s/.wh.x", "d/s/y"});
  CHECK(paths_of(changes.check_round_trip()) == "d d/a d/s d/s/y");
}

TEST_CASE("Names of one file stay names of one file" * skip(lacks_root())) {
  const Changes changes(tar({file("low", "low"), directory("d")}));
  changes.write("d/m", "content");
  fs::create_hard_link(changes("d/m"), changes("a"));
  fs::create_hard_link(changes("d/m"), changes("z"));
  fs::create_hard_link(changes("low"), changes("second"));
  const Tree tree = changes.check_round_trip();
  CHECK(tree.at("z").first_name == "a");
  CHECK(tree.at("d/m").links == 3);
  CHECK(tree.at("second").first_name == "low");
  // Other programs find no target in a lower layer: it is in this one.
  const Names names = changes.names();
  CHECK(std::count(names.begin(), names.end(), "low") == 1);
}

TEST_CASE("A layer without one below has everything" * skip(lacks_root())) {
  const Scratch scratch;
  const std::string root = scratch.make_directory("root");
  std::ofstream(root + "/f") << "x";
  fs::create_directory(root + "/d");
  const UniqueFd memory(memfd_create("layer", MFD_CLOEXEC));
  Result<LayerDiff> made = write_layer_diff(open_tree_root(root), UniqueFd(),
                                            {.compression = Compression::zstd}, memory.get());
  REQUIRE(made);
  CHECK(made->entries == 3);
  CHECK(made->blob.descriptor.media_type == "application/vnd.oci.image.layer.v1.tar+zstd");
  const Tree before = Changes::without_fractions(read_tree(open_tree_root(root).get()));
  CHECK(describe(tree_of({content_of(memory.get())})) == describe(before));
}

TEST_CASE("Sockets are left out" * skip(lacks_root())) {
  const Changes changes(tar({file("f")}));
  const UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  changes("socket").copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  REQUIRE(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  CHECK(changes.names() == Names{"./"});
}

TEST_CASE("Whiteouts of the newer kind count too" * skip(lacks_root())) {
  const Changes changes(tar({directory("d"), file("d/gone", "x"), file("d/kept", "x")}));
  // As a program makes them that may make no devices (overlayfs.rst, "Whiteouts and opaque
  // directories"): it prepares the directory itself.
  fs::create_directory(changes.upper() + "/d");
  REQUIRE(setxattr((changes.upper() + "/d").c_str(), "trusted.overlay.opaque", "x", 1, 0) == 0);
  std::ofstream(changes.upper() + "/d/gone").close();
  REQUIRE(setxattr((changes.upper() + "/d/gone").c_str(), "trusted.overlay.whiteout", "y", 1, 0) ==
          0);
  CHECK(changes.names() == Names{"./", "d/", "d/.wh.gone"});
}

TEST_CASE("What overlayfs keeps elsewhere, and what a layer cannot say, is refused" *
          skip(lacks_root())) {
  struct Row {
    const char *mark, *message;
  };
  for (const Row& row : {Row{"trusted.overlay.redirect",
                             "'x': overlayfs has moved it from a lower layer and left it there "
                             "(mount with redirect_dir=off)"},
                         Row{"trusted.overlay.metacopy",
                             "'x': overlayfs has left its content in a lower layer (mount with "
                             "metacopy=off)"}}) {
    const Changes changes(tar({file("f")}));
    std::ofstream(changes.upper() + "/x").close();
    REQUIRE(setxattr((changes.upper() + "/x").c_str(), row.mark, "y", 1, 0) == 0);
    CHECK(changes.error() == row.message);
  }
  const Changes named(tar({directory("d")}));
  named.write("d/.wh.f", "x");
  CHECK(contains(named.error(), "'d/.wh.f': layers reserve names with .wh. for whiteouts"));
  const Changes attribute(tar({directory("d")}));
  attribute.write("f", "x");
  REQUIRE(setxattr(attribute("f").c_str(), "user.a=b", "1", 1, 0) == 0);
  CHECK(
      contains(attribute.error(), "'f': extended attribute 'user.a=b' cannot be stored in a tar"));
}

TEST_CASE("Times are clamped, whiteouts have none" * skip(lacks_root())) {
  const Changes changes(tar({file("gone"), with_mtime(directory("."), 7)}));
  changes.write("new", "x");
  changes.write("older", "x");
  const timespec times[] = {{50, 5}, {50, 5}};
  REQUIRE(utimensat(AT_FDCWD, changes("older").c_str(), times, 0) == 0);
  fs::remove(changes("gone"));
  const Changes::Made made = changes.diff({.epoch = 100});
  const Tree tree = tree_of({made.bytes});
  CHECK(tree.at("new").mtime == 100);
  CHECK(tree.at("").mtime == 100);
  CHECK(tree.at("older").mtime == 50);
  CHECK(tree.at("older").mtime_ns == 0);
  const std::string whiteout = changes.diff({.compression = Compression::none}).bytes;
  CHECK(whiteout.substr(whiteout.find(".wh.gone") + 100, 48) == std::string("0000000\0"
                                                                            "0000000\0"
                                                                            "0000000\0"
                                                                            "00000000000\0"
                                                                            "00000000000\0",
                                                                            48));
}

// ── another program reads it ──

bool lacks_umoci() {
  const bool lacks = access("/usr/bin/umoci", X_OK) != 0;
  if (lacks) fprintf(stderr, "SKIP: a case needs umoci (package umoci)\n");
  return lacks;
}

std::string blob_json(const std::string& type, const std::string& bytes) {
  return R"({"mediaType":")" + type + R"(","digest":")" + digest_of(bytes).text() + R"(","size":)" +
         std::to_string(bytes.size()) + "}";
}

void write_blob(const std::string& layout, const std::string& bytes) {
  std::ofstream(layout + "/blobs/sha256/" + std::string(digest_of(bytes).hex()), std::ios::binary)
      << bytes;
}

// An OCI layout of one image of these layers, named "latest".
void write_layout(const std::string& layout, const std::vector<std::string>& layers) {
  fs::create_directories(layout + "/blobs/sha256");
  std::string diff_ids, descriptors;
  for (const std::string& layer : layers) {
    write_blob(layout, layer);
    const std::string comma = diff_ids.empty() ? "" : ",";
    diff_ids += comma + '"' + diff_id_of(layer).text() + '"';
    descriptors += comma + blob_json("application/vnd.oci.image.layer.v1.tar+gzip", layer);
  }
  const std::string config =
      R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[)" + diff_ids +
      "]}}";
  write_blob(layout, config);
  const std::string manifest = R"({"schemaVersion":2,"config":)" +
                               blob_json("application/vnd.oci.image.config.v1+json", config) +
                               R"(,"layers":[)" + descriptors + "]}";
  write_blob(layout, manifest);
  std::string index = blob_json("application/vnd.oci.image.manifest.v1+json", manifest);
  index.insert(index.size() - 1,
               R"(,"annotations":{"org.opencontainers.image.ref.name":"latest"})");
  std::ofstream(layout + "/index.json") << R"({"schemaVersion":2,"manifests":[)" << index << "]}";
  std::ofstream(layout + "/oci-layout") << R"({"imageLayoutVersion":"1.0.0"})";
}

TEST_CASE("umoci unpacks the same tree" * skip(lacks_root() || lacks_umoci())) {
  const std::string base = gzip(tar({directory("d"), file("d/gone"), file("d/kept", "x"),
                                     directory("again"), file("again/old")}));
  const Changes changes(base);
  fs::remove(changes("d/gone"));
  fs::remove_all(changes("again"));
  fs::create_directory(changes("again"));
  changes.write("again/new", "x");
  changes.write(std::string(150, 'n'), "long");
  fs::create_hard_link(changes("d/kept"), changes("link"));
  REQUIRE(chown(changes("again/new").c_str(), 5, 3'000'000) == 0);
  REQUIRE(setxattr(changes("again/new").c_str(), "user.a", "1", 1, 0) == 0);
  const Scratch scratch;
  write_layout(scratch.path() + "/image", {base, changes.diff().bytes});
  const std::string command = "umoci unpack --image " + scratch.path() + "/image:latest " +
                              scratch.path() + "/bundle >/dev/null";
  REQUIRE(system(command.c_str()) == 0);
  const UniqueFd root = open_tree_root(scratch.path() + "/bundle/rootfs");
  Tree unpacked = Changes::without_fractions(read_tree(root.get()));
  Tree merged = changes.merged();
  CHECK(describe(unpacked) == describe(merged));
}

}  // namespace
}  // namespace onggi::image::test
