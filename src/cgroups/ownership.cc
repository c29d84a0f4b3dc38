// SPDX-License-Identifier: Apache-2.0
#include "cgroups/ownership.h"

#include "base/file.h"
#include "cgroups/directory.h"

#include <linux/xattr.h>
#include <sys/file.h>

namespace onggi::cgroups {
namespace {

constexpr const char* kNames[] = {"trusted.onggi", "user.onggi"};
constexpr int64_t kPatience = 10'000'000, kPause = 1000;  // microseconds

bool is_unsupported(long result) {
  return result == -EOPNOTSUPP || result == -ENOSYS || result == -EPERM || result == -EACCES;
}

Error in_use(const std::string& path) {
  return state_error("cgroup '", path,
                     "' is in use, by another command that makes or deletes a "
                     "container in it");
}

// Empty: the directory is gone.
Result<UniqueFd> open_present(const std::string& path) {
  Result<UniqueFd> opened = open_directory(AT_FDCWD, path);
  if (!opened && opened.error().errnum == ENOENT) return UniqueFd();
  return opened;
}

Result<bool> try_lock(int directory, const std::string& path) {
  const long locked = sys::retry(SYS_flock, directory, LOCK_EX | LOCK_NB);
  if (locked == -EWOULDBLOCK) return false;
  if (locked < 0) return system_error(locked, "flock", path);
  return true;
}

// Whether the path still leads to the directory that was locked.
Result<bool> is_current(int directory, const std::string& path) {
  struct statx locked = {}, present = {};
  const long result = sys::statx(directory, "", AT_EMPTY_PATH, STATX_INO, &locked);
  if (result < 0) return system_error(result, "statx", path);
  const long found = sys::statx(AT_FDCWD, path.c_str(), 0, STATX_INO, &present);
  if (found < 0 && found != -ENOENT) return system_error(found, "statx", path);
  return found == 0 && present.stx_ino == locked.stx_ino;
}

Result<> check_empty(const std::string& path) {
  const std::vector<int> inside = TRY(processes_below(path));
  if (inside.empty()) return {};
  return state_error("cgroup '", path, "' is in use, by process ", inside.front());
}

Result<> mark(int directory, const std::string& path, std::string_view owner, bool must_be_empty) {
  for (const char* name : kNames) {
    const auto set = [&](int flags) {
      return sys::call(SYS_fsetxattr, directory, name, owner.data(), owner.size(), flags);
    };
    long result = set(XATTR_CREATE);
    if (result == -EEXIST) {  // that of a container that may be there
      if (must_be_empty) TRY(check_empty(path));
      result = set(XATTR_REPLACE);
    }
    if (result == 0) return {};
    if (!is_unsupported(result)) return system_error(result, "setxattr", path);
  }
  return {};
}

// `read` is getxattr(2) or fgetxattr(2) of a name into a buffer.
template <class Read>
Result<Owner> compare(const std::string& path, std::string_view owner, Read read) {
  Owner answer = Owner::unknown;
  for (const char* name : kNames) {
    char present[512];
    const long size = read(name, &present[0], sizeof present);
    if (size >= 0) {
      const std::string_view mark(present, static_cast<size_t>(size));
      return mark == owner ? Owner::ours : Owner::other;
    }
    if (size == -ENOENT || size == -ENODEV) return Owner::nobody;
    if (size == -ERANGE) return Owner::other;
    if (size == -ENODATA) {
      answer = Owner::nobody;
    } else if (!is_unsupported(size)) {
      return system_error(size, "getxattr", path);
    }
  }
  return answer;
}

}  // namespace

Result<UniqueFd> claim(const std::string& path, std::string_view owner, bool must_be_empty) {
  UniqueFd directory = TRY(open_present(path));
  if (!directory) return UniqueFd();
  for (int64_t waited = 0; !TRY(try_lock(directory.get(), path)); waited += kPause) {
    if (waited >= kPatience) return in_use(path);
    sleep_microseconds(kPause);
  }
  if (!TRY(is_current(directory.get(), path))) return UniqueFd();
  TRY(mark(directory.get(), path, owner, must_be_empty));
  return directory;
}

Result<Owner> owner_of(const std::string& path, std::string_view owner) {
  return compare(path, owner, [&](const char* name, char* to, size_t size) {
    return sys::call(SYS_getxattr, path.c_str(), name, to, size);
  });
}

Result<Held> hold(const std::string& path, std::string_view owner) {
  UniqueFd directory = TRY(open_present(path));
  if (!directory) return Held();
  const auto read = [&](const char* name, char* to, size_t size) {
    return sys::call(SYS_fgetxattr, directory.get(), name, to, size);
  };
  for (int64_t waited = 0;; waited += kPause) {
    const bool locked = TRY(try_lock(directory.get(), path));
    const Owner found = TRY(compare(path, owner, read));
    if (found == Owner::other) return Held{found, UniqueFd()};
    if (locked) return Held{found, std::move(directory)};
    if (waited >= kPatience) return in_use(path);
    sleep_microseconds(kPause);
  }
}

}  // namespace onggi::cgroups
