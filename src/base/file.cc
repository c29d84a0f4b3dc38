// SPDX-License-Identifier: Apache-2.0
// Small files by descriptor: no path is looked up twice.
#include "base/file.h"

#include "base/path.h"

#include <algorithm>
#include <climits>

namespace onggi {

Result<UniqueFd> open_directory(int dir, const std::string& path) {
  const long fd = sys::openat(dir, path.c_str(), O_RDONLY | O_DIRECTORY);
  if (fd < 0) return system_error(fd, "open", path);
  return UniqueFd(fd);
}

Result<> make_directories(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string prefix = path.substr(0, slash);
    const long made = sys::mkdirat(AT_FDCWD, prefix.c_str(), 0700);
    if (made < 0 && made != -EEXIST) return system_error(made, "mkdir", prefix);
    if (slash == path.npos) return {};
  }
}

Result<std::string> absolute_path(const std::string& path) {
  if (path.starts_with('/')) return path;
  char here[PATH_MAX] = {};
  const long size = sys::getcwd(here, sizeof here);
  if (size < 0) return system_error(size, "getcwd");
  return join_path(here, path);
}

Result<std::string> read_all(int fd, std::string_view name, size_t limit) {
  std::string content;
  size_t used = 0;
  for (;;) {
    content.resize(std::max<size_t>(2 * used, used + 4096));
    const long count = sys::read(fd, content.data() + used, content.size() - used);
    if (count < 0) return system_error(count, "read", name);
    used += static_cast<size_t>(count);
    if (used > limit) {
      return make_error(ErrorKind::invalid_config, name, " is larger than ", limit, " bytes");
    }
    if (count == 0) break;
  }
  content.resize(used);
  return content;
}

Result<std::string> read_file(int dir, const std::string& path, size_t limit) {
  const long opened = sys::openat(dir, path.c_str(), O_RDONLY);
  if (opened < 0) return system_error(opened, "open", path);
  const UniqueFd fd(opened);
  return read_all(fd.get(), path, limit);
}

Result<> write_all(int fd, std::string_view name, std::string_view text) {
  while (!text.empty()) {
    const long count = sys::write(fd, text.data(), text.size());
    if (count < 0) return system_error(count, "write", name);
    text.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

Result<> write_existing(int dir, const std::string& path, std::string_view text) {
  const long opened = sys::openat(dir, path.c_str(), O_WRONLY);
  if (opened < 0) return system_error(opened, "open", path);
  const UniqueFd fd(opened);
  const long count = sys::write(fd.get(), text.data(), text.size());
  if (count < 0) return system_error(count, "write", path);
  return {};
}

Result<> write_new(int dir, const std::string& name, std::string_view text, unsigned mode) {
  // O_EXCL: never through a link that was put there.
  const long opened = sys::openat(dir, name.c_str(), O_WRONLY | O_CREAT | O_EXCL, mode);
  if (opened < 0) return system_error(opened, "open", name);
  const UniqueFd fd(opened);
  return write_all(fd.get(), name, text);
}

std::string temporary_name(std::string_view name) {
  return std::string(name).append(".tmp");
}

Result<> replace_atomically(int dir, const std::string& name, std::string_view text,
                            unsigned mode) {
  return replace_by(dir, temporary_name(name), name, text, mode);
}

Result<> replace_by(int dir, const std::string& temporary, const std::string& name,
                    std::string_view text, unsigned mode) {
  Result<> written = write_new(dir, temporary, text, mode);
  if (!written && written.error().errnum == EEXIST) {  // of a command that was killed
    (void)sys::unlinkat(dir, temporary.c_str(), 0);
    written = write_new(dir, temporary, text, mode);
  }
  if (written) {
    const long renamed = sys::renameat(dir, temporary.c_str(), dir, name.c_str());
    if (renamed == 0) return {};
    written = system_error(renamed, "rename", temporary);
  }
  (void)sys::unlinkat(dir, temporary.c_str(), 0);
  return written;
}

}  // namespace onggi
