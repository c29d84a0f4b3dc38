// SPDX-License-Identifier: Apache-2.0
// A namespace is joined with the rights over the user namespace that owns it: some only before our
// own user namespace is entered (a network namespace that the host made), some only after. So each
// is tried before, and what was refused once more afterwards, as nsenter(1) does.
#include "linux/join.h"

#include "base/file.h"
#include "base/text.h"

#include <linux/nsfs.h>
#include <linux/prctl.h>

namespace onggi {
namespace {

constexpr int kCloneFlag[spec::kNamespaceTypes] = {CLONE_NEWNS,     CLONE_NEWPID, CLONE_NEWNET,
                                                   CLONE_NEWUTS,    CLONE_NEWIPC, CLONE_NEWUSER,
                                                   CLONE_NEWCGROUP, CLONE_NEWTIME};

constexpr const char* kFile[spec::kNamespaceTypes] = {"mnt", "pid",  "net",    "uts",
                                                      "ipc", "user", "cgroup", "time"};

int flag_of(const plan::JoinedNamespace& joined) {
  return kCloneFlag[static_cast<size_t>(joined.type)];
}

// A sysctl of the host's own network namespace is the host's, and not the container's.
Result<> check_separate(const plan::JoinedNamespace& joined, int fd) {
  if (joined.setting.empty()) return {};
  const std::string own =
      std::string("/proc/self/ns/").append(kFile[static_cast<size_t>(joined.type)]);
  struct statx theirs = {}, ours = {};
  long result = sys::statx(fd, "", AT_EMPTY_PATH, STATX_INO, &theirs);
  if (result < 0) return at_place(system_error(result, "statx", joined.path), joined.place);
  result = sys::statx(AT_FDCWD, own.c_str(), 0, STATX_INO, &ours);
  if (result < 0) return at_place(system_error(result, "statx", own), joined.place);
  if (theirs.stx_ino != ours.stx_ino) return {};
  return config_error(joined.setting, "is not in a separate kernel namespace: '", joined.path,
                      "' is the namespace of onggi itself");
}

Error cannot_join(long result, const plan::JoinedNamespace& joined) {
  return at_place(system_error(result, "setns", joined.path), joined.place);
}

// Before we are hidden, when the file would no longer be ours, and before another mount namespace
// says what is in /proc.
Result<UniqueFd> open_time_offsets(std::string_view offsets) {
  if (offsets.empty()) return UniqueFd();
  const long opened = sys::openat(AT_FDCWD, "/proc/self/timens_offsets", O_WRONLY);
  if (opened < 0)
    return at_place(system_error(opened, "open", "/proc/self/timens_offsets"), "linux.timeOffsets");
  return UniqueFd(opened);
}

Result<> write_time_offsets(const UniqueFd& file, std::string_view offsets) {
  if (!file) return {};
  const long written = sys::write(file.get(), offsets.data(), offsets.size());
  if (written < 0)
    return at_place(system_error(written, "write", "/proc/self/timens_offsets"),
                    "linux.timeOffsets");
  return {};
}

Error not_running() {
  return state_error("container not running");
}

// Is the process in another namespace of this type than we are? A kernel without the type has no
// file for us either; one that has ended is in none, until it is reaped, and must not be taken for
// one that shares ours.
Result<bool> is_other(int pid, const char* file) {
  struct statx theirs = {}, ours = {};
  const auto own = text<64>("/proc/self/ns/", file);
  const long result = sys::statx(AT_FDCWD, own.c_str(), 0, STATX_INO, &ours);
  if (result == -ENOENT) return false;
  if (result < 0) return system_error(result, "statx", own.view());
  const auto path = text<64>("/proc/", pid, "/ns/", file);
  const long found = sys::statx(AT_FDCWD, path.c_str(), 0, STATX_INO, &theirs);
  if (found == -ENOENT || found == -ESRCH) return not_running();
  if (found < 0) return system_error(found, "statx", path.view());
  return theirs.stx_ino != ours.stx_ino;
}

}  // namespace

Result<> hide() {
  const long hidden = sys::prctl(PR_SET_DUMPABLE, 0);
  if (hidden < 0) return system_error(hidden, "prctl PR_SET_DUMPABLE");
  return {};
}

Result<UniqueFd> open_namespace(const plan::JoinedNamespace& joined) {
  const long opened = sys::openat(AT_FDCWD, joined.path.c_str(), O_RDONLY);
  if (opened < 0) return at_place(system_error(opened, "open", joined.path), joined.place);
  UniqueFd fd(opened);
  const long type = sys::ioctl(fd.get(), NS_GET_NSTYPE);
  if (type != flag_of(joined)) {
    return config_error(joined.place, "'", joined.path,
                        type < 0 ? "' is not a namespace" : "' has a different namespace type");
  }
  return fd;
}

Result<JoinedContainer> open_container(const plan::NamespacePlan& plan, ProcessHandle first) {
  JoinedContainer container;
  container.process = first.pidfd;
  for (size_t type = 0; type < spec::kNamespaceTypes; type++) {
    // The kernel refuses to enter our own user namespace again (setns(2)).
    if (TRY(is_other(first.pid, kFile[type]))) container.flags |= kCloneFlag[type];
  }
  if (plan.root_of_container) {
    const auto path = text<64>("/proc/", first.pid, "/root");
    const long opened = sys::openat(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY);
    if (opened < 0) return system_error(opened, "open", path.view());
    container.root.reset(static_cast<int>(opened));
  }
  // What was looked up by pid is the process's own as long as it has not ended by now.
  const long alive = sys::pidfd_send_signal(first.pidfd, 0);
  if (alive == -ESRCH) return not_running();
  if (alive < 0) return system_error(alive, "pidfd_send_signal");
  return container;
}

Result<> join_container(const JoinedContainer& container) {
  TRY(hide());
  const long joined = container.flags == 0 ? 0 : sys::setns(container.process, container.flags);
  if (joined == -ESRCH) return not_running();
  if (joined < 0) return system_error(joined, "setns", "the container's namespaces");
  if (container.root) {
    const long entered = sys::fchdir(container.root.get());
    if (entered < 0) return system_error(entered, "fchdir", "the container's root");
    const long rooted = sys::chroot(".");
    if (rooted < 0) return system_error(rooted, "chroot", "the container's root");
  }
  if ((container.flags & CLONE_NEWUSER) == 0) return {};
  return become_root(true);
}

Result<std::vector<UniqueFd>> open_namespaces(const plan::NamespacePlan& plan) {
  std::vector<UniqueFd> fds;
  for (const plan::JoinedNamespace& joined : plan.joined) {
    UniqueFd fd = TRY(open_namespace(joined));
    TRY(check_separate(joined, fd.get()));
    fds.push_back(std::move(fd));
  }
  return fds;
}

Result<> join_namespaces(const plan::NamespacePlan& plan, const std::vector<UniqueFd>& fds) {
  const UniqueFd offsets = TRY(open_time_offsets(plan.time_offsets));
  TRY(hide());
  unsigned refused = 0;
  int user = -1;
  for (unsigned i = 0; i < fds.size(); i++) {
    if (plan.joined[i].type == spec::NamespaceType::user) {
      user = static_cast<int>(i);
      continue;
    }
    const long joined = sys::setns(fds[i].get(), flag_of(plan.joined[i]));
    if (joined == -EPERM) {
      refused |= 1U << i;
    } else if (joined < 0) {
      return cannot_join(joined, plan.joined[i]);
    }
  }
  if (user >= 0) {
    const auto index = static_cast<size_t>(user);
    const long joined = sys::setns(fds[index].get(), CLONE_NEWUSER);
    if (joined < 0) return cannot_join(joined, plan.joined[index]);
    TRY(become_root(true));
  }
  for (unsigned i = 0; i < fds.size(); i++) {
    if ((refused >> i & 1) == 0) continue;
    const long joined = sys::setns(fds[i].get(), flag_of(plan.joined[i]));
    if (joined < 0) return cannot_join(joined, plan.joined[i]);
  }
  if ((plan.create & CLONE_NEWTIME) == 0) return {};
  const long unshared = sys::unshare(CLONE_NEWTIME);
  if (unshared < 0) return at_place(system_error(unshared, "unshare", "time"), "linux.namespaces");
  return write_time_offsets(offsets, plan.time_offsets);
}

Result<> become_root(bool set_groups) {
  if (set_groups) {
    const long cleared = sys::setgroups(0, nullptr);
    // Denied in a user namespace that an ordinary user made: the groups are then unmapped and give
    // nothing.
    if (cleared < 0 && cleared != -EPERM)
      return at_place(system_error(cleared, "setgroups"), "linux.gidMappings");
  }
  const long gid = sys::setresgid(0);
  if (gid < 0) return at_place(system_error(gid, "setresgid", "0"), "linux.gidMappings");
  const long uid = sys::setresuid(0);
  if (uid < 0) return at_place(system_error(uid, "setresuid", "0"), "linux.uidMappings");
  return hide();  // a change of user sets it to fs.suid_dumpable (prctl(2))
}

}  // namespace onggi
