// SPDX-License-Identifier: Apache-2.0
// Verbs on the process itself: credentials, limits, namespaces, signals, clocks, system calls.
#include "support/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

namespace guest {
namespace {

int echo(Arguments words) {
  for (size_t i = 0; i < words.size(); i++) printf("%s%s", i == 0 ? "" : " ", words[i]);
  printf("\n");
  return 0;
}

int complain(Arguments words) {
  for (char* word : words) fprintf(stderr, "%s\n", word);
  return 0;
}

int exit_with(Arguments words) {
  fflush(stdout);
  _exit(words.empty() ? 0 : static_cast<int>(number(words[0])));
}

// SIGILL: a forced signal is the only kind that ends the first process of a pid namespace from
// inside.
int crash(Arguments) {
  fflush(stdout);
  __builtin_trap();
}

int hostname(Arguments) {
  utsname names = {};
  uname(&names);
  printf("hostname %s\n", names.nodename);
  return 0;
}

int domainname(Arguments) {
  char name[128] = {};
  if (getdomainname(name, sizeof name - 1) != 0) return failed("domainname", "");
  printf("domainname %s\n", name);
  return 0;
}

int machine(Arguments) {
  utsname names = {};
  uname(&names);
  printf("machine %s\n", names.machine);
  return 0;
}

int set_hostname(Arguments words) {
  if (sethostname(words[0], strlen(words[0])) != 0) return failed("set-hostname", words[0]);
  printf("set-hostname ok\n");
  return 0;
}

int identity(Arguments) {
  uid_t real = 0, effective = 0, saved = 0;
  getresuid(&real, &effective, &saved);
  printf("uid %u %u %u\n", real, effective, saved);
  gid_t real_group = 0, effective_group = 0, saved_group = 0;
  getresgid(&real_group, &effective_group, &saved_group);
  printf("gid %u %u %u\n", real_group, effective_group, saved_group);
  gid_t groups[64] = {};
  const int count = getgroups(64, groups);
  std::sort(groups, groups + std::max(count, 0));
  printf("groups");
  for (int i = 0; i < count; i++) printf(" %u", groups[i]);
  const mode_t mask = umask(0);
  umask(mask);
  printf("\numask %04o\n", mask);
  return 0;
}

int print_status_lines(const std::vector<std::string>& names) {
  FILE* status = fopen("/proc/self/status", "re");
  if (status == nullptr) return failed("status", "/proc/self/status");
  char line[512];
  while (fgets(line, sizeof line, status) != nullptr) {
    for (const std::string& name : names) {
      if (strncmp(line, name.c_str(), name.size()) == 0 && line[name.size()] == ':') {
        printf("%s %s", name.c_str(), line + name.size() + 2);
      }
    }
  }
  fclose(status);
  return 0;
}

int capabilities(Arguments) {
  return print_status_lines(
      {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"});
}

int signals(Arguments) {
  return print_status_lines({"SigBlk", "SigIgn"});
}

int cgroup(Arguments) {
  return copy_out("cgroup", "/proc/self/cgroup");
}

int namespaces(Arguments) {
  int status = 0;
  for (const char* name : {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"}) {
    char target[64] = {};
    const std::string path = std::string("/proc/self/ns/") + name;
    if (readlink(path.c_str(), target, sizeof target - 1) < 0) {
      status |= failed("ns", name);
    } else {
      printf("ns %s\n", target);
    }
  }
  return status;
}

int environment(Arguments) {
  for (char** entry = environ; *entry != nullptr; entry++) printf("env %s\n", *entry);
  return 0;
}

int working_directory(Arguments) {
  char path[4096];
  if (getcwd(path, sizeof path) == nullptr) return failed("cwd", "");
  printf("cwd %s\n", path);
  return 0;
}

// For hooks, which have no output of their own: DIRECTORY/order gets a line with the name, and
// DIRECTORY/NAME what the process is given, with the document on standard input last.
int record(Arguments words) {
  const std::string directory = words[0], name = words[1];
  const int order =
      open((directory + "/order").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (order < 0 || dprintf(order, "%s\n", words[1]) < 0) return failed("record", words[0]);
  close(order);
  const int report =
      open((directory + "/" + name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (report < 0) return failed("record", words[1]);
  fflush(stdout);
  const int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  dup2(report, STDOUT_FILENO);
  close(report);
  printf("argv0 %s\n", program_invocation_name);
  int status = working_directory({}) | environment({}) | namespaces({});
  printf("state\n");
  status |= copy_out("record", "/dev/fd/0");
  fflush(stdout);
  dup2(saved, STDOUT_FILENO);
  close(saved);
  return status;
}

int limits(Arguments) {
  struct Row {
    __rlimit_resource resource;
    const char* name;
  };
  static constexpr Row kRows[] = {
      {RLIMIT_AS, "RLIMIT_AS"},
      {RLIMIT_CORE, "RLIMIT_CORE"},
      {RLIMIT_CPU, "RLIMIT_CPU"},
      {RLIMIT_DATA, "RLIMIT_DATA"},
      {RLIMIT_FSIZE, "RLIMIT_FSIZE"},
      {RLIMIT_LOCKS, "RLIMIT_LOCKS"},
      {RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK"},
      {RLIMIT_MSGQUEUE, "RLIMIT_MSGQUEUE"},
      {RLIMIT_NICE, "RLIMIT_NICE"},
      {RLIMIT_NOFILE, "RLIMIT_NOFILE"},
      {RLIMIT_NPROC, "RLIMIT_NPROC"},
      {RLIMIT_RSS, "RLIMIT_RSS"},
      {RLIMIT_RTPRIO, "RLIMIT_RTPRIO"},
      {RLIMIT_RTTIME, "RLIMIT_RTTIME"},
      {RLIMIT_SIGPENDING, "RLIMIT_SIGPENDING"},
      {RLIMIT_STACK, "RLIMIT_STACK"},
  };
  for (const Row& row : kRows) {
    rlimit limit = {};
    getrlimit(row.resource, &limit);
    printf("%s %lu %lu\n", row.name, limit.rlim_cur, limit.rlim_max);
  }
  return 0;
}

int session(Arguments) {
  printf("pid %d\nppid %d\nsid %d\npgid %d\n", getpid(), getppid(), getsid(0), getpgrp());
  const int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
  printf("controlling-tty %s\n", fd >= 0 ? "yes" : "no");
  if (fd >= 0) close(fd);
  return 0;
}

int sleep_for(Arguments words) {
  fflush(stdout);
  sleep(static_cast<unsigned>(number(words[0])));
  return 0;
}

int pause_forever(Arguments) {
  printf("ready\n");
  fflush(stdout);
  for (;;) pause();
}

int wait_for_signal(Arguments) {
  sigset_t all;
  sigfillset(&all);
  sigdelset(&all, SIGCHLD);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  printf("ready\n");
  fflush(stdout);
  int signal = 0;
  while (sigwait(&all, &signal) == 0 && signal == SIGWINCH) {
  }
  printf("signal %d\n", signal);
  fflush(stdout);
  return 0;
}

int raw_syscall(Arguments words) {  // NAME|NUMBER ARG...
  struct Row {
    const char* name;
    long call;
  };
  static constexpr Row kRows[] = {
      {"getcwd", SYS_getcwd},
      {"getpid", SYS_getpid},
      {"getppid", SYS_getppid},
      {"getuid", SYS_getuid},
      {"mkdir", SYS_mkdir},
      {"chmod", SYS_chmod},
      {"personality", SYS_personality},
      {"socket", SYS_socket},
      {"kill", SYS_kill},
      {"unshare", SYS_unshare},
      {"sync", SYS_sync},
      {"sethostname", SYS_sethostname},
      {"getsid", SYS_getsid},
      {"umask", SYS_umask},
      {"getpriority", SYS_getpriority},
      {"setns", SYS_setns},
      {"keyctl", SYS_keyctl},
      {"chroot", SYS_chroot},
  };
  long call = -1;
  for (const Row& row : kRows) {
    if (strcmp(row.name, words[0]) == 0) call = row.call;
  }
  if (call < 0) call = number(words[0]);
  long values[6] = {};
  for (size_t i = 1; i < words.size() && i < 7; i++) values[i - 1] = number(words[i]);
  fflush(stdout);
  errno = 0;
  const long result =
      syscall(call, values[0], values[1], values[2], values[3], values[4], values[5]);
  printf("syscall %s %s\n", words[0], result >= 0 ? "ok" : strerrorname_np(errno));
  return 0;
}

int fork_many(Arguments words) {
  std::vector<pid_t> children;
  int error = 0;
  fflush(stdout);
  for (long i = 0; i < number(words[0]); i++) {
    const pid_t child = fork();
    if (child == 0) {
      for (;;) pause();
    }
    if (child < 0) {
      error = errno;
      break;
    }
    children.push_back(child);
  }
  printf("fork %zu %s\n", children.size(), error == 0 ? "ok" : strerrorname_np(error));
  for (const pid_t child : children) kill(child, SIGKILL);
  while (wait(nullptr) > 0) {
  }
  return 0;
}

// Leaves a process behind that outlives this one and is in a session of its own.
int leave_child(Arguments) {
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    for (;;) pause();
  }
  printf("child %d\n", child);
  return child < 0 ? 1 : 0;
}

// Leaves processes behind that each fork the next and end: for longer than any test waits.
int respawn(Arguments) {
  const time_t end = time(nullptr) + 120;
  fflush(stdout);
  if (const pid_t child = fork(); child != 0) return child < 0 ? failed("respawn", "") : 0;
  setsid();
  while (time(nullptr) < end && fork() == 0) {
  }
  _exit(0);
}

int spin(Arguments) {
  for (volatile unsigned long turns = 0;;) turns = turns + 1;
}

// The security label of the session keyring.
int key_label(Arguments) {
  constexpr long kGetSecurity = 17, kSessionKeyring = -3;  // keyctl(2)
  char label[512] = {};
  const long size = syscall(SYS_keyctl, kGetSecurity, kSessionKeyring, label, sizeof label - 1);
  if (size < 0) return failed("key-label", "session");
  printf("key-label %s\n", label);
  return 0;
}

int oom_score(Arguments) {
  printf("oom-score-adj ");
  return copy_out("oom-score-adj", "/proc/self/oom_score_adj");
}

int scheduling(Arguments) {
  constexpr int kProcess = 1;  // IOPRIO_WHO_PROCESS
  int mode = -1;
  unsigned long nodes[64] = {};
  const long policy = syscall(SYS_get_mempolicy, &mode, nodes, sizeof nodes * 8, nullptr, 0);
  printf("policy %d\nnice %d\nioprio %ld\n", sched_getscheduler(0), getpriority(PRIO_PROCESS, 0),
         syscall(SYS_ioprio_get, kProcess, 0));
  if (policy < 0) return failed("scheduling", "mempolicy");
  printf("mempolicy %d\nnodes %lx\n", mode, nodes[0]);
  return 0;
}

int eat_memory(Arguments words) {
  const size_t size = strtoul(words[0], nullptr, 0);
  void* area = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED) return failed("eat-memory", words[0]);
  memset(area, 1, size);
  printf("eat-memory ok\n");
  return 0;
}

int interfaces(Arguments) {
  struct if_nameindex* list = if_nameindex();
  if (list == nullptr) return failed("interfaces", "");
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  for (const struct if_nameindex* row = list; row->if_index != 0; row++) {
    ifreq request = {};
    strncpy(request.ifr_name, row->if_name, IFNAMSIZ - 1);
    ioctl(fd, SIOCGIFFLAGS, &request);
    printf("interface %s %s\n", row->if_name, (request.ifr_flags & IFF_UP) != 0 ? "up" : "down");
  }
  if (fd >= 0) close(fd);
  if_freenameindex(list);
  return 0;
}

int message_queue(Arguments words) {  // make KEY | find KEY
  const bool make = strcmp(words[0], "make") == 0;
  return report("msg", words[1],
                msgget(static_cast<key_t>(number(words[1])), make ? IPC_CREAT | 0600 : 0));
}

int clocks(Arguments) {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  printf("monotonic %ld\n", now.tv_sec);
  clock_gettime(CLOCK_BOOTTIME, &now);
  printf("boottime %ld\n", now.tv_sec);
  return 0;
}

int processes(Arguments) {
  DIR* directory = opendir("/proc");
  if (directory == nullptr) return failed("processes", "/proc");
  int count = 0;
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') count++;
  }
  closedir(directory);
  printf("processes %d\n", count);
  return 0;
}

int persona(Arguments) {
  printf("personality %d\n", personality(0xffffffff));
  return 0;
}

int cpus(Arguments) {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  printf("cpus");
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (CPU_ISSET(cpu, &set)) printf(" %u", cpu);
  }
  printf("\n");
  return 0;
}

// NUMBER ERRNO PROGRAM ARGUMENT...: runs a program below a seccomp filter that answers this system
// call with an error, as an outer container's may.
int without_call(Arguments words) {
  const auto call = static_cast<unsigned>(number(words[0]));
  const auto error = static_cast<unsigned>(number(words[1]));
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {sizeof filter / sizeof filter[0], filter};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) return failed("filter", words[0]);
  std::vector<char*> argv(words.begin() + 2, words.end());
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  return failed("exec", argv[0]);
}

constexpr Verb kVerbs[] = {
    {"caps", capabilities, 0},
    {"cgroup", cgroup, 0},
    {"clocks", clocks, 0},
    {"complain", complain, 1},
    {"cpus", cpus, 0},
    {"crash", crash, 0},
    {"cwd", working_directory, 0},
    {"domainname", domainname, 0},
    {"eat-memory", eat_memory, 1},
    {"echo", echo, 0},
    {"env", environment, 0},
    {"exit", exit_with, 0},
    {"fork", fork_many, 1},
    {"hostname", hostname, 0},
    {"id", identity, 0},
    {"interfaces", interfaces, 0},
    {"key-label", key_label, 0},
    {"leave-child", leave_child, 0},
    {"machine", machine, 0},
    {"msg", message_queue, 2},
    {"ns", namespaces, 0},
    {"oom-score-adj", oom_score, 0},
    {"pause", pause_forever, 0},
    {"personality", persona, 0},
    {"processes", processes, 0},
    {"record", record, 2},
    {"respawn", respawn, 0},
    {"rlimits", limits, 0},
    {"scheduling", scheduling, 0},
    {"session", session, 0},
    {"set-hostname", set_hostname, 1},
    {"signal-exit", wait_for_signal, 0},
    {"signals", signals, 0},
    {"sleep", sleep_for, 1},
    {"spin", spin, 0},
    {"syscall", raw_syscall, 1},
    {"without-call", without_call, 3},
};

}  // namespace

std::span<const Verb> process_verbs() {
  return kVerbs;
}

}  // namespace guest
