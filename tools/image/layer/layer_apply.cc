// SPDX-License-Identifier: Apache-2.0
// See the header. Directories get their modes and times last: their children change the times, and
// a mode may forbid its owner to enter.
#include "layer/layer_apply.h"

#include "base/file.h"
#include "base/log.h"
#include "base/split.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

namespace onggi::image {
namespace {

constexpr std::string_view kWhiteout = ".wh.", kOpaque = ".wh..wh..opq", kAufs = ".wh..wh.";

// A directory's mode and owner when no entry says them: what Docker and containerd take.
constexpr uint32_t kImpliedMode = 0755;

bool is_below_whiteout(const std::string& parent) {
  return std::ranges::any_of(split(parent, '/').all(),
                             [](std::string_view name) { return name.starts_with(kWhiteout); });
}

Result<> write_at(int fd, const std::string& name, std::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const long count =
        sys::retry(SYS_pwrite64, fd, bytes.data(), bytes.size(), static_cast<long>(offset));
    if (count < 0) return system_error(count, "write", name);
    bytes.remove_prefix(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

// The extents, with holes between them.
Result<> write_content(int fd, const TarEntry& entry, TarReader& tar) {
  std::string_view bytes;
  for (const Extent& extent : entry.extents) {
    for (uint64_t done = 0; done < extent.size;) {
      if (bytes.empty()) bytes = TRY(tar.data());
      const size_t count =
          static_cast<size_t>(std::min<uint64_t>(bytes.size(), extent.size - done));
      TRY(write_at(fd, entry.name, bytes.substr(0, count), extent.offset + done));
      bytes.remove_prefix(count);
      done += count;
    }
  }
  const bool ends_in_hole =
      entry.extents.empty() ? entry.size > 0
                            : entry.extents.back().offset + entry.extents.back().size < entry.size;
  const long resized = ends_in_hole ? sys::call(SYS_ftruncate, fd, entry.size) : 0;
  if (resized < 0) return system_error(resized, "ftruncate", entry.name);
  return {};
}

}  // namespace

Result<> LayerApplier::apply(TarReader& tar) {
  TarEntry entry;
  for (;;) {
    Result<bool> more = tar.next(entry);
    if (!more) return more.error();
    if (!more.value()) break;
    TRY_AT("'" + entry.name + "'", apply_entry(entry, tar));
  }
  TRY(make_late_links());
  return finish_directories();
}

Result<> LayerApplier::count(const TarEntry& entry) {
  bytes_ += entry.size;
  if (++entries_ > limits_.entries)
    return make_error(ErrorKind::invalid_config, "more than ", limits_.entries, " entries");
  if (bytes_ < entry.size || bytes_ > limits_.bytes) {
    return with_hint(
        make_error(ErrorKind::invalid_config, "more than ", limits_.bytes, " bytes of files"),
        "if it is to be trusted, allow more with --max-layer-size");
  }
  return {};
}

Result<> LayerApplier::apply_entry(const TarEntry& entry, TarReader& tar) {
  TRY(count(entry));
  const std::string clean = clean_name(entry.name);
  if (clean.empty()) return apply_root(entry);
  if (TRY(apply_whiteout(clean))) return {};
  if (entry.type == EntryType::hardlink) {
    Link link{clean, clean_name(entry.link)};
    if (!TRY(make_link(link))) late_links_.push_back(std::move(link));
    return {};
  }
  TRY(Attributes::check_owner(entry));
  const Place place = TRY(place_for(clean));
  TRY(make(entry, place, tar));
  note_made(place.path);
  return {};
}

// A link in the place of the root would lead all that follows away (CVE-2021-29136).
Result<> LayerApplier::apply_root(const TarEntry& entry) {
  if (entry.type != EntryType::directory)
    return make_error(ErrorKind::invalid_config, "the root must be a directory");
  TRY(Attributes::check_owner(entry));
  TRY(attributes_.set_directory(rootfs_.root()->fd.get(), entry));
  final_[""] = {entry.mode, entry.mtime, entry.atime};
  return {};
}

// False: the entry is none.
Result<bool> LayerApplier::apply_whiteout(const std::string& clean) {
  const auto [parent, name] = split_name(clean);
  if (is_below_whiteout(parent) || (name.starts_with(kAufs) && name != kOpaque)) {
    log::debug("'" + clean + "' is about aufs, ignoring");
    return true;
  }
  if (!name.starts_with(kWhiteout)) return false;
  const std::string hidden = name.substr(kWhiteout.size());
  if (hidden.empty() || hidden == "." || hidden == "..") {
    return make_error(ErrorKind::invalid_config, "a whiteout of '", hidden, "', which is no name");
  }
  // A parent that is not there has nothing to hide, also if this layer has hidden it.
  const DirectoryRef directory = TRY(rootfs_.directory(parent, nullptr));
  if (directory == nullptr) return true;
  TRY(name == kOpaque ? hide_children(directory->path) : hide(child_path(directory->path, hidden)));
  return true;
}

Result<> LayerApplier::hide(const std::string& path) {
  const auto [parent, name] = split_name(path);
  const DirectoryRef directory = TRY(rootfs_.directory(parent, nullptr));
  struct statx info = {};
  const long found =
      sys::statx(directory->fd.get(), name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info);
  if (found == -ENOENT) return {};
  if (found < 0) return system_error(found, "statx", path);
  TRY(before_change(directory->fd.get(), directory->path));
  if (keeps(path) && S_ISDIR(info.stx_mode)) return hide_children(path);
  rootfs_.forget();
  return remove_tree(directory->fd.get(), name, path, this);
}

// Of a directory that stays: what this layer has made stays in it.
Result<> LayerApplier::hide_children(const std::string& path) {
  const DirectoryRef directory = TRY(rootfs_.directory(path, nullptr));
  TRY(before_change(directory->fd.get(), directory->path));
  rootfs_.forget();
  return remove_children(directory->fd.get(), path, this);
}

Result<LayerApplier::Place> LayerApplier::place_for(const std::string& clean) {
  const auto [parent, name] = split_name(clean);
  Place place;
  place.parent = TRY(rootfs_.directory(parent, this));
  place.name = name;
  place.path = child_path(place.parent->path, name);
  TRY(before_change(place.parent->fd.get(), place.parent->path));
  return place;
}

// A parent that no entry has made, or that is something else in a lower layer.
Result<> LayerApplier::make_directory(const Directory& parent, const std::string& name,
                                      bool replace) {
  const std::string path = child_path(parent.path, name);
  if (replace && keeps(path))
    return make_error(ErrorKind::invalid_config, "'", path,
                      "' is not a directory, by this same layer");
  TRY(before_change(parent.fd.get(), parent.path));
  if (replace) TRY(remove_tree(parent.fd.get(), name));
  const long made = sys::mkdirat(parent.fd.get(), name.c_str(), 0700);
  if (made < 0) return system_error(made, "mkdir", path);
  final_[path] = {kImpliedMode, std::nullopt, std::nullopt};
  note_made(path);
  return {};
}

// What the layer's end restores is recorded before the first change.
Result<> LayerApplier::before_change(int directory, const std::string& path) {
  if (final_.contains(path)) return {};
  struct statx info = {};
  const long found = sys::statx(directory, "", AT_EMPTY_PATH, STATX_MTIME | STATX_ATIME, &info);
  if (found < 0) return system_error(found, "statx", path);
  Final& last = final_[path];
  last.mtime = Timestamp{info.stx_mtime.tv_sec, info.stx_mtime.tv_nsec};
  last.atime = Timestamp{info.stx_atime.tv_sec, info.stx_atime.tv_nsec};
  return {};
}

void LayerApplier::note_made(const std::string& path) {
  for (std::string_view up = path; !up.empty();) {
    if (!made_.emplace(up).second && up.size() != path.size()) return;
    const size_t slash = up.rfind('/');
    up = up.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
}

Result<> LayerApplier::clear_the_way(const Place& place) {
  if (keeps(place.path)) {
    attributes_.notices().once("duplicate",
                               "'" + place.path + "' is in a layer twice, the last one counts");
  }
  struct statx info = {};
  const long found = sys::statx(place.parent->fd.get(), place.name.c_str(), AT_SYMLINK_NOFOLLOW,
                                STATX_TYPE, &info);
  if (found < 0) return system_error(found, "statx", place.path);
  if (!S_ISREG(info.stx_mode)) rootfs_.forget();
  return remove_tree(place.parent->fd.get(), place.name);
}

Result<> LayerApplier::make(const TarEntry& entry, const Place& place, TarReader& tar) {
  if (entry.type == EntryType::directory) return make_or_merge_directory(entry, place);
  if (entry.type == EntryType::file) return make_file(entry, place, tar);
  return make_node(entry, place);
}

Result<> LayerApplier::make_file(const TarEntry& entry, const Place& place, TarReader& tar) {
  // Never into a file that is there: it may have other names, and a lower layer's may be
  // unreadable.
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  const int parent = place.parent->fd.get();
  long opened = sys::openat(parent, place.name.c_str(), kFlags, 0600);
  if (opened == -EEXIST) {
    TRY(clear_the_way(place));
    opened = sys::openat(parent, place.name.c_str(), kFlags, 0600);
  }
  if (opened < 0) return system_error(opened, "open", place.path);
  const UniqueFd fd(opened);
  TRY(write_content(fd.get(), entry, tar));
  return attributes_.set_file(fd.get(), entry);
}

Result<> LayerApplier::make_or_merge_directory(const TarEntry& entry, const Place& place) {
  const int parent = place.parent->fd.get();
  long made = sys::mkdirat(parent, place.name.c_str(), 0700);
  if (made == -EEXIST) {
    struct statx info = {};
    const long found =
        sys::statx(parent, place.name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info);
    made = found < 0 ? found : 0;
    if (found == 0 && !S_ISDIR(info.stx_mode)) {
      TRY(clear_the_way(place));
      made = sys::mkdirat(parent, place.name.c_str(), 0700);
    }
  }
  if (made < 0) return system_error(made, "mkdir", place.path);
  const UniqueFd fd = TRY(enter_directory(parent, place.name));
  TRY(attributes_.set_directory(fd.get(), entry));
  final_[place.path] = {entry.mode, entry.mtime, entry.atime};
  return {};
}

Result<> LayerApplier::make_node(const TarEntry& entry, const Place& place) {
  const int parent = place.parent->fd.get();
  const bool device = entry.type == EntryType::char_device || entry.type == EntryType::block_device;
  const auto create = [&]() -> long {
    if (entry.type == EntryType::symlink)
      return sys::symlinkat(entry.link.c_str(), parent, place.name.c_str());
    unsigned type = entry.type == EntryType::fifo          ? S_IFIFO
                    : entry.type == EntryType::char_device ? S_IFCHR
                                                           : S_IFBLK;
    // An ordinary user can make none; an empty file that nobody can open keeps the place.
    if (device && !attributes_.privileged()) type = S_IFREG;
    return sys::mknodat(
        parent, place.name.c_str(), type,
        device && attributes_.privileged() ? makedev(entry.device_major, entry.device_minor) : 0);
  };
  long made = create();
  if (made == -EEXIST) {
    TRY(clear_the_way(place));
    made = create();
  }
  if (made < 0) {
    return system_error(made, entry.type == EntryType::symlink ? "symlink" : "mknod", place.path);
  }
  if (device && !attributes_.privileged()) {
    attributes_.notices().once(
        "device",
        "not root: '" + place.path + "' and other devices become empty files without permissions");
    return set_times(parent, place.name.c_str(), AT_SYMLINK_NOFOLLOW, entry.mtime, entry.atime);
  }
  return attributes_.set_node(parent, place.name, entry);
}

// False: the target is not there (yet). The link's own metadata is that of the target.
Result<bool> LayerApplier::make_link(const Link& link) {
  const auto [target_parent, target_name] = split_name(link.target);
  const DirectoryRef from = TRY(rootfs_.directory(target_parent, nullptr));
  if (from == nullptr) return false;
  struct statx info = {};
  const long found =
      sys::statx(from->fd.get(), target_name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info);
  if (found == -ENOENT) return false;
  if (found < 0) return system_error(found, "statx", link.target);
  if (S_ISDIR(info.stx_mode))
    return make_error(ErrorKind::invalid_config, "a hardlink to the directory '", link.target, "'");
  const Place place = TRY(place_for(link.name));
  if (place.path == child_path(from->path, target_name)) return true;
  const auto create = [&] {
    // Without AT_SYMLINK_FOLLOW: a link to a symlink is a second name of the symlink.
    return sys::call(SYS_linkat, from->fd.get(), target_name.c_str(), place.parent->fd.get(),
                     place.name.c_str(), 0);
  };
  long made = create();
  if (made == -EEXIST) {
    TRY(clear_the_way(place));
    made = create();
  }
  if (made < 0) return system_error(made, "link", link.target);
  note_made(place.path);
  return true;
}

// Those that stand before their targets, which may be such links themselves.
Result<> LayerApplier::make_late_links() {
  for (bool progress = true; progress && !late_links_.empty();) {
    std::vector<Link> rest;
    for (Link& link : late_links_) {
      const bool made = TRY_AT("'" + link.name + "'", make_link(link));
      if (!made) rest.push_back(std::move(link));
    }
    progress = rest.size() < late_links_.size();
    late_links_ = std::move(rest);
  }
  if (late_links_.empty()) return {};
  const Link& first = late_links_.front();
  return config_error("'" + first.name + "'", "a hardlink to '", first.target,
                      "', which is neither in this layer nor left of those below");
}

// Children before their parents, whose modes may close them.
Result<> LayerApplier::finish_directories() {
  for (const auto& [path, mode] : rootfs_.take_old_modes()) {
    Final& last = final_[path];
    if (!last.mode) last.mode = mode;
  }
  for (auto entry = final_.rbegin(); entry != final_.rend(); ++entry) {
    const auto& [path, last] = *entry;
    // A directory may have been replaced or hidden since.
    const DirectoryRef directory = TRY(rootfs_.directory(path, nullptr));
    if (directory == nullptr || directory->path != path) continue;
    const int fd = directory->fd.get();
    const long changed = last.mode ? sys::fchmod(fd, *last.mode) : 0;
    if (changed < 0) return system_error(changed, "chmod", path);
    if (last.mtime) TRY(set_times(fd, nullptr, 0, *last.mtime, last.atime));
  }
  return {};
}

}  // namespace onggi::image
