// SPDX-License-Identifier: Apache-2.0
// The floor: what the kernel charges for the container of `runc spec`, hard-coded. Nothing is
// parsed, kept or explained, and the cheapest way to the same result is taken, so a runtime cannot
// be much faster. docs/performance.md says what it leaves out.
//   floor run ROOT ID                   /bin/true, to its end
//   floor create ROOT ID PID-FILE       sleeps, until it is killed
//   floor exec PID ID                   /bin/true in what `create` has made
//   floor delete ID                     the cgroups of what `create` has made
#include "bench/floor.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace floor_program {
namespace {

constexpr unsigned long kNoSuidDevExec = MS_NOSUID | MS_NODEV | MS_NOEXEC;

struct Mount {
  const char *type, *target;
  unsigned long flags;
  const char* data;
};
constexpr Mount kMounts[] = {
    {"proc", "proc", 0, nullptr},
    {"tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"},
    {"devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"},
    {"tmpfs", "dev/shm", kNoSuidDevExec, "mode=1777,size=65536k"},
    {"mqueue", "dev/mqueue", kNoSuidDevExec, nullptr},
    {"sysfs", "sys", kNoSuidDevExec | MS_RDONLY, nullptr},
};

struct Node {
  const char* path;
  unsigned major, minor;
};
constexpr Node kNodes[] = {{"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
                           {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};

struct Link {
  const char *target, *path;
};
constexpr Link kLinks[] = {
    {"/proc/self/fd", "dev/fd"},       {"/proc/self/fd/0", "dev/stdin"},
    {"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"},
    {"pts/ptmx", "dev/ptmx"},
};

constexpr const char* kMasked[] = {"/proc/acpi",        "/proc/asound",        "/proc/kcore",
                                   "/proc/keys",        "/proc/latency_stats", "/proc/timer_list",
                                   "/proc/timer_stats", "/proc/sched_debug",   "/sys/firmware",
                                   "/proc/scsi"};
constexpr const char* kReadOnly[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                     "/proc/sysrq-trigger"};

// CAP_AUDIT_WRITE, CAP_KILL, CAP_NET_BIND_SERVICE
constexpr unsigned kCapabilities =
    1U << CAP_AUDIT_WRITE | 1U << CAP_KILL | 1U << CAP_NET_BIND_SERVICE;

void bring_up_loopback() {
  const int fd = must("socket", socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  (void)strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  must("SIOCSIFFLAGS", ioctl(fd, SIOCSIFFLAGS, &request));
  (void)close(fd);
}

void make_mounts() {
  for (const Mount& mount : kMounts) {
    if (strncmp(mount.target, "dev/", 4) == 0) must(mount.target, mkdir(mount.target, 0755));
    must(mount.target, ::mount(mount.type, mount.target, mount.type, mount.flags, mount.data));
  }
}

void make_devices() {
  for (const Node& node : kNodes) {
    must(node.path, mknod(node.path, S_IFCHR | 0666, makedev(node.major, node.minor)));
  }
  for (const Link& link : kLinks) must(link.path, symlink(link.target, link.path));
}

void protect_paths() {
  for (const char* path : kReadOnly) {
    if (mount(path, path, nullptr, MS_BIND | MS_REC, nullptr) != 0) continue;
    must(path, mount(nullptr, path, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr));
  }
  // All directories are hidden by one file system.
  const char* empty = nullptr;
  for (const char* path : kMasked) {
    struct stat info = {};
    if (stat(path, &info) != 0) continue;
    if (!S_ISDIR(info.st_mode)) {
      must(path, mount("/dev/null", path, nullptr, MS_BIND, nullptr));
    } else if (empty != nullptr) {
      must(path, mount(empty, path, nullptr, MS_BIND, nullptr));
    } else {
      must(path, mount("tmpfs", path, "tmpfs", MS_RDONLY, "nr_inodes=1,size=4096,mode=555"));
      empty = path;
    }
  }
}

void enter_root(const char* root, const Groups& groups) {
  must("propagation", mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr));
  must(root, mount(root, root, nullptr, MS_BIND | MS_REC, nullptr));
  must(root, chdir(root));
  make_mounts();
  groups.show();
  make_devices();
  must("sethostname", sethostname("runc", 4));
  must("pivot_root", syscall(SYS_pivot_root, ".", "."));
  must("umount", umount2(".", MNT_DETACH));
  must("chdir", chdir("/"));
  protect_paths();
  must("root", mount(nullptr, "/", nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr));
}

// What every process of the container has: session keyring, limits, capabilities, no_new_privs.
void restrict_ourselves(const char* id) {
  must("keyring", syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, id));
  (void)umask(022);
  must("close_range", syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */));
  const rlimit files = {1024, 1024};
  must("setrlimit", setrlimit(RLIMIT_NOFILE, &files));
  for (unsigned capability = 0;; capability++) {
    if (capability < 32 && (kCapabilities >> capability & 1U) != 0) continue;
    if (prctl(PR_CAPBSET_DROP, capability) != 0) break;  // the kernel knows no more
  }
  must("setgroups", syscall(SYS_setgroups, 0, nullptr));
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {{kCapabilities, kCapabilities, 0}, {0, 0, 0}};
  must("capset", syscall(SYS_capset, &header, sets));
  must("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

[[noreturn]] void become(const char* program, const char* argument) {
  const char* arguments[] = {program, argument, nullptr};
  const char* environment[] = {"PATH=/bin", "TERM=xterm", nullptr};
  (void)execve(program, const_cast<char**>(arguments), const_cast<char**>(environment));
  fail(program);
}

int status_of(pid_t child) {
  int status = 0;
  must("waitpid", waitpid(child, &status, 0));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

pid_t make_child(Groups& groups, unsigned long long flags) {
  clone_args arguments = {};
  arguments.flags = flags;
  arguments.exit_signal = SIGCHLD;
  if (groups.unified() >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<unsigned long long>(groups.unified());
  }
  const pid_t child =
      static_cast<pid_t>(must("clone3", syscall(SYS_clone3, &arguments, sizeof arguments)));
  if (child == 0) groups.join();
  return child;
}

pid_t make_container(Groups& groups, const char* root, const char* id, const char* program,
                     const char* argument) {
  groups.make();
  const pid_t child =
      make_child(groups, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET);
  if (child != 0) return child;
  bring_up_loopback();
  enter_root(root, groups);
  restrict_ourselves(id);
  become(program, argument);
}

int run(char** words) {
  Groups groups(words[1]);
  const int status = status_of(make_container(groups, words[0], words[1], "/bin/true", nullptr));
  groups.remove();
  return status;
}

int create(char** words) {
  int running[2];
  must("pipe", pipe2(running, O_CLOEXEC));
  Groups groups(words[1]);
  const pid_t child = make_container(groups, words[0], words[1], "/bin/sleep", "1000");
  (void)close(running[1]);
  char text[32];
  must("pipe", read(running[0], text, 1));  // ends with the execve
  const int length = snprintf(text, sizeof text, "%d", child);
  const int fd = must(words[2], open(words[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  must(words[2], write(fd, text, static_cast<size_t>(length)));
  return 0;
}

// Namespaces of processes hold for children only, so one is made in any case.
int execute(char** words) {
  Groups groups(words[1]);
  groups.find();
  const int target =
      static_cast<int>(must("pidfd_open", syscall(SYS_pidfd_open, atoi(words[0]), 0)));
  must("setns pid", setns(target, CLONE_NEWPID));
  const pid_t child = make_child(groups, 0);
  if (child != 0) return status_of(child);
  must("setns", setns(target, CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET));
  restrict_ourselves(words[1]);
  become("/bin/true", nullptr);
}

int remove(char** words) {
  Groups groups(words[0]);
  groups.find();
  groups.remove();
  return 0;
}

struct Verb {
  const char* name;
  int words;
  int (*function)(char** words);
};
constexpr Verb kVerbs[] = {
    {"run", 2, run}, {"create", 3, create}, {"exec", 2, execute}, {"delete", 1, remove}};

}  // namespace
}  // namespace floor_program

int main(int argc, char** argv) {
  for (const auto& verb : floor_program::kVerbs) {
    if (argc == verb.words + 2 && strcmp(argv[1], verb.name) == 0) return verb.function(argv + 2);
  }
  (void)dprintf(2,
                "usage: floor run ROOT ID | create ROOT ID PID-FILE | exec PID ID | delete ID\n");
  return 2;
}
