// SPDX-License-Identifier: Apache-2.0
#include "runtime/private_files.h"

#include "base/file.h"

#include <sys/stat.h>

namespace onggi {
namespace {

constexpr unsigned kWritableByOthers = 022;

// Empty: only we can write it.
FixedText<160> reason_for_distrust(const struct statx& info) {
  const auto self = static_cast<uint32_t>(sys::call(SYS_geteuid));
  if (info.stx_uid != self)
    return text<160>("belongs to uid ", info.stx_uid, ", and this command runs as uid ", self);
  FixedText<160> reason;
  if ((info.stx_mode & kWritableByOthers) != 0) {
    reason.append("can be written by other users (mode ");
    reason.append_padded(info.stx_mode & 07777, 4, 8).append(")");
  }
  return reason;
}

Result<struct statx> status_of_file(int fd, std::string_view name) {
  struct statx info = {};
  const long result =
      sys::statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MODE | STATX_UID | STATX_SIZE, &info);
  if (result < 0) return system_error(result, "statx", name);
  return info;
}

}  // namespace

Result<UniqueFd> open_private_directory(int dir, const std::string& path, std::string_view shown) {
  const long opened = sys::openat(dir, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (opened < 0) return system_error(opened, "open", shown);
  UniqueFd directory(opened);
  const struct statx info = TRY(status_of_file(directory.get(), shown));
  const auto reason = reason_for_distrust(info);
  if (reason.empty()) return directory;
  return with_hint(make_error(ErrorKind::system, "'", shown, "' ", reason.view()),
                   "the state of containers must be this user's alone: chmod go-w it, run the "
                   "command as its owner, or pass another --root");
}

Result<std::string> read_private_file(int dir, const std::string& name, size_t limit) {
  // O_NONBLOCK: the open of a FIFO would wait for a writer.
  const long opened = sys::openat(dir, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (opened == -ELOOP) return state_error(name, " is a symbolic link");
  if (opened < 0) return system_error(opened, "open", name);
  const UniqueFd file(opened);
  const struct statx info = TRY(status_of_file(file.get(), name));
  if ((info.stx_mode & S_IFMT) != S_IFREG) return state_error(name, " is not a regular file");
  const auto reason = reason_for_distrust(info);
  if (!reason.empty()) return state_error(name, " ", reason.view());
  if (info.stx_size > limit) return state_error(name, " is larger than ", limit, " bytes");
  return read_all(file.get(), name, limit);
}

}  // namespace onggi
