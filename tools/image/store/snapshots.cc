// SPDX-License-Identifier: Apache-2.0
// A layer in the making is work/NAME: its lock is on that directory. It has
//   new/fs, new/unsynced   what becomes layers/NAME by one rename
//   empty, overlay         what the mount needs besides
// Files are not synced one by one. The file "unsynced" has the boot ID of the machine: in another
// boot nobody knows what of such a layer has come to the disk.
#include "store/snapshots.h"

#include "base/directory.h"
#include "base/file.h"
#include "base/log.h"
#include "layer/layer_apply.h"

#include <algorithm>

namespace onggi::image {

namespace {

std::string name_of(const Digest& chain_id) {
  return "sha256-" + std::string(chain_id.hex());
}

Result<std::string> boot_id() {
  return read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64);
}

Result<> make_directory(int parent, const std::string& name, unsigned mode = 0700) {
  const long made = sys::mkdirat(parent, name.c_str(), mode);
  if (made < 0) return system_error(made, "mkdir", name);
  return {};
}

// The directory work/NAME with its lock; what is in it goes with this object.
class Workplace {
 public:
  static Result<Workplace> open(const Store& store, const std::string& name) {
    const std::string path = "work/" + name;
    for (;;) {
      const long made = sys::mkdirat(store.directory(), path.c_str(), 0700);
      if (made < 0 && made != -EEXIST) return system_error(made, "mkdir", path);
      Result<UniqueFd> opened = open_directory(store.directory(), path);
      if (!opened && opened.error().errnum == ENOENT) continue;  // its owner has finished
      UniqueFd directory = TRY(std::move(opened));
      TRY(lock(directory.get(), LockKind::exclusive, path));
      if (!is_named(store.directory(), path, directory.get())) continue;
      return Workplace(store, path, std::move(directory));
    }
  }
  Workplace(Workplace&& other) noexcept = default;
  Workplace& operator=(Workplace&&) = delete;
  ~Workplace() {
    if (!directory_) return;
    clear();
    (void)sys::unlinkat(store_->directory(), path_.c_str(), AT_REMOVEDIR);
  }

  int fd() const { return directory_.get(); }
  const std::string& path() const { return path_; }
  // Of a process that was killed here.
  void clear() const {
    for (const char* each : {"/new", "/overlay", "/empty"}) {
      const Result<> gone = store_->discard(path_ + each);
      if (!gone) log::warn("could not remove '" + path_ + each + "', ignoring");
    }
  }

 private:
  Workplace(const Store& store, std::string path, UniqueFd directory)
      : store_(&store), path_(std::move(path)), directory_(std::move(directory)) {}

  const Store* store_;
  std::string path_;
  UniqueFd directory_;
};

}  // namespace

// The layers below the one that is made, the lowest first, and how they got there.
struct Snapshots::Stack {
  const Layout& layout;
  const Image& image;
  const LayerLimits& limits;
  std::vector<Digest> chain;
  std::vector<UniqueFd> lower = {};  // the uppermost first
  BlobDigest digest = BlobDigest::unknown;
  FileContent content = FileContent::written;
};

std::vector<Digest> chain_ids(std::span<const Digest> diff_ids) {
  std::vector<Digest> chain;
  for (const Digest& diff_id : diff_ids) {
    chain.push_back(chain.empty() ? diff_id
                                  : digest_of(chain.back().text() + " " + diff_id.text()));
  }
  return chain;
}

std::string Snapshots::path(const Digest& chain_id) {
  return "layers/" + name_of(chain_id) + "/fs";
}

Result<UniqueFd> Snapshots::open(const Digest& chain_id) const {
  return open_directory(store_.directory(), path(chain_id));
}

Result<bool> Snapshots::has(const Digest& chain_id) const {
  const std::string layer = "layers/" + name_of(chain_id);
  struct statx info = {};
  const long found =
      sys::statx(store_.directory(), layer.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info);
  if (found == -ENOENT) return false;
  if (found < 0) return system_error(found, "statx", layer);
  const Result<std::string> made_in = read_file(store_.directory(), layer + "/unsynced", 64);
  if (!made_in && made_in.error().errnum == ENOENT) return true;
  if (!made_in) return made_in.error();
  return made_in.value() == TRY(boot_id());
}

Result<std::vector<UniqueFd>> Snapshots::open(const Image& image) const {
  std::vector<UniqueFd> layers;
  for (const Digest& each : chain_ids(image.config.rootfs.diff_ids)) {
    UniqueFd layer = TRY(open(each));
    layers.insert(layers.begin(), std::move(layer));
  }
  return layers;
}

Result<> Snapshots::make(const Layout& layout, const Image& image, const LayerLimits& limits,
                         BlobGate* gate) const {
  Stack stack{layout, image, limits, chain_ids(image.config.rootfs.diff_ids)};
  for (size_t i = 0; i < stack.chain.size(); ++i) {
    if (!TRY(has(stack.chain[i]))) {
      if (gate != nullptr) stack.digest = TRY(gate->wait_for(image.manifest.layers[i]));
      TRY(make_layer(stack, i));
    }
    UniqueFd made = TRY(open(stack.chain[i]));
    stack.lower.insert(stack.lower.begin(), std::move(made));
  }
  return {};
}

Result<> Snapshots::make_layer(Stack& stack, size_t number) const {
  const std::string name = name_of(stack.chain[number]);
  const Workplace place = TRY(Workplace::open(store_, name));
  if (TRY(has(stack.chain[number]))) return {};  // by whom we have waited for
  TRY(store_.discard("layers/" + name));         // of another boot
  place.clear();
  TRY(apply(stack, number, place.fd()));
  const std::string boot = TRY(boot_id());
  TRY(replace_atomically(place.fd(), "new/unsynced", boot, 0600));
  const std::string layer = "layers/" + name;
  const long renamed = sys::renameat(place.fd(), "new", store_.directory(), layer.c_str());
  if (renamed < 0) return system_error(renamed, "rename", layer);
  return {};
}

Result<std::vector<std::string>> Snapshots::differences(const Layout& layout, const Image& image,
                                                        size_t number, const LayerLimits& limits,
                                                        CompareContent content) const {
  Stack stack{layout, image, limits, chain_ids(image.config.rootfs.diff_ids)};
  stack.digest = BlobDigest::checked;
  if (content == CompareContent::no) stack.content = FileContent::skipped;
  for (size_t i = 0; i < number; ++i)
    stack.lower.insert(stack.lower.begin(), TRY(open(stack.chain[i])));
  const Workplace place = TRY(Workplace::open(store_, "verify-" + name_of(stack.chain[number])));
  place.clear();
  TRY(apply(stack, number, place.fd()));
  UniqueFd expected = TRY(open_directory(place.fd(), "new/fs"));
  UniqueFd found = TRY(open(stack.chain[number]));
  const std::string_view marks = in_user_namespace() ? "user.overlay." : "trusted.overlay.";
  return tree_differences(std::move(expected), std::move(found), marks, content);
}

Result<> Snapshots::apply(Stack& stack, size_t number, int work) const {
  TRY(make_directory(work, "new"));
  TRY(make_directory(work, "new/fs", 0755));
  TRY(make_directory(work, "overlay"));
  TRY(make_directory(work, "empty", 0755));
  UniqueFd upper = TRY(open_directory(work, "new/fs"));
  const UniqueFd overlay = TRY(open_directory(work, "overlay"));
  // The lowest layer is made on an overlay too: names and devices that mean something to overlayfs
  // are then what the image says, or refused, as in every other layer.
  std::vector<UniqueFd> bottom;
  if (stack.lower.empty()) {
    bottom.push_back(TRY(open_directory(work, "empty")));
  } else {
    TRY(copy_directory_attributes(stack.lower.front().get(), upper.get()));
  }
  const std::vector<UniqueFd>& lower = stack.lower.empty() ? bottom : stack.lower;
  const UniqueFd mount = TRY(mount_overlay({lower, upper.get(), overlay.get()}));
  Rootfs rootfs(TRY(open_directory(mount.get(), ".")), std::move(upper));
  Notices notices;
  Attributes attributes(notices);
  return apply_layer(stack.layout, stack.image, number, rootfs, attributes,
                     {stack.limits, stack.digest, stack.content});
}

Result<> Snapshots::sync(const Image& image) const {
  const std::vector<Digest> chain = chain_ids(image.config.rootfs.diff_ids);
  std::vector<std::string> unsynced;
  for (const Digest& each : chain) {
    std::string mark = "layers/" + name_of(each) + "/unsynced";
    struct statx info = {};
    if (sys::statx(store_.directory(), mark.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info) == 0)
      unsynced.push_back(std::move(mark));
  }
  if (unsynced.empty()) return {};
  const long synced = sys::call(SYS_syncfs, store_.directory());
  if (synced < 0) return system_error(synced, "syncfs", store_.path());
  for (const std::string& mark : unsynced) {
    const long removed = sys::unlinkat(store_.directory(), mark.c_str(), 0);
    if (removed < 0 && removed != -ENOENT) return system_error(removed, "unlink", mark);
  }
  return {};
}

Result<> Snapshots::discard_leftovers() const {
  const UniqueFd work = TRY(open_directory(store_.directory(), "work"));
  DirectoryReader reader(work.get());
  for (;;) {
    const DirectoryReader::Entry* entry = TRY(reader.next());
    if (entry == nullptr) return {};
    TRY(store_.discard(std::string("work/") + entry->name()));
  }
}

}  // namespace onggi::image
