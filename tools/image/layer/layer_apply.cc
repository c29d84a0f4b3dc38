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
#include <climits>

namespace onggi::image {
namespace {

// A directory's mode when no entry says it: what Docker and containerd take. Its owner is root, its
// time that of no entry: now would make another tree each time.
constexpr uint32_t kImpliedMode = 0755;

unsigned node_type(EntryType type) {
  return type == EntryType::fifo ? S_IFIFO : type == EntryType::char_device ? S_IFCHR : S_IFBLK;
}
bool is_device(const TarEntry& entry) {
  return entry.type == EntryType::char_device || entry.type == EntryType::block_device;
}
// To overlayfs, a file that is not there.
bool is_whiteout_device(const TarEntry& entry) {
  return entry.type == EntryType::char_device && entry.device_major == 0 && entry.device_minor == 0;
}

bool gives_acl(const TarEntry& entry) {
  return std::ranges::find(entry.xattrs, kDefaultAcl,
                           &std::pair<std::string, std::string>::first) != entry.xattrs.end();
}

// Four times what open(2) takes; each step of a path costs a system call and memory.
Result<> check_length(const std::string& path) {
  constexpr size_t kLongest = 16u << 10;
  if (path.size() <= kLongest) return {};
  return make_error(ErrorKind::invalid_config, "a path of ", path.size(), " bytes, at most ",
                    kLongest);
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

// The extents, with holes between them and behind the last.
Result<> write_content(int fd, const TarEntry& entry, TarReader& tar, FileContent content) {
  std::string_view bytes;
  uint64_t length = 0;
  for (const Extent& extent : entry.extents) {
    if (content == FileContent::skipped) break;
    for (uint64_t done = 0; done < extent.size;) {
      if (bytes.empty()) bytes = TRY(tar.data());
      const size_t count =
          static_cast<size_t>(std::min<uint64_t>(bytes.size(), extent.size - done));
      TRY(write_at(fd, entry.name, bytes.substr(0, count), extent.offset + done));
      bytes.remove_prefix(count);
      done += count;
    }
    length = extent.offset + extent.size;
  }
  const long resized = length < entry.size ? sys::call(SYS_ftruncate, fd, entry.size) : 0;
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
  stage_ = Stage::late_links;
  TRY(find_late_places());
  TRY(apply_late_whiteouts());
  TRY(make_late_links());
  TRY(check_followed());
  return finish_directories();
}

Result<> LayerApplier::count(const TarEntry& entry) {
  bytes_ += entry.size;
  if (++entries_ > limits_.entries)
    return make_error(ErrorKind::invalid_config, "more than ", limits_.entries, " entries");
  if (bytes_ < entry.size || bytes_ > limits_.bytes) {
    return with_hint(
        make_error(ErrorKind::invalid_config, "more than ", limits_.bytes, " bytes of files"),
        "if you trust the image, raise --max-layer-size");
  }
  return {};
}

Result<> LayerApplier::apply_entry(const TarEntry& entry, TarReader& tar) {
  TRY(count(entry));
  const std::string clean = clean_name(entry.name);
  TRY(check_length(clean));
  if (clean.empty()) return apply_root(entry);
  if (!keeps_whiteouts_ && TRY(apply_whiteout(clean))) return {};
  if (entry.type == EntryType::hardlink) {
    return apply_link({clean, clean_name(entry.link), keeps(clean)});
  }
  TRY(Attributes::check_owner(entry));
  const Place place = TRY(place_for(clean));
  TRY(make(entry, place, tar));
  return note_made(place.path);
}

// A link in the place of the root would lead all that follows away (CVE-2021-29136).
Result<> LayerApplier::apply_root(const TarEntry& entry) {
  if (entry.type != EntryType::directory)
    return make_error(ErrorKind::invalid_config, "the root must be a directory");
  TRY(Attributes::check_owner(entry));
  const int root = rootfs_.root()->fd.get();
  Final& last = *TRY(before_change(root, ""));
  TRY(attributes_.set_directory(root, entry, {.existed = true}));
  last = {entry.mode, entry.mtime, entry.atime, last.inherits || gives_acl(entry)};
  return {};
}

Result<LayerApplier::Place> LayerApplier::place_for(const std::string& clean) {
  const auto [parent, name] = split_name(clean);
  Place place;
  place.parent = TRY(rootfs_.directory(parent, this));
  place.name = name;
  place.path = child_path(place.parent->path, name);
  TRY(check_length(place.path));
  place.inherits = TRY(before_change(place.parent->fd.get(), place.parent->path))->inherits;
  return place;
}

// A parent that no entry has made, or that is something else in a lower layer.
Result<> LayerApplier::make_directory(const Directory& parent, const std::string& name,
                                      bool replace) {
  const std::string path = child_path(parent.path, name);
  TRY(check_length(path));
  if (replace && keeps(path))
    return make_error(ErrorKind::invalid_config, "'", path,
                      "' is not a directory in the same layer");
  const bool inherits = TRY(before_change(parent.fd.get(), parent.path))->inherits;
  if (replace) TRY(remove_tree(parent.fd.get(), name));
  const long made = sys::mkdirat(parent.fd.get(), name.c_str(), 0700);
  if (made < 0) return system_error(made, "mkdir", path);
  if (rootfs_.note_new(parent, path)) TRY(note_name(path.size()));
  const UniqueFd fd = TRY(enter_directory(parent.fd.get(), name));
  TRY(imply(fd.get(), path, {.inherits = inherits}));
  return note_made(path);
}

// Attributes of a directory that no entry describes, or only one of a layer that is hidden.
Result<> LayerApplier::imply(int directory, const std::string& path, const Origin& origin) {
  TarEntry entry;
  entry.name = path;
  TRY(attributes_.set_directory(directory, entry, origin));
  final_[path] = {kImpliedMode, Timestamp(), std::nullopt, origin.inherits};
  return {};
}

// What the layer's end restores is recorded before the first change.
Result<LayerApplier::Final*> LayerApplier::before_change(int directory, const std::string& path) {
  const auto [found, is_new] = final_.try_emplace(path);
  Final& last = found->second;
  if (!is_new) return &last;
  TRY(note_name(path.size()));
  struct statx info = {};
  const long seen =
      sys::statx(directory, "", AT_EMPTY_PATH, STATX_MODE | STATX_MTIME | STATX_ATIME, &info);
  if (seen < 0) return system_error(seen, "statx", path);
  last.mtime = Timestamp{info.stx_mtime.tv_sec, info.stx_mtime.tv_nsec};
  last.atime = Timestamp{info.stx_atime.tv_sec, info.stx_atime.tv_nsec};
  last.inherits = (info.stx_mode & S_ISGID) != 0 || has_default_acl(directory);
  return &last;
}

Result<> LayerApplier::note_made(const std::string& path) {
  for (std::string_view up = path; !up.empty();) {
    if (!made_.emplace(up).second && up.size() != path.size()) return {};
    TRY(note_name(up.size()));
    const size_t slash = up.rfind('/');
    up = up.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
  return {};
}

void LayerApplier::note_followed(const std::string& link, std::string_view target) {
  if (!keeps(link)) followed_.try_emplace(link, target);
}

// An entry's place is found by what stands before it. If the link of a lower layer that led there
// goes, other places would be right had the layer's entries another order: nobody can mean that.
Result<> LayerApplier::check_followed() {
  for (const auto& [path, target] : followed_) {
    const auto [parent, name] = split_name(path);
    const DirectoryRef directory = TRY(rootfs_.directory(parent, nullptr));
    char now[PATH_MAX];
    const long size = directory == nullptr || directory->path != parent
                          ? 0
                          : sys::readlinkat(directory->fd.get(), name.c_str(), now, sizeof now);
    if (size > 0 && std::string_view(now, static_cast<size_t>(size)) == target) continue;
    return with_hint(config_error("'" + path + "'", "the layer replaces or hides this link to '",
                                  target, "' after an entry whose path goes through it"),
                     "put the layer's whiteouts, and parents of its entries, first");
  }
  return {};
}

Result<> LayerApplier::note_name(size_t size) {
  names_ += size;
  if (names_ <= limits_.names) return {};
  return make_error(ErrorKind::invalid_config, "more than ", limits_.names, " bytes of names");
}

void LayerApplier::warn_of_duplicate(const std::string& path) {
  attributes_.notices().once("duplicate",
                             "'" + path + "' is in the layer twice, using the last one");
}

Result<> LayerApplier::clear_the_way(const Place& place) {
  if (keeps(place.path)) warn_of_duplicate(place.path);
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
  const uint32_t mode = attributes_.creation_mode(entry);
  // Never into a file that is there: it may have other names, and a lower layer's may be
  // unreadable.
  const auto create_in = [&](int directory) {
    return sys::openat(directory, place.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                       mode);
  };
  const int overlay = place.parent->fd.get();
  // An overlay gives extended attributes other names, and inherits by rules of its own.
  const bool plain = entry.xattrs.empty() && !place.inherits;
  long opened = create_in(plain ? rootfs_.cheapest(*place.parent) : overlay);
  if (opened == -EEXIST) opened = TRY(create_at(place, [&] { return create_in(overlay); }));
  if (opened < 0) return system_error(opened, "open", place.path);
  const UniqueFd fd(opened);
  TRY(write_content(fd.get(), entry, tar, content_));
  return attributes_.set_file(fd.get(), entry, {.inherits = place.inherits, .mode = mode});
}

Result<> LayerApplier::make_or_merge_directory(const TarEntry& entry, const Place& place) {
  const int parent = place.parent->fd.get();
  struct statx info = {};
  Origin origin{.inherits = place.inherits};
  const long made = TRY(create_at(place, [&]() -> long {
    const long result = sys::mkdirat(parent, place.name.c_str(), 0700);
    if (result != -EEXIST) return result;
    const long found =
        sys::statx(parent, place.name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_MODE, &info);
    if (found < 0) return found;
    origin.existed = S_ISDIR(info.stx_mode);
    return origin.existed ? 0 : -EEXIST;
  }));
  if (made < 0) return system_error(made, "mkdir", place.path);
  if (!origin.existed && rootfs_.note_new(*place.parent, place.path))
    TRY(note_name(place.path.size()));
  const UniqueFd fd = TRY(enter_directory(parent, place.name));
  TRY(attributes_.set_directory(fd.get(), entry, origin));
  const bool inherits = origin.existed ? (info.stx_mode & S_ISGID) != 0 : origin.inherits;
  final_[place.path] = {entry.mode, entry.mtime, entry.atime, inherits || gives_acl(entry)};
  return {};
}

Result<> LayerApplier::make_node(const TarEntry& entry, const Place& place) {
  if (is_whiteout_device(entry)) return make_placeholder(entry, place);
  const int parent = place.parent->fd.get();
  const bool link = entry.type == EntryType::symlink;
  const long made = TRY(create_at(place, [&] {
    return link ? sys::symlinkat(entry.link.c_str(), parent, place.name.c_str())
                : sys::mknodat(parent, place.name.c_str(), node_type(entry.type),
                               makedev(entry.device_major, entry.device_minor));
  }));
  if (made == -EPERM && is_device(entry)) return make_placeholder(entry, place);
  if (made < 0) return system_error(made, link ? "symlink" : "mknod", place.path);
  return attributes_.set_node(parent, place.name, entry, {.inherits = place.inherits});
}

// A device that cannot be made: an ordinary user can make none, nor root in a user namespace, and
// device 0:0 would be a whiteout where the tree becomes a layer of an overlay.
Result<> LayerApplier::make_placeholder(const TarEntry& entry, const Place& place) {
  attributes_.notices().once("device",
                             "device " + std::to_string(entry.device_major) + ":" +
                                 std::to_string(entry.device_minor) + " '" + place.path +
                                 "' cannot be created: using an empty file without permissions");
  const int parent = place.parent->fd.get();
  const long made =
      TRY(create_at(place, [&] { return sys::mknodat(parent, place.name.c_str(), S_IFREG, 0); }));
  if (made < 0) return system_error(made, "mknod", place.path);
  TarEntry empty = entry;
  empty.mode = 0;
  empty.xattrs.clear();
  return attributes_.set_node(parent, place.name, empty, {.inherits = place.inherits});
}

// Parents first: each directory is then found by its parent, which is open still. Only what its
// owner may not enter has to wait for its children.
Result<> LayerApplier::finish_directories() {
  for (const auto& [path, mode] : rootfs_.take_old_modes()) {
    Final& last = final_[path];
    if (!last.mode) last.mode = mode;
  }
  std::vector<std::pair<std::string, uint32_t>> closed;
  for (const auto& [path, last] : final_) {
    // A directory may have been replaced or hidden since.
    const DirectoryRef directory = TRY(rootfs_.directory(path, nullptr));
    if (directory == nullptr || directory->path != path) continue;
    const int fd = directory->fd.get();
    const bool closes = last.mode && !attributes_.privileged() && (*last.mode & 0700) != 0700;
    if (closes) closed.emplace_back(path, *last.mode);
    const long changed = last.mode && !closes ? sys::fchmod(fd, *last.mode) : 0;
    if (changed < 0) return system_error(changed, "chmod", path);
    if (last.mtime) TRY(set_times(fd, nullptr, 0, *last.mtime, last.atime));
  }
  for (auto entry = closed.rbegin(); entry != closed.rend(); ++entry) {
    const DirectoryRef directory = TRY(rootfs_.directory(entry->first, nullptr));
    const long changed = directory == nullptr ? 0 : sys::fchmod(directory->fd.get(), entry->second);
    if (changed < 0) return system_error(changed, "chmod", entry->first);
  }
  return {};
}

}  // namespace onggi::image
