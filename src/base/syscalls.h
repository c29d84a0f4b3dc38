// SPDX-License-Identifier: Apache-2.0
// Raw Linux system calls for both programs: onggi-init has no libc, and the runtime needs calls
// that glibc 2.36 lacks. Every wrapper returns what the kernel returns: a value >= 0, or a negated
// errno. All descriptors are close-on-exec unless the caller asks otherwise by its flags.
#pragma once

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <type_traits>

// glibc's <fcntl.h> offers these only with _GNU_SOURCE, which strict -std=c++20 does not define in
// C mode.
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

struct rlimit64;
struct sock_fprog;

namespace onggi::sys {

#if defined(__x86_64__)
inline long raw(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                long f = 0) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline long raw(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                long f = 0) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
}
#else
#error "onggi knows the system call convention of x86_64 and aarch64 only"
#endif

template <class T>
long argument(T value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<long>(value);
  } else if constexpr (std::is_null_pointer_v<T>) {
    return 0;
  } else {
    return static_cast<long>(value);
  }
}
template <class... Arguments>
long call(long number, Arguments... arguments) {
  return raw(number, argument(arguments)...);
}
// The same, again after a signal.
template <class... Arguments>
long retry(long number, Arguments... arguments) {
  long result;
  do {
    result = raw(number, argument(arguments)...);
  } while (result == -EINTR);
  return result;
}

// ── descriptors and files ──
constexpr long close(int fd) noexcept {
  return std::is_constant_evaluated() ? 0 : raw(SYS_close, fd);
}
inline long openat(int dir, const char* path, int flags, unsigned mode = 0) {
  return retry(SYS_openat, dir, path, flags | O_CLOEXEC, mode);
}
inline long openat2(int dir, const char* path, uint64_t flags, uint64_t resolve,
                    uint64_t mode = 0) {
  open_how how{.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
  long result = -EAGAIN;
  // EAGAIN: a rename or mount anywhere on the host raced with a walk over ".." (openat2(2)). Not
  // for ever: a hostile container could keep on renaming.
  constexpr int kAttempts = 1000;
  for (int i = 0; i < kAttempts && (result == -EAGAIN || result == -EINTR); i++)
    result = call(SYS_openat2, dir, path, &how, sizeof how);
  return result;
}
inline long read(int fd, void* to, size_t size) {
  return retry(SYS_read, fd, to, size);
}
inline long pread(int fd, void* to, size_t size, int64_t offset) {
  return retry(SYS_pread64, fd, to, size, offset);
}
inline long write(int fd, const void* from, size_t size) {
  return retry(SYS_write, fd, from, size);
}
inline long lseek(int fd, int64_t offset, int whence) {
  return call(SYS_lseek, fd, offset, whence);
}
inline long mkdirat(int dir, const char* name, unsigned mode) {
  return call(SYS_mkdirat, dir, name, mode);
}
inline long mknodat(int dir, const char* name, unsigned mode, uint64_t device) {
  return call(SYS_mknodat, dir, name, mode, device);
}
inline long symlinkat(const char* target, int dir, const char* name) {
  return call(SYS_symlinkat, target, dir, name);
}
inline long readlinkat(int dir, const char* name, char* to, size_t size) {
  return call(SYS_readlinkat, dir, name, to, size);
}
inline long unlinkat(int dir, const char* name, int flags) {
  return call(SYS_unlinkat, dir, name, flags);
}
inline long renameat(int dir, const char* from, int to_dir, const char* to) {
  return call(SYS_renameat2, dir, from, to_dir, to, 0);
}
inline long statx(int dir, const char* path, int flags, unsigned mask, struct statx* to) {
  return call(SYS_statx, dir, path, flags, mask, to);
}
inline long fchmod(int fd, unsigned mode) {
  return call(SYS_fchmod, fd, mode);
}
inline long fchownat(int dir, const char* path, uint32_t uid, uint32_t gid, int flags) {
  return call(SYS_fchownat, dir, path, uid, gid, flags);
}
inline long fsetxattr(int fd, const char* name, const void* value, size_t size) {
  return call(SYS_fsetxattr, fd, name, value, size, 0);
}
inline long fstatfs(int fd, void* to) {
  return call(SYS_fstatfs, fd, to);
}
inline long getdents64(int fd, void* to, size_t size) {
  return call(SYS_getdents64, fd, to, size);
}
inline long dup3(int from, int to, int flags) {
  return call(SYS_dup3, from, to, flags);
}
inline long fcntl(int fd, int command, long value = 0) {
  return call(SYS_fcntl, fd, command, value);
}
inline long ioctl(int fd, unsigned long request, void* value) {
  return call(SYS_ioctl, fd, request, value);
}
inline long ioctl(int fd, unsigned long request, long value = 0) {
  return call(SYS_ioctl, fd, request, value);
}
inline long close_range(unsigned first, unsigned last, unsigned flags) {
  return call(SYS_close_range, first, last, flags);
}
inline long memfd_create(const char* name, unsigned flags) {
  return call(SYS_memfd_create, name, flags);
}
inline long fchdir(int fd) {
  return call(SYS_fchdir, fd);
}
inline long chdir(const char* path) {
  return call(SYS_chdir, path);
}
inline long chroot(const char* path) {
  return call(SYS_chroot, path);
}
inline long getcwd(char* to, size_t size) {
  return call(SYS_getcwd, to, size);
}
inline long umask(unsigned mask) {
  return call(SYS_umask, mask);
}
inline long mmap(size_t size, int protection, int flags, int fd) {
  return raw(SYS_mmap, 0, static_cast<long>(size), protection, flags, fd, 0);
}

// ── mounts (fsopen(2) and friends; Linux 5.2, mount_setattr 5.12) ──
inline long open_tree(int dir, const char* path, unsigned flags) {
  return call(SYS_open_tree, dir, path, flags | O_CLOEXEC);
}
inline long move_mount(int from, const char* from_path, int to, const char* to_path,
                       unsigned flags) {
  return call(SYS_move_mount, from, from_path, to, to_path, flags);
}
inline long fsopen(const char* type) {
  return call(SYS_fsopen, type, FSOPEN_CLOEXEC);
}
inline long fspick(int dir, const char* path, unsigned flags) {
  return call(SYS_fspick, dir, path, flags | FSPICK_CLOEXEC);
}
inline long fsconfig(int fd, unsigned command, const char* key, const void* value, int aux = 0) {
  return call(SYS_fsconfig, fd, command, key, value, aux);
}
inline long fsmount(int fd, uint64_t attributes) {
  return call(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes);
}
inline long mount_setattr(int dir, const char* path, unsigned flags, const mount_attr& attributes) {
  return call(SYS_mount_setattr, dir, path, flags, &attributes, sizeof attributes);
}
inline long mount(const char* source, const char* target, const char* type, unsigned long flags,
                  const char* data) {
  return call(SYS_mount, source, target, type, flags, data);
}
inline long umount2(const char* path, int flags) {
  return call(SYS_umount2, path, flags);
}
inline long pivot_root(const char* new_root, const char* put_old) {
  return call(SYS_pivot_root, new_root, put_old);
}

// ── processes and namespaces ──
inline long setns(int fd, int type) {
  return call(SYS_setns, fd, type);
}
inline long unshare(int flags) {
  return call(SYS_unshare, flags);
}
inline long getpid() {
  return call(SYS_getpid);
}
// The process's number; 0 with WNOHANG: none has changed. `status` is for the macros of
// <sys/wait.h>.
inline long waitpid(int pid, int& status, int options = 0) {
  return retry(SYS_wait4, pid, &status, options, nullptr);
}
inline long kill(int pid, int signal) {
  return call(SYS_kill, pid, signal);
}
inline long pidfd_open(int pid) {
  return call(SYS_pidfd_open, pid, 0);
}
inline long pidfd_send_signal(int pidfd, int signal) {
  return call(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
}
inline long execveat(int dir, const char* path, char* const* argv, char* const* envp, int flags) {
  return call(SYS_execveat, dir, path, argv, envp, flags);
}
inline long execve(const char* path, char* const* argv, char* const* envp) {
  return call(SYS_execve, path, argv, envp);
}
inline long prctl(int option, unsigned long a = 0, unsigned long b = 0, unsigned long c = 0,
                  unsigned long d = 0) {
  return call(SYS_prctl, option, a, b, c, d);
}
inline long setsid() {
  return call(SYS_setsid);
}
inline long sethostname(const char* name, size_t size) {
  return call(SYS_sethostname, name, size);
}
inline long setdomainname(const char* name, size_t size) {
  return call(SYS_setdomainname, name, size);
}
inline long setresuid(uint32_t id) {
  return call(SYS_setresuid, id, id, id);
}
inline long setresgid(uint32_t id) {
  return call(SYS_setresgid, id, id, id);
}
inline long setgroups(size_t count, const uint32_t* groups) {
  return call(SYS_setgroups, count, groups);
}
inline long prlimit64(int pid, int resource, const void* limit, void* old) {
  return call(SYS_prlimit64, pid, resource, limit, old);
}
// clone3(2) with a stack of its own for the child, which runs `entry` and must not return from it.
// The kernel has set the stack pointer, so nothing of this frame may be used in the child: what it
// needs is in registers.
inline long clone3_onto_stack(clone_args* arguments, void (*entry)(void*), void* argument) {
#if defined(__x86_64__)
  long result;
  register void (*function)(void*) __asm__("r8") = entry;
  register void* value __asm__("r9") = argument;
  __asm__ volatile(
      "syscall\n"
      "test %%rax, %%rax\n"
      "jnz 1f\n"
      "xor %%ebp, %%ebp\n"
      "mov %%r9, %%rdi\n"
      "call *%%r8\n"
      "hlt\n"
      "1:"
      : "=a"(result)
      : "a"(SYS_clone3), "D"(arguments), "S"(sizeof *arguments), "r"(function), "r"(value)
      : "rcx", "r11", "memory");
  return result;
#else
  register long number __asm__("x8") = SYS_clone3;
  register long result __asm__("x0") = reinterpret_cast<long>(arguments);
  register long size __asm__("x1") = sizeof *arguments;
  register void (*function)(void*) __asm__("x2") = entry;
  register void* value __asm__("x3") = argument;
  __asm__ volatile(
      "svc #0\n"
      "cbnz x0, 1f\n"
      "mov x29, xzr\n"
      "mov x0, x3\n"
      "blr x2\n"
      "brk #1\n"
      "1:"
      : "+r"(result)
      : "r"(number), "r"(size), "r"(function), "r"(value)
      : "memory");
  return result;
#endif
}

// A seccomp filter may refuse even this call; a signal of the processor's (SIGILL, SIGTRAP) ends us
// then.
[[noreturn]] inline void exit_group(int status) {
  raw(SYS_exit_group, status);
  __builtin_trap();
}

// ── signals ──
using SignalSet = uint64_t;  // bit N-1 for signal N
constexpr int kSignals = 64;

inline long set_signal_mask(SignalSet blocked) {
  return call(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &blocked, nullptr, sizeof blocked);
}
inline long default_signal(int signal) {
  const uint64_t action[4] = {};  // the kernel's struct sigaction
  return call(SYS_rt_sigaction, signal, &action[0], nullptr, sizeof(SignalSet));
}
// An execve keeps ignored signals ignored, and the mask: what is ours or our caller's is not the
// program's.
inline void reset_signals() {
  for (int signal = 1; signal <= kSignals; signal++) (void)default_signal(signal);
  (void)set_signal_mask(0);
}
inline long signalfd(SignalSet signals, int flags) {
  return call(SYS_signalfd4, -1, &signals, sizeof signals, flags);
}

// ── time ──
inline long clock_gettime(int clock, timespec& time) {
  return call(SYS_clock_gettime, clock, &time);
}
// Of a clock that no kernel lacks.
inline int64_t nanoseconds(int clock) {
  timespec time = {};
  (void)clock_gettime(clock, time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// ── sockets ──
inline long socket(int domain, int type) {
  return call(SYS_socket, domain, type | SOCK_CLOEXEC, 0);
}
inline long socketpair(int domain, int type, int* pair) {
  return call(SYS_socketpair, domain, type | SOCK_CLOEXEC, 0, pair);
}
inline long bind(int fd, const sockaddr_un& address, size_t size) {
  return call(SYS_bind, fd, &address, size);
}
inline long connect(int fd, const sockaddr_un& address, size_t size) {
  return retry(SYS_connect, fd, &address, size);
}
inline long listen(int fd, int backlog) {
  return call(SYS_listen, fd, backlog);
}
inline long accept(int fd) {
  return retry(SYS_accept4, fd, nullptr, nullptr, SOCK_CLOEXEC);
}
inline long sendmsg(int fd, const msghdr& message, int flags) {
  return retry(SYS_sendmsg, fd, &message, flags);
}
inline long recvmsg(int fd, msghdr& message, int flags) {
  return retry(SYS_recvmsg, fd, &message, flags);
}

}  // namespace onggi::sys
