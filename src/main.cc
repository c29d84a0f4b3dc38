// SPDX-License-Identifier: Apache-2.0
// The program's entry: makes sure that descriptors 0 to 2 exist, then hands over to the command
// line.
#include "base/syscalls.h"
#include "cli/cli.h"

#include <csignal>
#include <string_view>
#include <vector>

namespace {

// A caller may have closed some of 0 to 2; the next file opened would then become the container's
// standard input or be written to as standard error. open(2) takes the lowest free number, so
// opening until it is 3 fills the gaps.
void fill_standard_descriptors() {
  for (;;) {
    const long fd = onggi::sys::openat(AT_FDCWD, "/dev/null", O_RDWR);
    if (fd < 0) return;
    if (fd > 2) {
      (void)onggi::sys::close(static_cast<int>(fd));
      return;
    }
    (void)onggi::sys::fcntl(static_cast<int>(fd), F_SETFD, 0);
  }
}

}  // namespace

int main(int argc, char** argv) {
  fill_standard_descriptors();
  // A caller that ignores SIGCHLD would have our children reaped before we learn how they ended.
  (void)onggi::sys::default_signal(SIGCHLD);
  const std::vector<std::string_view> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return onggi::cli::run(arguments);
}
