// SPDX-License-Identifier: Apache-2.0
// What onggi-init will do, as data: one trivially copyable record a step, in the order of
// execution. The same records are printed by `onggi plan`, compared by golden tests, and mapped as
// they stand by onggi-init; a record without an applier (linux/init) or a printer (plan/print.cc)
// does not compile.
//
// Text and lists live in a pool behind the records and are referred to by offset, so the whole is
// position-independent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <variant>

namespace onggi::plan {

// NUL-terminated text in the pool; offset 0 is the empty text.
struct Text {
  uint32_t offset = 0;
  explicit operator bool() const { return offset != 0; }
};

// `count` records of type T in the pool, aligned to 8.
template <class T>
struct List {
  uint32_t offset = 0, count = 0;
};

// The pool, read.
class PoolView {
 public:
  explicit PoolView(const char* base) : base_(base) {}
  const char* operator()(Text text) const { return base_ + text.offset; }
  template <class T>
  std::span<const T> operator()(List<T> list) const {
    return {reinterpret_cast<const T*>(base_ + list.offset), list.count};
  }

 private:
  const char* base_;
};

// ── shared parts ──
struct Propagation {
  uint32_t type = 0;  // MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE
  uint32_t recursive = 0;
};

// MOUNT_ATTR_* of mount_setattr(2); `recursive_*` reach the mounts below too. `implied_clear`:
// flags that no option names, which stay where the kernel has locked them (mount_namespaces(7)).
struct MountAttributes {
  uint64_t set = 0, clear = 0, implied_clear = 0, recursive_set = 0, recursive_clear = 0;
};

// key=value for fsconfig(2); no value: a flag.
struct FilesystemOption {
  Text key, value;
};

// ── before the root filesystem ──
struct JoinNamespace {  // by the descriptor in slot `slot` of InitFds::namespaces
  uint32_t slot = 0;
  int32_t type = 0;  // CLONE_NEW*
};
struct UnshareNamespaces {
  int32_t flags = 0;  // CLONE_NEW*
};
struct SetHostname {
  Text name;
};
struct SetDomainname {
  Text name;
};
struct BringUpLoopback {};
struct AwaitNetDevices {};  // linux.netDevices, which the runtime moves in meanwhile
struct WriteProc {          // below the host's /proc, which the container cannot reach: sysctl,
                            // oom_score_adj
  Text path, value;
};

// ── the root filesystem, before the pivot ──
struct SetRootPropagation {  // of the whole tree of the new mount namespace, so that nothing
                             // reaches the host
  Propagation propagation;
};
struct OpenRootfs {  // everything later is resolved below this descriptor
  Text path;
  bool clone = true;  // as a mount of its own; false where mounts would be seen by others (no mount
                      // namespace)
};
struct BindMount {
  Text source, destination;
  bool recursive = false;
  bool over_proc = false;    // the destination may lie on a proc filesystem
  bool proc_source = false;  // the source must be a proc filesystem: it takes the place of /proc
  // In a user namespace init may not get to the source (a directory of the host's root on the way):
  // the runtime then opens it for init.
  bool ask_when_refused = false;
  bool recursive_id_map = false;
  int32_t id_map = -1;            // index over Plan::id_maps, applied by the runtime; -1: none
  bool empty_if_missing = false;  // cgroups: an empty directory where the container has none, so
                                  // that those of the host do not show (CVE-2023-25809)
  MountAttributes attributes;
  List<Propagation> propagation;
};
struct FilesystemMount {
  Text type, source, destination;
  List<FilesystemOption> options;
  uint64_t attributes = 0;  // MOUNT_ATTR_* for fsmount(2)
  List<Propagation> propagation;
  bool ordinary_directory =
      false;  // proc and sysfs: no symbolic link on the way (CVE-2019-19921, CVE-2023-27561)
  bool copy_up = false;       // tmpfs: start with the contents of that directory
  bool inherit_mode = false;  // tmpfs: take the mode of the directory that was there before; else
                              // the kernel's 1777
  bool over_proc = false;
  bool empty_if_missing = false;  // as above, for `fallback_source`
  // A kernel that refuses (EPERM, EBUSY: a user namespace without a network or cgroup namespace of
  // its own): bind this path of the host instead.
  Text fallback_source;
  Text root_label;  // SELinux label of its root, set afterwards: mqueue takes no option for it
};
struct Remount {  // of what is at `destination`; what is not named stays as it is
  Text destination;
  List<FilesystemOption> options;  // of the filesystem itself
  MountAttributes attributes;
  List<Propagation> propagation;
};
struct MakeDevice {
  Text path;
  uint32_t mode = 0;  // type and permission bits
  uint32_t major = 0, minor = 0, uid = 0, gid = 0;
  bool bind = false;   // bind the host's node: mknod(2) is not for a user namespace
  bool cover = false;  // another file that is there: cover it, in the place of an error
};
struct MakeLink {
  Text target, path;
  Text if_exists;  // only when this path exists in the container
};
struct OpenConsole {  // a pty of the container's own devpts
  uint16_t rows = 0, columns = 0;
  bool bind_dev_console = true;
};
struct OpenNotifySocket {  // for sd_notify(3), on a filesystem of its own
  Text directory;          // where that is mounted
  Text name;               // of the socket in it
};
struct AwaitCgroup {};        // that the runtime puts us into while we mount (systemd)
struct AwaitRuntimeHooks {};  // prestart and createRuntime, which the runtime runs meanwhile
struct Hook {
  Text path;
  List<Text> args, env;
  bool adds_home = false;  // to the environment of the program, which `env` is
  uint32_t timeout = 0;    // seconds; 0: none
};
struct ContainerHooks {  // createContainer and startContainer, which init runs itself
  List<Hook> list;
  Text point;      // "createContainer"
  Text directory;  // where they run; none: as the program, with its rights too
  Text state;      // the state document up to the number of the pid and the closing brace
};
struct EnterRootfs {
  enum class Way : uint32_t { pivot, move, chroot } way = Way::pivot;
};

// ── after it ──
struct RootPropagation {
  Propagation propagation;
};
struct MakeCwd {  // process.cwd, if it is missing and while that can be mended
  Text path;
};
struct RemountReadonly {  // a mount made earlier, now that nothing has to be created in it
  Text path;
};
struct ReadonlyPath {
  Text path;
};
struct MaskPath {
  Text path;
  Text label;  // SELinux label of the filesystem that covers directories, or empty
};
struct ReadonlyRootfs {};

using Action =
    std::variant<JoinNamespace, UnshareNamespaces, SetHostname, SetDomainname, BringUpLoopback,
                 AwaitNetDevices, WriteProc, SetRootPropagation, OpenRootfs, BindMount,
                 FilesystemMount, Remount, MakeDevice, MakeLink, OpenConsole, OpenNotifySocket,
                 AwaitCgroup, AwaitRuntimeHooks, ContainerHooks, EnterRootfs, RootPropagation,
                 MakeCwd, RemountReadonly, ReadonlyPath, MaskPath, ReadonlyRootfs>;

// Where in config.json a step comes from: "mounts" and 3, rendered "mounts[3]". Kept out of the
// init's records: it reports the number of the step.
struct Origin {
  const char* field = "";
  int32_t index = -1;
};

// ── the last part: from the runtime's start to the container's program ──
struct Limit {
  uint32_t resource = 0;
  uint32_t place_index = 0;  // of process.rlimits
  uint64_t soft = 0, hard = 0;
};

struct CapabilityMasks {
  uint64_t bounding = 0, effective = 0, inheritable = 0, permitted = 0, ambient = 0;
};

struct Scheduler {      // sched_setattr(2)
  int32_t policy = -1;  // -1: unchanged
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t flags = 0, runtime = 0, deadline = 0, period = 0;  // times in nanoseconds
};

struct MemoryPolicy {  // set_mempolicy(2)
  int32_t mode = -1;   // with its flags; -1: unchanged
  List<uint64_t> nodes;
};

struct Handoff {
  List<Text> args, env;
  Text path;  // value of PATH in `env`, for the look-up of args[0]
  Text cwd;
  uint32_t uid = 0, gid = 0, umask = 022;
  List<uint32_t> additional_gids;
  List<Limit> limits;
  CapabilityMasks capabilities;
  uint64_t grantable = 0;      // capabilities that init itself can have
  Text apparmor, selinux;      // label of the program, set for the coming execve
  Text keyring;                // name of a new session keyring
  ContainerHooks start_hooks;  // startContainer
  uint32_t seccomp_flags = 0;
  Scheduler scheduler;
  MemoryPolicy memory_policy;
  List<uint64_t> cpus;       // affinity, as a bit mask; empty: as the cgroup has it
  int32_t io_priority = -1;  // class and level, as ioprio_set(2) takes them; -1: unchanged
  int32_t personality = -1;  // execution domain for personality(2); -1: unchanged
  bool set_groups = true;  // false where setgroups(2) is denied (an ordinary user's user namespace)
  bool no_new_privileges = false;
  bool seccomp = false;  // a program comes with the `commit` message
  bool terminal = false;
  bool find_home = false;   // HOME is unset or empty: take it from the container's /etc/passwd
  bool has_program = true;  // false: no process in config.json, so `start` has to fail
};

static_assert(std::is_trivially_copyable_v<Action> && std::is_trivially_copyable_v<Handoff>);

}  // namespace onggi::plan
