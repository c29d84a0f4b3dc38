// SPDX-License-Identifier: Apache-2.0
// process.terminal: a pty of the container's devpts instance. The slave is taken from the master
// itself (TIOCGPTPEER), never by the name that a hostile image could have replaced
// (CVE-2025-52565).
#include "base/streams.h"
#include "base/text.h"
#include "linux/init/context.h"
#include "linux/socket_message.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

namespace onggi {
namespace {

struct WindowSize {  // struct winsize of <asm/termios.h>, which clashes with <asm/termbits.h> under
                     // glibc
  uint16_t rows, columns, x_pixels, y_pixels;
};

Result<UniqueFd> open_master(const RootDir& root) {
  const long opened = root.open("/dev/pts/ptmx", O_RDWR | O_NOCTTY);
  if (opened < 0) return system_error(opened, "open", "/dev/pts/ptmx");
  UniqueFd master(opened);
  struct statfs info = {};
  const long result = sys::fstatfs(master.get(), &info);
  if (result < 0) return system_error(result, "fstatfs", "/dev/pts/ptmx");
  if (info.f_type != DEVPTS_SUPER_MAGIC) {
    return config_error(
        "process.terminal",
        "'/dev/pts' is not a devpts filesystem: add one to mounts for the terminal");
  }
  return master;
}

Result<> bind_console(InitContext& context, int slave) {
  const UniqueFd target = TRY(context.root.make("/dev/console", RootDir::Leaf::file));
  const long tree = sys::open_tree(slave, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
  if (tree < 0) return system_error(tree, "open_tree", "the terminal");
  const UniqueFd mount(tree);
  return attach(context, mount.get(), target.get(), "/dev/console");
}

// At once, not at the start: containerd reads the output of `create` until nobody holds the pipe.
Result<> take_terminal(int slave) {
  const long controlling = sys::ioctl(slave, TIOCSCTTY, 0L);
  if (controlling < 0) return system_error(controlling, "ioctl TIOCSCTTY");
  for (int fd = 0; fd < kStandardStreams; fd++) {
    const long copied = sys::dup3(slave, fd, 0);
    if (copied < 0) return system_error(copied, "dup3", "the terminal");
  }
  return {};
}

}  // namespace

Result<> apply(const plan::OpenConsole& step, InitContext& context) {
  const UniqueFd socket(context.plan.fds.console);
  const UniqueFd master = TRY(open_master(context.root));
  int unlocked = 0;
  const long unlock = sys::ioctl(master.get(), TIOCSPTLCK, &unlocked);
  if (unlock < 0) return system_error(unlock, "ioctl TIOCSPTLCK");
  const long peer = sys::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (peer < 0) return system_error(peer, "ioctl TIOCGPTPEER");
  const UniqueFd slave(peer);
  if (step.rows != 0 && step.columns != 0) {
    WindowSize size{.rows = step.rows, .columns = step.columns, .x_pixels = 0, .y_pixels = 0};
    const long sized = sys::ioctl(master.get(), TIOCSWINSZ, &size);
    if (sized < 0) return system_error(sized, "ioctl TIOCSWINSZ");
  }
  if (step.bind_dev_console) TRY(bind_console(context, slave.get()));
  unsigned number = 0;
  const long numbered = sys::ioctl(master.get(), TIOCGPTN, &number);
  if (numbered < 0) return system_error(numbered, "ioctl TIOCGPTN");
  const auto name = text<32>("/dev/pts/", number);
  TRY(send_with_fd(socket.get(), name.c_str(), name.view().size(), master.get()));
  return take_terminal(slave.get());
}

}  // namespace onggi
