// SPDX-License-Identifier: Apache-2.0
// A namespace is joined with the rights over the user namespace that owns it: some only before our
// own user namespace is entered (a network namespace that the host made), some only after. So each
// is tried before, and what was refused once more afterwards, as nsenter(1) does.
#include "linux/join.h"

#include "base/file.h"

#include <linux/nsfs.h>

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
                      "' is that of the runtime");
}

Error cannot_join(long result, const plan::JoinedNamespace& joined) {
  return at_place(system_error(result, "setns", joined.path), joined.place);
}

Result<> write_time_offsets(std::string_view offsets) {
  if (offsets.empty()) return {};
  const long opened = sys::openat(AT_FDCWD, "/proc/self/timens_offsets", O_WRONLY);
  if (opened < 0)
    return at_place(system_error(opened, "open", "/proc/self/timens_offsets"), "linux.timeOffsets");
  const UniqueFd file(opened);
  const long written = sys::write(file.get(), offsets.data(), offsets.size());
  if (written < 0)
    return at_place(system_error(written, "write", "/proc/self/timens_offsets"),
                    "linux.timeOffsets");
  return {};
}

}  // namespace

Result<UniqueFd> open_namespace(const plan::JoinedNamespace& joined) {
  const long opened = sys::openat(AT_FDCWD, joined.path.c_str(), O_RDONLY);
  if (opened < 0) return at_place(system_error(opened, "open", joined.path), joined.place);
  UniqueFd fd(opened);
  const long type = sys::ioctl(fd.get(), NS_GET_NSTYPE);
  if (type != flag_of(joined)) {
    return config_error(joined.place, "'", joined.path,
                        type < 0 ? "' is no namespace" : "' is of another type");
  }
  return fd;
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
  return write_time_offsets(plan.time_offsets);
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
  return {};
}

}  // namespace onggi
