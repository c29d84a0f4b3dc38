// SPDX-License-Identifier: Apache-2.0
// A standard stream that is the host's /dev/null would be a way to a file of the host: to its mode
// and owner, through /proc/self/fd. It is exchanged for the container's own, which an image must
// not be able to replace by anything else.
#include "base/streams.h"

#include "linux/init/context.h"

#include <sys/stat.h>

namespace onggi {
namespace {

constexpr const char* kNull = "/dev/null";

bool is_null(int fd) {
  struct statx info = {};
  return sys::statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &info) == 0 && S_ISCHR(info.stx_mode) &&
         info.stx_rdev_major == 1 && info.stx_rdev_minor == 3;
}

Error not_null() {
  return make_error(ErrorKind::system, "'/dev/null' in the container is not the null device");
}

// Looked at before it is opened: to open another device may have an effect.
Result<UniqueFd> open_null(const InitContext& context, long access) {
  const long found = context.root.open(kNull, O_PATH | O_NOFOLLOW);
  if (found == -ENOENT || found == -ENOTDIR) return UniqueFd();
  if (found < 0) return system_error(found, "open", kNull);
  const UniqueFd seen(found);
  if (!is_null(seen.get())) return not_null();
  const auto flags = static_cast<uint64_t>(access) | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
  const long opened = context.root.open(kNull, flags);
  if (opened < 0) return system_error(opened, "open", kNull);
  UniqueFd null(opened);
  if (!is_null(null.get())) return not_null();
  return null;
}

}  // namespace

Result<> reopen_null_streams(InitContext& context) {
  for (int fd = 0; fd < kStandardStreams; fd++) {
    if (!is_null(fd)) continue;
    const long access = sys::fcntl(fd, F_GETFL) & O_ACCMODE;
    const UniqueFd null = TRY(open_null(context, access));
    if (!null) continue;  // a container without /dev has nothing to take its place
    const long flags = sys::fcntl(null.get(), F_SETFL, 0);
    if (flags < 0) return system_error(flags, "fcntl", kNull);
    const long copied = sys::dup3(null.get(), fd, 0);
    if (copied < 0) return system_error(copied, "dup3", kNull);
  }
  return {};
}

}  // namespace onggi
