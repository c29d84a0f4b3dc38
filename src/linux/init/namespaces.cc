// SPDX-License-Identifier: Apache-2.0
// Joining what others made, what belongs to the container's own uts, ipc and network namespaces,
// and the cgroups of version 1.
#include "linux/init/context.h"

#include <linux/if.h>
#include <linux/sockios.h>

#include <cstring>
#include <string_view>

namespace onggi {

// "0" is the writer itself. A single-threaded process that writes its own `tasks` entry does not
// wait for the RCU grace period (10 ms on an idle machine) that a write to cgroup.procs on behalf
// of another process costs.
Result<> join_cgroups(InitContext& context) {
  const InitFds& fds = context.plan.fds;
  for (uint32_t i = 0; i < fds.tasks_count; i++) {
    const UniqueFd tasks(fds.tasks[i]);
    const long written = sys::write(tasks.get(), "0", 1);
    if (written < 0) return at_place(system_error(written, "write", "tasks"), "linux.cgroupsPath");
  }
  return {};
}

Result<> apply(const plan::JoinNamespace& step, InitContext& context) {
  const UniqueFd fd(context.plan.fds.namespaces[step.slot]);
  const long joined = sys::setns(fd.get(), step.type);
  if (joined < 0) return system_error(joined, "setns");
  return {};
}

Result<> apply(const plan::UnshareNamespaces& step, InitContext&) {
  const long result = sys::unshare(step.flags);
  if (result < 0) return system_error(result, "unshare");
  return {};
}

Result<> apply(const plan::SetHostname& step, InitContext& context) {
  const char* name = context.pool(step.name);
  const long result = sys::sethostname(name, strlen(name));
  if (result < 0) return system_error(result, "sethostname", name);
  return {};
}

Result<> apply(const plan::SetDomainname& step, InitContext& context) {
  const char* name = context.pool(step.name);
  const long result = sys::setdomainname(name, strlen(name));
  if (result < 0) return system_error(result, "setdomainname", name);
  return {};
}

// Any socket will do for an interface request; AF_INET may be denied to the runtime
// (RestrictAddressFamilies=).
Result<> apply(const plan::BringUpLoopback&, InitContext&) {
  const long opened = sys::socket(AF_UNIX, SOCK_DGRAM);
  if (opened < 0) return system_error(opened, "socket");
  const UniqueFd socket(opened);
  ifreq request = {};
  memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const long result = sys::ioctl(socket.get(), SIOCSIFFLAGS, &request);
  if (result < 0) return system_error(result, "ioctl SIOCSIFFLAGS", "lo");
  return {};
}

// "linux.sysctl["net.foo"]" for sys/net/foo: a sysctl has dots for slashes, and the reverse.
static Error of_sysctl(Error error, std::string_view path) {
  constexpr std::string_view kSysctls = "sys/";
  if (!path.starts_with(kSysctls)) return error;
  FixedText<128> place("linux.sysctl[\"");
  for (const char c : path.substr(kSysctls.size()))
    place.append(c == '/' ? '.' : c == '.' ? '/' : c);
  place.append("\"]");
  if (error.errnum == ENOENT) return config_error(place.view(), "unknown sysctl");
  return at_place(error, place.view());
}

Result<> apply(const plan::WriteProc& step, InitContext& context) {
  const char* path = context.pool(step.path);
  const std::string_view value = context.pool(step.value);
  const long opened = sys::openat2(context.host_proc.get(), path, O_WRONLY,
                                   RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
  if (opened < 0) return of_sysctl(system_error(opened, "open /proc", path), path);
  const UniqueFd file(opened);
  const long written = sys::write(file.get(), value.data(), value.size());
  if (written < 0) return of_sysctl(system_error(written, "write", value), path);
  return {};
}

}  // namespace onggi
