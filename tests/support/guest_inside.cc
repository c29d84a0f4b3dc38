// SPDX-License-Identifier: Apache-2.0
// Verbs of a hostile container: what one of its processes can get out of another, and verbs that
// print what a hook is, which has no output of its own.
#include "support/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

namespace guest {
namespace {

// The verbs after it print into a file.
int redirect(Arguments words) {
  const int file = open(words[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return failed("into", words[0]);
  fflush(stdout);
  dup2(file, STDOUT_FILENO);
  close(file);
  return 0;
}

// "keyring" or "user" or whatever the session keyring is, with owner, rights and name.
int session_keyring(Arguments) {
  constexpr long kDescribe = 6, kSessionKeyring = -3;  // keyctl(2)
  char description[512] = {};
  if (syscall(SYS_keyctl, kDescribe, kSessionKeyring, description, sizeof description - 1) < 0)
    return failed("keyring", "session");
  printf("keyring %s\n", description);
  return 0;
}

std::string file_of(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

// Empty: not to be had.
std::string program_of(pid_t pid) {
  char target[512] = {};
  const ssize_t size = readlink(file_of(pid, "exe").c_str(), target, sizeof target - 1);
  return {target, static_cast<size_t>(size < 0 ? 0 : size)};
}

bool attach(pid_t pid) {
  if (ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) return false;
  ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);
  return true;
}

void detach(pid_t pid) {
  int status = 0;
  waitpid(pid, &status, __WALL);
  ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
}

bool opens(pid_t pid, const char* name, int flags) {
  const int file = open(file_of(pid, name).c_str(), flags | O_CLOEXEC);
  if (file >= 0) close(file);
  return file >= 0;
}

bool reads_memory(pid_t pid) {
  char byte;
  // Nothing is mapped there, but rights are looked at first.
  const iovec local{&byte, 1}, remote{reinterpret_cast<void*>(0x1000), 1};
  return process_vm_readv(pid, &local, 1, &remote, 1, 0) >= 0 || errno == EFAULT;
}

bool takes_descriptor(pid_t pid) {
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return false;
  const int taken = static_cast<int>(syscall(SYS_pidfd_getfd, pidfd, 1, 0));
  close(pidfd);
  if (taken >= 0) close(taken);
  return taken >= 0;
}

// What can be done to a process: "traced", "there" if it is, and a word for each way that is open.
int trace(Arguments words) {
  const auto pid = static_cast<pid_t>(number(words[0]));
  printf("traced");
  if (opens(pid, "stat", O_RDONLY)) printf(" there");
  if (!program_of(pid).empty()) printf(" exe");
  if (opens(pid, "mem", O_RDWR)) printf(" mem");
  if (opens(pid, "environ", O_RDONLY)) printf(" environ");
  if (reads_memory(pid)) printf(" memory");
  if (takes_descriptor(pid)) printf(" descriptor");
  if (attach(pid)) {
    printf(" attach");
    detach(pid);
  }
  printf("\n");
  return 0;
}

// Until there is the file: tries to seize every new process, and says which program one was
// executing that is not the container's own.
int hunt(Arguments words) {
  printf("ready\n");
  fflush(stdout);
  const pid_t self = getpid();
  while (access(words[0], F_OK) != 0) {
    DIR* processes = opendir("/proc");
    if (processes == nullptr) return failed("hunt", "/proc");
    while (const dirent* entry = readdir(processes)) {
      const auto pid = static_cast<pid_t>(atoi(entry->d_name));
      if (pid <= 0 || pid == self) continue;
      std::string program = program_of(pid);
      if (program.empty() && attach(pid)) {
        program = program_of(pid);  // of a process that is ending: none
        detach(pid);
      }
      if (program.empty() || program == "/bin/guest") continue;
      printf("caught %s\n", program.c_str());
    }
    closedir(processes);
  }
  printf("hunted\n");
  return 0;
}

int kill_parent(Arguments) {
  return kill(getppid(), SIGKILL) == 0 ? 0 : 1;
}

constexpr Verb kVerbs[] = {
    {"kill-parent", kill_parent, 0}, {"hunt", hunt, 1},   {"into", redirect, 1},
    {"keyring", session_keyring, 0}, {"trace", trace, 1},
};

}  // namespace

std::span<const Verb> inside_verbs() {
  return kVerbs;
}

}  // namespace guest
