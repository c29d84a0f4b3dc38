// SPDX-License-Identifier: Apache-2.0
// The socket that the program's sd_notify(3) writes to lies on a tmpfs of its own in the container:
// no directory of the host has to be reachable for a mapped user, and nothing is left of it when
// the container is gone.
#include "linux/init/context.h"
#include "linux/init/mount_calls.h"

namespace onggi {
namespace {

// bind(2) knows paths only, so it is done from inside the directory. With umask 0 every user of the
// container may write to the socket.
Result<UniqueFd> bind_in(int directory, const char* name) {
  const long created = sys::socket(AF_UNIX, SOCK_DGRAM);
  if (created < 0) return system_error(created, "socket", name);
  UniqueFd socket(created);
  const long entered = sys::fchdir(directory);
  if (entered < 0) return system_error(entered, "fchdir", name);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, name, strlen(name));
  const long bound = sys::bind(socket.get(), address, sizeof address);
  const long left = sys::chdir("/");
  if (bound < 0) return system_error(bound, "bind", name);
  if (left < 0) return system_error(left, "chdir", "/");
  return socket;
}

}  // namespace

Result<> apply(const plan::OpenNotifySocket& step, InitContext& context) {
  const char* directory = context.pool(step.directory);
  const UniqueFd mount =
      TRY(make_tmpfs("755", nullptr, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  context.notify = TRY(bind_in(mount.get(), context.pool(step.name)));
  TRY(set_attributes(mount.get(), 0, MOUNT_ATTR_RDONLY, 0, directory));
  const UniqueFd target = TRY(context.root.make(directory, RootDir::Leaf::directory));
  return attach(context, mount.get(), target.get(), directory);
}

}  // namespace onggi
