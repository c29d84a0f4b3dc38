// SPDX-License-Identifier: Apache-2.0
// The first instructions of `onggi`, a position-independent program without a C library: it
// relocates itself, gets a stack guard and calls main(). Built without a stack protector: until the
// guard is there, nothing may ask for it.
#include "freestanding/relocate.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <cstring>

#if defined(__x86_64__)
#include <asm/prctl.h>
#endif

extern "C" {
char** environ;
int program_main(int argc, char** argv) __asm__("main");

// The linker's: the program's constructors.
using Constructor = void (*)();
extern const Constructor first_constructor[] __asm__("__init_array_start")
    __attribute__((visibility("hidden")));
extern const Constructor last_constructor[] __asm__("__init_array_end")
    __attribute__((visibility("hidden")));
}

namespace onggi {
namespace {

[[noreturn]] void give_up(const char* why) {
  (void)sys::write(2, why, strlen(why));
  sys::exit_group(127);
}

// Of the largest plan that the tests have, and as much again; init has the same limit. Beyond it
// the kernel ends a program without a word.
void check_stack() {
  constexpr uint64_t kLeast = uint64_t{512} * 1024;
  uint64_t limit[2] = {};
  if (sys::prlimit64(0, RLIMIT_STACK, nullptr, limit) == 0 && limit[0] < kLeast)
    give_up("onggi: the limit of the stack is below 512 KiB; raise it (ulimit -s 8192)\n");
}

const unsigned char* random_bytes(const long* auxiliary) {
  for (; auxiliary[0] != AT_NULL; auxiliary += 2) {
    if (auxiliary[0] == AT_RANDOM) return reinterpret_cast<const unsigned char*>(auxiliary[1]);
  }
  return nullptr;
}

#if defined(__x86_64__)
// The part of glibc's thread control block that g++ knows of: there is no other thread-local
// storage.
struct ThreadBlock {
  ThreadBlock* self;
  uintptr_t unused[4];
  uintptr_t guard;  // at %fs:0x28
};
ThreadBlock thread_block;

void set_guard(uintptr_t guard) {
  thread_block.self = &thread_block;
  thread_block.guard = guard;
  if (sys::call(SYS_arch_prctl, ARCH_SET_FS, &thread_block) < 0)
    give_up("onggi: arch_prctl ARCH_SET_FS is refused here\n");
}
#else
extern "C" uintptr_t __stack_chk_guard;
uintptr_t __stack_chk_guard;

void set_guard(uintptr_t guard) {
  __stack_chk_guard = guard;
}
#endif

// The kernel's initial stack: argc, argv, NULL, envp, NULL, auxiliary vector.
extern "C" [[noreturn, gnu::used]] void onggi_start(long* stack) {
  if (!relocate_program()) give_up("onggi: the program has a relocation that is not known\n");
  check_stack();
  char** const argv = reinterpret_cast<char**>(stack + 1);
  environ = argv + stack[0] + 1;
  char** at = environ;
  while (*at != nullptr) at++;
  uintptr_t guard = 0;
  if (const unsigned char* random = random_bytes(reinterpret_cast<const long*>(at + 1)))
    memcpy(&guard, random, sizeof guard);
  set_guard(guard & ~uintptr_t{0xff});  // a NUL first: no string function reads or writes past it
  for (const Constructor* each = first_constructor; each < last_constructor; each++) (*each)();
  sys::exit_group(program_main(static_cast<int>(stack[0]), argv));
}

}  // namespace
}  // namespace onggi

extern "C" char* getenv(const char* name) noexcept {
  const size_t length = strlen(name);
  for (char** each = environ; *each != nullptr; each++) {
    if (strnlen(*each, length + 1) <= length || (*each)[length] != '=') continue;
    if (memcmp(*each, name, length) == 0) return *each + length + 1;
  }
  return nullptr;
}

#if defined(__x86_64__)
__asm__(
    ".globl _start\n_start:\n"
    "xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call onggi_start\n hlt\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n mov x29, xzr\n mov x0, sp\n bl onggi_start\n brk #1\n");
#endif
