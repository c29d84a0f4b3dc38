// SPDX-License-Identifier: Apache-2.0
// What g++ expects of a C library where there is none: an entry point and a stack guard; the memory
// functions are those of src/freestanding. Under the sanitizers (ONGGI_INIT_HOSTED) there is one,
// and only main() is needed.
#include "base/syscalls.h"
#ifndef ONGGI_INIT_HOSTED
#include "freestanding/relocate.h"
#endif

#include <cstdint>

namespace onggi {
[[noreturn]] void init_main(long argc, char** argv);
}

#ifdef ONGGI_INIT_HOSTED

int main(int argc, char** argv) {
  onggi::init_main(argc, argv);
}

// In a container there may be no /proc to symbolize with, and nothing to leak to.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0:symbolize=0";
}

#else

// Where std::string_view::substr and the like would throw.
namespace std {
[[noreturn]] void __throw_out_of_range_fmt(const char*, ...) {
  onggi::sys::exit_group(136);
}
}  // namespace std

extern "C" {

[[noreturn]] void abort() {
  onggi::sys::exit_group(134);
}

// -mstack-protector-guard=global: there is no thread-local storage for the guard to live in.
uintptr_t __stack_chk_guard = 0x4f4e4747492121;
[[noreturn]] void __stack_chk_fail() {
  onggi::sys::exit_group(135);
}

// The kernel's initial stack: argc, argv, NULL, envp, NULL, auxiliary vector.
[[noreturn, gnu::used, gnu::optimize("no-stack-protector")]] void onggi_init_entry(long* stack) {
  if (!onggi::relocate_program()) onggi::sys::exit_group(127);
  char** argv = reinterpret_cast<char**>(stack + 1);
  long* at = stack + 1 + stack[0] + 1;
  while (*at != 0) at++;
  for (at++; at[0] != 0; at += 2) {
    constexpr long kAtRandom = 25;
    if (at[0] == kAtRandom)
      __builtin_memcpy(&__stack_chk_guard, reinterpret_cast<void*>(at[1]), sizeof(uintptr_t));
  }
  __stack_chk_guard &=
      ~uintptr_t{0xff};  // a NUL first, so that no string copy reads or writes past it
  onggi::init_main(stack[0], argv);
}

}  // extern "C"

#if defined(__x86_64__)
__asm__(
    ".globl _start\n_start:\n"
    "xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call onggi_init_entry\n hlt\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n mov x29, xzr\n mov x0, sp\n bl onggi_init_entry\n brk #1\n");
#endif

#endif  // ONGGI_INIT_HOSTED
