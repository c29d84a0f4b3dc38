// SPDX-License-Identifier: Apache-2.0
// onggi-systemd is embedded like onggi-init: ONGGI_SYSTEMD_FILE is named by the build, if it has
// libsystemd. It is executed from a memfd, so that copying one program stays enough.
#include "linux/unit_call.h"

#include "base/file.h"
#include "linux/sealed_init.h"
#include "linux/signals.h"

#include <linux/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#ifdef ONGGI_SYSTEMD_FILE
__asm__(
    ".pushsection .rodata.onggi_systemd, \"a\"\n"
    ".balign 16\n"
    "onggi_systemd_begin:\n"
    ".incbin \"" ONGGI_SYSTEMD_FILE
    "\"\n"
    "onggi_systemd_end:\n"
    ".popsection\n");

extern "C" {
extern const char onggi_systemd_begin[] __asm__("onggi_systemd_begin");
extern const char onggi_systemd_end[] __asm__("onggi_systemd_end");
}
#endif

namespace onggi {
namespace {

// An empty variable is as good as none.
std::string variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

bool exists(const std::string& path) {
  return sys::call(SYS_faccessat, AT_FDCWD, path.c_str(), 0) == 0;
}

#ifdef ONGGI_SYSTEMD_FILE
constexpr bool kBuilt = true;

Result<UniqueFd> open_program() {
  Result<UniqueFd> memfd = make_sealed_memfd(
      "onggi-systemd",
      {onggi_systemd_begin, static_cast<size_t>(onggi_systemd_end - onggi_systemd_begin)}, true);
  if (memfd || memfd.error().errnum != EACCES) return memfd;
  // Nothing of a container ever sees it, so that the installed file will do as it is.
  const long opened = sys::openat(AT_FDCWD, ONGGI_SYSTEMD_INSTALLED, O_RDONLY);
  if (opened >= 0) return UniqueFd(opened);
  return with_hint(system_error(opened, "open", ONGGI_SYSTEMD_INSTALLED),
                   "memfds cannot be executed here (sysctl vm.memfd_noexec=2): install "
                   "onggi-systemd");
}
#else
constexpr bool kBuilt = false;

Result<UniqueFd> open_program() {
  return make_error(ErrorKind::unsupported, "this onggi was built without libsystemd");
}
#endif

// What the child needs, on the parent's stack.
struct ChildEntry {
  int program, input, output;
  int parent;
};

[[noreturn]] void execute(void* argument) {
  const auto& entry = *static_cast<const ChildEntry*>(argument);
  // A call that outlives us could make a unit that nobody knows of.
  (void)sys::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (sys::call(SYS_getppid) != entry.parent) sys::exit_group(1);
  (void)sys::dup3(entry.input, STDIN_FILENO, 0);
  (void)sys::dup3(entry.output, STDOUT_FILENO, 0);
  char name[] = "onggi-systemd";
  char* const argv[] = {name, nullptr};
  // With our environment, which says where the buses are.
  (void)sys::execveat(entry.program, "", argv, environ, AT_EMPTY_PATH);
  sys::exit_group(1);
}

}  // namespace

plan::SystemdAccess probe_systemd(bool user) {
  if (!kBuilt) return plan::SystemdAccess::not_built;
  bool found = false;
  if (user) {
    const std::string directory = variable("XDG_RUNTIME_DIR");
    found = !variable("DBUS_SESSION_BUS_ADDRESS").empty() ||
            (!directory.empty() &&
             (exists(directory + "/bus") || exists(directory + "/systemd/private")));
  } else {
    found = exists("/run/systemd/private") ||
            (exists("/run/dbus/system_bus_socket") && exists("/run/systemd/system"));
  }
  return found ? plan::SystemdAccess::ready : plan::SystemdAccess::no_bus;
}

Result<UnitCall> UnitCall::start(const plan::UnitRequest& request) {
  const UniqueFd program = TRY(open_program());
  const UniqueFd input = TRY(make_sealed_memfd("request", plan::encode(request), false));
  if (lseek(input.get(), 0, SEEK_SET) != 0) return system_error(-errno, "lseek", "request");
  int pipe[2];
  const long piped = sys::call(SYS_pipe2, &pipe[0], O_CLOEXEC);
  if (piped < 0) return system_error(piped, "pipe");
  UniqueFd ours(pipe[0]);
  const UniqueFd theirs(pipe[1]);
  ChildEntry entry{.program = program.get(),
                   .input = input.get(),
                   .output = theirs.get(),
                   .parent = static_cast<int>(sys::getpid())};
  return UnitCall(TRY(clone_borrowing({}, execute, &entry)), std::move(ours));
}

UnitCall::~UnitCall() {
  if (!child_.pidfd) return;
  (void)sys::pidfd_send_signal(child_.pidfd.get(), SIGKILL);
  int status;
  (void)waitpid(child_.pid, &status, 0);
}

Result<std::string> UnitCall::wait(int signals) {
  plan::UnitAnswer answer;
  auto* const bytes = reinterpret_cast<char*>(&answer);
  size_t size = 0;
  pollfd polled[] = {{.fd = answer_.get(), .events = POLLIN, .revents = 0},
                     {.fd = signals, .events = POLLIN, .revents = 0}};
  while (size < sizeof answer) {
    const long ready = sys::retry(SYS_ppoll, &polled[0], 2, nullptr, nullptr, 0);
    if (ready < 0) return system_error(ready, "poll");
    const int signal = polled[1].revents != 0 ? next_signal(signals) : 0;
    if (is_terminating(signal))
      return make_error(ErrorKind::system, "interrupted by signal ", signal);
    if (polled[0].revents == 0) continue;
    const long count = sys::read(answer_.get(), bytes + size, sizeof answer - size);
    if (count <= 0) break;
    size += static_cast<size_t>(count);
  }
  if (size != sizeof answer) {
    return with_hint(make_error(ErrorKind::system, "onggi-systemd has given no answer"),
                     "it needs libsystemd.so.0 (package libsystemd0)");
  }
  if (answer.failed != 0) return answer.error;
  return std::string(answer.cgroup, strnlen(answer.cgroup, sizeof answer.cgroup));
}

Result<> call_systemd(const plan::UnitRequest& request, int signals) {
  UnitCall call = TRY(UnitCall::start(request));
  TRY(call.wait(signals));
  return {};
}

Result<> stop_unit(const std::string& name, bool user) {
  return call_systemd(
      {.command = plan::UnitCommand::stop, .user = user, .unit = name, .properties = {}});
}

}  // namespace onggi
