// SPDX-License-Identifier: Apache-2.0
// See the header. The tree is read with plain system calls: the code under test has no part in it.
#include "layer_fixture.h"

#include "base/file.h"
#include "base/log.h"
#include "layer/layer_apply.h"
#include "layer/remove_tree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace onggi::image::test {
namespace {

std::string describe(const Node& node, bool names) {
  char text[256];
  snprintf(text, sizeof text, "%06o %u:%u size %llu device %llx mtime %lld.%09u", node.mode,
           node.uid, node.gid, static_cast<unsigned long long>(node.size),
           static_cast<unsigned long long>(node.device), static_cast<long long>(node.mtime),
           node.mtime_ns);
  std::string line = text;
  if (names) line += " names " + std::to_string(node.links) + " of " + node.first_name;
  for (const auto& [name, value] : node.xattrs) line += " " + name + "=" + value;
  return line + " '" + node.content.substr(0, 64) + "'";
}

std::string describe(const Tree& tree, bool names) {
  std::string text;
  for (const auto& [path, node] : tree) text += path + ": " + describe(node, names) + "\n";
  return text;
}

std::string line_of(const Tree& tree, const std::string& path, bool names) {
  const auto found = tree.find(path);
  return found == tree.end() ? "absent" : describe(found->second, names);
}

std::string differences(const Tree& one, const Tree& other, bool names) {
  Tree all = one;
  all.insert(other.begin(), other.end());
  std::string text;
  for (const auto& [path, node] : all) {
    const std::string line = line_of(one, path, names), line2 = line_of(other, path, names);
    if (line != line2) text += path + "\n  " + line + "\n  " + line2 + "\n";
  }
  return text;
}

// Relative to a descriptor: paths may be longer than the kernel takes.
class TreeReader {
 public:
  explicit TreeReader(Tree& tree) : tree_(tree) {}

  void read(int parent, const std::string& name, const std::string& path) {
    struct stat info = {};
    REQUIRE(fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0);
    Node node;
    node.mode = info.st_mode;
    node.uid = info.st_uid;
    node.gid = info.st_gid;
    node.mtime = info.st_mtim.tv_sec;
    node.mtime_ns = static_cast<unsigned>(info.st_mtim.tv_nsec);
    node.atime = info.st_atim.tv_sec;
    if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) node.device = info.st_rdev;
    if (!S_ISDIR(info.st_mode)) {
      node.links = static_cast<unsigned>(info.st_nlink);
      const auto key = std::pair(info.st_dev, info.st_ino);
      node.first_name = first_names_.try_emplace(key, path).first->second;
    }
    const std::string by_descriptor = "/proc/self/fd/" + std::to_string(parent) + "/" + name;
    read_xattrs(by_descriptor, node);
    if (S_ISREG(info.st_mode)) read_file(by_descriptor, info, node);
    if (S_ISLNK(info.st_mode)) read_link(by_descriptor, node);
    tree_[path] = node;
    if (!S_ISDIR(info.st_mode)) return;
    const UniqueFd fd(open(by_descriptor.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() >= 0) return read_children(fd.get(), path);
    REQUIRE((info.st_mode & 0700) == 0);
  }

 private:
  void read_children(int fd, const std::string& path) {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/self/fd/" + std::to_string(fd)))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) read(fd, name, path.empty() ? name : path + "/" + name);
  }

  static void read_xattrs(const std::string& path, Node& node) {
    char names[4096];
    const ssize_t size = llistxattr(path.c_str(), names, sizeof names);
    for (const char* name = names; name < names + size; name += strlen(name) + 1) {
      char value[4096];
      const ssize_t length = lgetxattr(path.c_str(), name, value, sizeof value);
      REQUIRE(length >= 0);
      node.xattrs[name] = std::string(value, static_cast<size_t>(length));
    }
  }

  // Of a large file only its size: it is one with holes.
  static void read_file(const std::string& path, const struct stat& info, Node& node) {
    node.size = static_cast<uint64_t>(info.st_size);
    if (node.size > (16u << 20)) return;
    std::ifstream in(path, std::ios::binary);
    node.content.resize(node.size);
    in.read(node.content.data(), info.st_size);
    node.content.resize(static_cast<size_t>(in.gcount()));
  }

  static void read_link(const std::string& path, Node& node) {
    char target[4097];
    const ssize_t size = readlink(path.c_str(), target, sizeof target);
    REQUIRE(size >= 0);
    node.content = std::string(target, static_cast<size_t>(size));
  }

  Tree& tree_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
};

// Of an overlay's directories only the root is not copied up.
std::string new_root(const Scratch& scratch, const std::string& name, const std::string& below) {
  const std::string path = scratch.make_directory(name);
  const UniqueFd root = open_tree_root(path);
  if (below.empty()) {
    REQUIRE(set_times(root.get(), nullptr, 0, {}));
  } else {
    REQUIRE(copy_directory_attributes(open_tree_root(below).get(), root.get()));
  }
  return path;
}

struct Outcome {
  Result<> result;
  Tree tree;
};

Result<> apply_flat(const std::vector<std::string>& layers, const std::string& root,
                    const ApplyOptions& options) {
  Notices notices;
  Attributes attributes(notices);
  for (const std::string& layer : layers) {
    Rootfs rootfs(open_tree_root(root));
    TRY(apply_blob(layer, diff_id_of(layer), rootfs, attributes, options.limits));
  }
  return {};
}

// As the store does it: each layer on an overlay whose upper directory becomes its layer.
Result<> apply_overlay(const std::vector<std::string>& layers, const Scratch& scratch,
                       std::vector<std::string>& made, const ApplyOptions& options) {
  Notices notices;
  Attributes attributes(notices);
  for (const std::string& layer : layers) {
    const std::string name = std::to_string(made.size());
    const std::string upper =
        new_root(scratch, "layer" + name, made.size() == 1 ? "" : made.back());
    Rootfs rootfs(mount_overlay(made, upper, scratch.make_directory("work" + name)),
                  open_tree_root(upper));
    TRY(apply_blob(layer, diff_id_of(layer), rootfs, attributes, options.limits));
    made.push_back(upper);
  }
  return {};
}

Outcome flat(const std::vector<std::string>& layers, const ApplyOptions& options) {
  const Scratch scratch;
  const std::string root = new_root(scratch, "root", "");
  Outcome outcome{apply_flat(layers, root, options), {}};
  outcome.tree = read_tree(open_tree_root(root).get());
  return outcome;
}

Outcome overlay(const std::vector<std::string>& layers, const ApplyOptions& options) {
  const Scratch scratch;
  std::vector<std::string> made = {scratch.make_directory("empty")};
  Outcome outcome{apply_overlay(layers, scratch, made, options), {}};
  if (!outcome.result) return outcome;
  outcome.tree = read_tree(mount_overlay(made, "", "").get());
  return outcome;
}

std::string text_of(const Error& error) {
  std::string text(error.place.view());
  text.append(": ").append(error.message.view());
  if (error.errnum != 0) text.append(": ").append(strerror(error.errnum));
  if (!error.hint.empty()) text.append(" (").append(error.hint.view()).append(")");
  return text;
}

}  // namespace

Tree read_tree(int directory) {
  Tree tree;
  TreeReader(tree).read(directory, ".", "");
  return tree;
}

std::string describe(const Tree& tree) {
  return describe(tree, true);
}

std::string paths_of(const Tree& tree) {
  std::string text;
  for (const auto& [path, node] : tree) {
    if (!path.empty()) text += (text.empty() ? "" : " ") + path;
  }
  return text;
}

bool contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return true;
  MESSAGE("the text is: " << text);
  return false;
}

bool lacks_root() {
  static const bool lacks = geteuid() != 0;
  static bool said = false;
  if (lacks && !said) fprintf(stderr, "SKIP: most cases of layers need root\n");
  said = true;
  return lacks;
}

Scratch::Scratch() {
  std::string pattern = "/tmp/onggi-layer-test-XXXXXX";
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
  fd_ = UniqueFd(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

// Trees may be deeper than what std::filesystem can remove.
Scratch::~Scratch() {
  const UniqueFd parent(open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const Result<> removed = remove_tree(parent.get(), path_.substr(path_.rfind('/') + 1));
  if (!removed) fprintf(stderr, "cannot remove %s\n", path_.c_str());
}

std::string Scratch::make_directory(const std::string& name) const {
  const std::string path = path_ + "/" + name;
  REQUIRE(mkdir(path.c_str(), 0755) == 0);
  return path;
}

std::string Scratch::write(const std::string& name, const std::string& text) const {
  std::ofstream(path_ + "/" + name, std::ios::binary) << text;
  return path_ + "/" + name;
}

UniqueFd open_tree_root(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  REQUIRE(fd.get() >= 0);
  return fd;
}

UniqueFd mount_overlay(const std::vector<std::string>& lower, const std::string& upper,
                       const std::string& work) {
  // Short names: fsconfig(2) takes 256 bytes.
  std::vector<UniqueFd> held;
  std::string layers;
  for (auto path = lower.rbegin(); path != lower.rend(); ++path) {
    held.push_back(open_tree_root(*path));
    layers += (layers.empty() ? "" : ":") + ("/proc/self/fd/" + std::to_string(held.back().get()));
  }
  const UniqueFd context(sys::fsopen("overlay"));
  REQUIRE(context.get() >= 0);
  const auto set = [&](const char* key, const std::string& value) {
    REQUIRE(sys::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value.c_str()) == 0);
  };
  set("lowerdir", layers);
  if (!upper.empty()) {
    set("upperdir", upper);
    set("workdir", work);
  }
  REQUIRE(sys::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr) == 0);
  const UniqueFd mount(sys::fsmount(context.get(), 0));
  REQUIRE(mount.get() >= 0);
  UniqueFd root(openat(mount.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  REQUIRE(root.get() >= 0);
  return root;
}

Digest diff_id_of(const std::string& blob) {
  std::unique_ptr<Decoder> decoder = make_decoder(blob);
  Hasher hasher(Algorithm::sha256);
  for (std::string_view rest = blob;;) {
    Result<std::string_view> bytes = decoder->decode(rest);
    if (!bytes || bytes->empty()) return hasher.finish();
    hasher.update(*bytes);
  }
}

Result<> apply_blob(const std::string& blob, const Digest& diff_id, Rootfs& rootfs,
                    Attributes& attributes, const LayerLimits& limits) {
  const UniqueFd memory(memfd_create("blob", MFD_CLOEXEC));
  TRY(write_all(memory.get(), "blob", blob));
  REQUIRE(lseek(memory.get(), 0, SEEK_SET) == 0);
  Descriptor descriptor;
  descriptor.digest = digest_of(blob);
  descriptor.size = blob.size();
  LayerStream stream(UniqueFd(dup(memory.get())), descriptor, diff_id, limits);
  TarReader reader(stream);
  TRY(LayerApplier(rootfs, attributes, limits).apply(reader));
  return stream.finish();
}

Tree tree_of(const std::vector<std::string>& layers, const ApplyOptions& options) {
  const Outcome one = flat(layers, options), other = overlay(layers, options);
  if (!one.result) FAIL("flat: " << text_of(one.result.error()));
  if (!other.result) FAIL("overlay: " << text_of(other.result.error()));
  const std::string difference = differences(one.tree, other.tree, options.compare_names);
  CHECK_MESSAGE(difference.empty(), "flat and overlay differ:\n" << difference);
  return one.tree;
}

std::string difference_of_forms(const std::vector<std::string>& layers,
                                const ApplyOptions& options) {
  const Outcome one = flat(layers, options), other = overlay(layers, options);
  if (one.result && other.result) return differences(one.tree, other.tree, options.compare_names);
  const std::string text = one.result ? "no error" : text_of(one.result.error());
  const std::string text2 = other.result ? "no error" : text_of(other.result.error());
  return text == text2 ? "" : "flat: " + text + "\noverlay: " + text2 + "\n";
}

std::string difference_of_orders(const std::vector<std::string>& layers,
                                 const std::vector<std::string>& others) {
  const Outcome one = flat(layers, {}), other = flat(others, {});
  if (one.result && other.result) return differences(one.tree, other.tree, false);
  if (!one.result && !other.result) return "";
  const std::string text = text_of(one.result ? other.result.error() : one.result.error());
  const bool refused = text.find("the layer replaces or hides this link") != std::string::npos ||
                       text.find("Too many levels of symbolic links") != std::string::npos;
  return refused ? "" : "in one order: " + text + "\n";
}

Tree flat_tree_of(const std::vector<std::string>& layers) {
  Outcome outcome = flat(layers, {});
  if (!outcome.result) FAIL(text_of(outcome.result.error()));
  return outcome.tree;
}

std::string flat_error_of(const std::vector<std::string>& layers) {
  const Outcome outcome = flat(layers, {});
  REQUIRE(!outcome.result);
  return text_of(outcome.result.error());
}

std::string error_of(const std::vector<std::string>& layers, const ApplyOptions& options) {
  const std::vector<std::string> below(layers.begin(), layers.end() - 1);
  REQUIRE(flat(below, options).result);
  const Outcome one = flat(layers, options), other = overlay(layers, options);
  REQUIRE(!one.result);
  REQUIRE(!other.result);
  const std::string text = text_of(one.result.error());
  CHECK(text == text_of(other.result.error()));
  return text;
}

Tree tree_left(const std::vector<std::string>& layers, const ApplyOptions& options) {
  return flat(layers, options).tree;
}

std::string warnings_of(const std::vector<std::string>& layers) {
  const UniqueFd memory(memfd_create("messages", MFD_CLOEXEC));
  const UniqueFd before(dup(STDERR_FILENO));
  REQUIRE(dup2(memory.get(), STDERR_FILENO) == STDERR_FILENO);
  REQUIRE(log::open({.path = {}, .level = log::Level::warning}));
  const Outcome outcome = flat(layers, {});
  REQUIRE(log::open({}));
  REQUIRE(dup2(before.get(), STDERR_FILENO) == STDERR_FILENO);
  std::string text(64u << 10, '\0');
  const ssize_t size = pread(memory.get(), text.data(), text.size(), 0);
  text.resize(static_cast<size_t>(size));
  REQUIRE(outcome.result);
  return text;
}

}  // namespace onggi::image::test
