// SPDX-License-Identifier: Apache-2.0
// All of it by one descriptor of O_PATH, which neither waits for a FIFO nor wakes a device.
#include "layer/disk_entry.h"

#include "base/file.h"
#include "layer/xattrs.h"

#include <sys/stat.h>

#include <algorithm>
#include <climits>

namespace onggi::image {
namespace {

struct TypeRow {
  unsigned format;
  EntryType type;
};
constexpr TypeRow kTypes[] = {
    {S_IFREG, EntryType::file},         {S_IFDIR, EntryType::directory},
    {S_IFLNK, EntryType::symlink},      {S_IFCHR, EntryType::char_device},
    {S_IFBLK, EntryType::block_device}, {S_IFIFO, EntryType::fifo},
};
constexpr std::string_view kEscape = "overlay.";

}  // namespace

Result<std::optional<DiskEntry>> DiskEntry::find(int directory, const std::string& name,
                                                 std::string_view marks) {
  const long opened = sys::openat(directory, name.c_str(), O_PATH | O_NOFOLLOW);
  if (opened == -ENOENT) return std::optional<DiskEntry>();
  if (opened < 0) return system_error(opened, "open", name);
  DiskEntry entry;
  entry.fd_ = UniqueFd(opened);
  TRY(entry.read_status());
  if (entry.type() == EntryType::symlink) TRY(entry.read_link());
  TRY(entry.read_xattrs(marks));
  return std::optional<DiskEntry>(std::move(entry));
}

Result<DiskEntry> DiskEntry::open(int directory, const std::string& name, std::string_view marks) {
  std::optional<DiskEntry> entry = TRY(find(directory, name, marks));
  if (!entry) return system_error(-ENOENT, "open", name);
  return std::move(*entry);
}

Result<> DiskEntry::read_status() {
  struct statx info = {};
  const long found = sys::statx(fd_.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &info);
  if (found < 0) return system_error(found, "statx");
  const auto row = std::ranges::find(kTypes, info.stx_mode & S_IFMT, &TypeRow::format);
  socket_ = row == std::end(kTypes);
  if (!socket_) entry_.type = row->type;
  entry_.mode = info.stx_mode & 07777;
  entry_.uid = info.stx_uid;
  entry_.gid = info.stx_gid;
  entry_.mtime = {info.stx_mtime.tv_sec, info.stx_mtime.tv_nsec};
  if (type() == EntryType::file) entry_.size = info.stx_size;
  if (type() == EntryType::char_device || type() == EntryType::block_device) {
    entry_.device_major = info.stx_rdev_major;
    entry_.device_minor = info.stx_rdev_minor;
  }
  inode_ = {info.stx_dev_major, info.stx_dev_minor, info.stx_ino};
  links_ = info.stx_nlink;
  return {};
}

Result<> DiskEntry::read_link() {
  char target[PATH_MAX];
  const long size = sys::readlinkat(fd_.get(), "", target, sizeof target);
  if (size < 0) return system_error(size, "readlink");
  entry_.link.assign(target, static_cast<size_t>(size));
  return {};
}

Result<> DiskEntry::read_xattrs(std::string_view marks) {
  const Xattrs xattrs(fd_.get(), true);
  const std::vector<std::string> names = TRY(xattrs.names());
  for (const std::string& name : names) {
    if (is_hosts_own(name)) continue;
    std::string value = TRY(xattrs.get(name));
    if (marks.empty() || !name.starts_with(marks)) {
      entry_.xattrs.emplace_back(name, std::move(value));
      continue;
    }
    const std::string_view mark = std::string_view(name).substr(marks.size());
    if (mark.starts_with(kEscape)) {
      entry_.xattrs.emplace_back(std::string(marks).append(mark.substr(kEscape.size())),
                                 std::move(value));
    } else {
      marks_.emplace(mark, std::move(value));
    }
  }
  std::ranges::sort(entry_.xattrs);
  return {};
}

bool DiskEntry::is_whiteout(bool by_xattr) const {
  if (type() == EntryType::char_device && entry_.device_major == 0 && entry_.device_minor == 0)
    return true;
  return by_xattr && type() == EntryType::file && entry_.size == 0 && has_mark("whiteout");
}

bool DiskEntry::is_opaque() const {
  const auto mark = marks_.find("opaque");
  return mark != marks_.end() && mark->second == "y";
}

bool DiskEntry::has_xattr_whiteouts() const {
  const auto mark = marks_.find("opaque");
  return mark != marks_.end() && mark->second == "x";
}

Result<> DiskEntry::check_readable() const {
  if (has_mark("redirect")) {
    return with_hint(make_error(ErrorKind::unsupported,
                                "overlayfs has moved it from a lower layer and left it there"),
                     "mount with redirect_dir=off");
  }
  if (has_mark("metacopy")) {
    return with_hint(
        make_error(ErrorKind::unsupported, "overlayfs has left its content in a lower layer"),
        "mount with metacopy=off");
  }
  return {};
}

bool DiskEntry::same_attributes(const DiskEntry& other) const {
  const Timestamp &a = entry_.mtime, &b = other.entry_.mtime;
  return same_but_time(other) && a.seconds == b.seconds && a.nanoseconds == b.nanoseconds;
}

bool DiskEntry::same_but_time(const DiskEntry& other) const {
  const TarEntry &a = entry_, &b = other.entry_;
  return socket_ == other.socket_ && a.type == b.type && a.mode == b.mode && a.uid == b.uid &&
         a.gid == b.gid && a.size == b.size && a.link == b.link &&
         a.device_major == b.device_major && a.device_minor == b.device_minor &&
         a.xattrs == b.xattrs;
}

Result<UniqueFd> DiskEntry::open_content() const {
  const std::string path = "/proc/self/fd/" + std::to_string(fd_.get());
  const long opened = sys::openat(AT_FDCWD, path.c_str(), O_RDONLY);
  if (opened < 0) return system_error(opened, "open");
  return UniqueFd(opened);
}

Result<bool> DiskEntry::same_content(const DiskEntry& other) const {
  const UniqueFd mine = TRY(open_content()), theirs = TRY(other.open_content());
  std::string a(64u << 10, '\0'), b(a.size(), '\0');
  for (uint64_t at = 0; at < entry_.size; at += a.size()) {
    const uint64_t size = std::min<uint64_t>(entry_.size - at, a.size());
    for (const auto& [fd, to] :
         {std::pair(mine.get(), a.data()), std::pair(theirs.get(), b.data())}) {
      const long count = sys::pread(fd, to, size, static_cast<int64_t>(at));
      if (count < 0) return system_error(count, "read");
      if (static_cast<uint64_t>(count) != size) return false;
    }
    if (std::string_view(a.data(), size) != std::string_view(b.data(), size)) return false;
  }
  return true;
}

}  // namespace onggi::image
