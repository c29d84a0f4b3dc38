// SPDX-License-Identifier: Apache-2.0
// A walk over the upper directory with a look at the same place of the lower tree. A directory that
// hides the one below (overlayfs's "opaque") is told by a whiteout for each name that is gone, as
// the image-spec wants it, and so are the directories in it.
#include "layer/layer_diff.h"

#include "base/directory.h"
#include "base/file.h"
#include "base/log.h"
#include "base/split.h"
#include "layer/disk_entry.h"
#include "layer/tar_writer.h"

#include <dirent.h>

#include <algorithm>
#include <map>

namespace onggi::image {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr size_t kPortion = 128u << 10;

struct Child {
  std::string name;
  uint8_t type;  // DT_*
};

Result<std::vector<Child>> children_of(int directory) {
  std::vector<Child> children;
  const UniqueFd fd = TRY(open_directory(directory, "."));
  DirectoryReader reader(fd.get());
  for (;;) {
    const DirectoryReader::Entry* entry = TRY(reader.next());
    if (entry == nullptr) break;
    children.push_back({entry->name(), entry->type});
  }
  std::ranges::sort(children, {}, &Child::name);
  return children;
}

bool has(const std::vector<Child>& children, const std::string& name) {
  const auto found = std::ranges::lower_bound(children, name, {}, &Child::name);
  return found != children.end() && found->name == name;
}

// Ids that have no number in this user namespace are shown as 65534 (user_namespaces(7)).
Result<bool> is_nobodys(const char* map_file, uint64_t id) {
  constexpr uint64_t kOverflow = 65534;
  if (id != kOverflow) return false;
  const std::string map = TRY(read_file(AT_FDCWD, map_file, 64u << 10));
  for (std::string_view line : lines_of(map)) {
    const std::vector<std::string_view> fields = words_of(line).all();
    if (fields.size() != 3) continue;
    const uint64_t first = parse_decimal<uint64_t>(fields[0]).value_or(0);
    if (id >= first && id - first < parse_decimal<uint64_t>(fields[2]).value_or(0)) return false;
  }
  return true;
}

// What had to be changed to be entered.
Result<> restore_modes(Rootfs& rootfs) {
  for (const auto& [path, mode] : rootfs.take_old_modes()) {
    const DirectoryRef directory = TRY(rootfs.directory(path, nullptr));
    const long changed = directory == nullptr ? 0 : sys::fchmod(directory->fd.get(), mode);
    if (changed < 0) return system_error(changed, "chmod", path);
  }
  return {};
}

std::string_view marks_of(const DiffOptions& options) {
  return options.user_xattrs ? "user.overlay." : "trusted.overlay.";
}

class LayerDiffer {
 public:
  LayerDiffer(UniqueFd upper, UniqueFd lower, const DiffOptions& options, int to)
      : upper_(std::move(upper)),
        options_(options),
        marks_(options.upper_is_mount ? "" : marks_of(options)),
        lower_marks_(options.lower_is_layer ? marks_of(options) : ""),
        encoder_(to, options.compression),
        tar_(encoder_) {
    if (lower) lower_.emplace(std::move(lower));
  }

  Result<LayerDiff> run() {
    TRY(look_at_root());
    while (!todo_.empty()) {
      const Place place = std::move(todo_.back());
      todo_.pop_back();
      TRY_AT("'" + place.path + "'", look_at(place));
    }
    TRY(restore_modes(upper_));
    if (lower_) TRY(restore_modes(*lower_));
    TRY(tar_.finish());
    LayerBlob blob = TRY(encoder_.finish());
    return LayerDiff{std::move(blob), entries_};
  }

 private:
  // `hidden`: what is below there does not show through.
  struct Place {
    std::string path;
    bool hidden;
  };

  Result<> look_at_root() {
    const DiskEntry root = TRY(DiskEntry::open(upper_.root()->fd.get(), ".", marks_));
    if (!lower_) {
      TRY(write(root, "./"));
    } else {
      const DiskEntry below = TRY(DiskEntry::open(lower_->root()->fd.get(), ".", lower_marks_));
      if (!root.same_attributes(below) && !only_touched("", root, below)) TRY(write(root, "./"));
    }
    return look_into(root, {"", !lower_});
  }

  Result<> look_at(const Place& place) {
    const auto [parent, name] = split_name(place.path);
    const DirectoryRef directory = TRY(upper_.directory(parent, nullptr));
    if (directory == nullptr || directory->path != parent)
      return state_error("the upper directory changed during the operation");
    const DiskEntry entry = TRY(DiskEntry::open(directory->fd.get(), name, marks_));
    if (name.starts_with(kWhiteout)) {
      return make_error(ErrorKind::unsupported, "layers reserve names with ", kWhiteout,
                        " for whiteouts: rename the file");
    }
    TRY(entry.check_readable());
    if (entry.is_socket()) {
      log::debug("'" + place.path + "' is a socket, which layers cannot contain, ignoring");
      return {};
    }
    const bool is_directory = entry.type() == EntryType::directory;
    const std::optional<DiskEntry> below = TRY(lower_entry(place, parent, name));
    if (!below && options_.mount_points.contains(place.path) && TRY(is_empty(entry, place)))
      return {};
    if (!below || (!only_touched(place.path, entry, *below) && !TRY(unchanged(entry, *below))))
      TRY(write(entry, place.path + (is_directory ? "/" : "")));
    if (!is_directory) return {};
    const bool merges = below && below->type() == EntryType::directory && !entry.is_opaque();
    return look_into(entry, {place.path, !merges});
  }

  // The runtime has made something to mount on in the directory, which is left out.
  bool only_touched(const std::string& path, const DiskEntry& entry, const DiskEntry& below) const {
    return entry.type() == EntryType::directory && entry.same_but_time(below) &&
           std::ranges::any_of(options_.mount_points, [&](const std::string& point) {
             return !point.empty() && split_name(point).first == path;
           });
  }

  Result<bool> is_empty(const DiskEntry& entry, const Place& place) {
    if (entry.type() == EntryType::file) return entry.tar_entry().size == 0;
    if (entry.type() != EntryType::directory) return false;
    const DirectoryRef directory = TRY(upper_.directory(place.path, nullptr));
    if (directory == nullptr) return false;
    return TRY(children_of(directory->fd.get())).empty();
  }

  // What shows through at the same place.
  Result<std::optional<DiskEntry>> lower_entry(const Place& place, const std::string& parent,
                                               const std::string& name) {
    if (place.hidden || !lower_) return std::optional<DiskEntry>();
    const DirectoryRef directory = TRY(lower_->directory(parent, nullptr));
    if (directory == nullptr || directory->path != parent) return std::optional<DiskEntry>();
    return DiskEntry::find(directory->fd.get(), name, lower_marks_);
  }

  Result<bool> unchanged(const DiskEntry& entry, const DiskEntry& below) const {
    if (!entry.same_attributes(below)) return false;
    // With a second name the file is here to be linked to.
    if (entry.type() != EntryType::file) return true;
    if (entry.links() > 1) return false;
    return entry.same_content(below);
  }

  // Whiteouts now, the other children next.
  Result<> look_into(const DiskEntry& entry, const Place& place) {
    const DirectoryRef directory = TRY(upper_.directory(place.path, nullptr));
    if (directory == nullptr || directory->path != place.path)
      return state_error("the upper directory changed during the operation");
    const std::vector<Child> children = TRY(children_of(directory->fd.get()));
    const std::vector<Child> below = TRY(lower_children(place.path));
    std::vector<std::string> gone, here;
    for (const Child& child : children) {
      const bool whiteout = TRY(is_whiteout(entry, directory->fd.get(), child));
      // The name of a directory ends with a slash in a tar, and this is the order of names there.
      if (!whiteout) here.push_back(child.type == DT_DIR ? child.name + "/" : child.name);
      if (whiteout && has(below, child.name)) gone.push_back(child.name);
    }
    for (const Child& child : below) {
      if (place.hidden && !has(children, child.name)) gone.push_back(child.name);
    }
    std::ranges::sort(gone);
    for (const std::string& name : gone) TRY(write_whiteout(place.path, name));
    std::ranges::sort(here, std::ranges::greater());
    for (const std::string& name : here)
      todo_.push_back({child_path(place.path, clean_name(name)), place.hidden});
    return {};
  }

  Result<bool> is_whiteout(const DiskEntry& directory, int fd, const Child& child) const {
    const bool by_xattr = directory.has_xattr_whiteouts();
    const bool possible = child.type == DT_CHR || (by_xattr && child.type == DT_REG);
    if (!possible) return false;
    const DiskEntry entry = TRY(DiskEntry::open(fd, child.name, marks_));
    return entry.is_whiteout(by_xattr);
  }

  // All of them, whether they show through or not: the layer is applied onto them.
  Result<std::vector<Child>> lower_children(const std::string& path) {
    if (!lower_) return std::vector<Child>();
    const DirectoryRef directory = TRY(lower_->directory(path, nullptr));
    if (directory == nullptr || directory->path != path) return std::vector<Child>();
    return children_of(directory->fd.get());
  }

  Result<> write_whiteout(const std::string& directory, const std::string& name) {
    TarEntry entry;
    entry.name = child_path(directory, std::string(kWhiteout) + name);
    ++entries_;
    return tar_.entry(entry);
  }

  Result<> write(const DiskEntry& entry, const std::string& name) {
    TarEntry header = entry.tar_entry();
    header.name = name;
    if (TRY(is_nobodys("/proc/self/uid_map", header.uid)) ||
        TRY(is_nobodys("/proc/self/gid_map", header.gid))) {
      return make_error(ErrorKind::unsupported, "its owner is not mapped in this user namespace");
    }
    header.mtime.nanoseconds = 0;
    if (options_.epoch) header.mtime.seconds = std::min(header.mtime.seconds, *options_.epoch);
    ++entries_;
    const bool linkable = header.type != EntryType::directory && entry.links() > 1;
    if (linkable) {
      const auto [first, is_first] = first_names_.try_emplace(entry.inode(), name);
      if (!is_first) {
        header.type = EntryType::hardlink;
        header.link = first->second;
        header.xattrs.clear();
      }
    }
    TRY(tar_.entry(header));
    return header.type == EntryType::file ? write_content(entry, header.size) : Result<>();
  }

  Result<> write_content(const DiskEntry& entry, uint64_t size) {
    if (size == 0) return {};
    const UniqueFd fd = TRY(entry.open_content());
    std::vector<char> buffer(kPortion);
    while (size > 0) {
      const long count =
          sys::read(fd.get(), buffer.data(), std::min<uint64_t>(size, buffer.size()));
      if (count < 0) return system_error(count, "read");
      if (count == 0) return state_error("became shorter while it was read");
      TRY(tar_.data({buffer.data(), static_cast<size_t>(count)}));
      size -= static_cast<uint64_t>(count);
    }
    return {};
  }

  Rootfs upper_;
  std::optional<Rootfs> lower_;
  DiffOptions options_;
  std::string_view marks_, lower_marks_;
  LayerEncoder encoder_;
  TarWriter tar_;
  std::vector<Place> todo_;
  std::map<Inode, std::string> first_names_;
  uint64_t entries_ = 0;
};

}  // namespace

Result<LayerDiff> write_layer_diff(UniqueFd upper, UniqueFd lower, const DiffOptions& options,
                                   int to) {
  return LayerDiffer(std::move(upper), std::move(lower), options, to).run();
}

}  // namespace onggi::image
