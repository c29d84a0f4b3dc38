// SPDX-License-Identifier: Apache-2.0
// What g++ expects of a C library where there is none: the memory functions, an entry point and a
// stack guard. Under the sanitizers (ONGGI_INIT_HOSTED) there is one, and only main() is needed.
#include "base/syscalls.h"

#include <cstddef>
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

void* memcpy(void* to, const void* from, size_t size) {
#if defined(__x86_64__)
  void* start = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  return start;
#else
  auto* out = static_cast<volatile char*>(to);
  const auto* in = static_cast<const volatile char*>(from);
  for (size_t i = 0; i < size; i++) out[i] = in[i];
  return to;
#endif
}
void* memmove(void* to, const void* from, size_t size) {
  if (to <= from) return memcpy(to, from, size);
  auto* out = static_cast<volatile char*>(to);  // volatile: or the loop becomes a call of memmove
  const auto* in = static_cast<const volatile char*>(from);
  while (size-- > 0) out[size] = in[size];
  return to;
}
void* memset(void* to, int byte, size_t size) {
#if defined(__x86_64__)
  void* start = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
  return start;
#else
  auto* out = static_cast<volatile char*>(to);
  for (size_t i = 0; i < size; i++) out[i] = static_cast<char>(byte);
  return to;
#endif
}
// Under another name here: C++ gives memchr two overloads.
const void* find_byte(const void* bytes, int wanted, size_t size) __asm__("memchr");
[[gnu::used]] const void* find_byte(const void* bytes, int wanted, size_t size) {
  const auto* at = static_cast<const unsigned char*>(bytes);
  for (; size > 0; size--, at++) {
    if (*at == static_cast<unsigned char>(wanted)) return at;
  }
  return nullptr;
}
int memcmp(const void* left, const void* right, size_t size) {
  const auto* a = static_cast<const volatile unsigned char*>(left);
  const auto* b = static_cast<const volatile unsigned char*>(right);
  for (size_t i = 0; i < size; i++) {
    if (a[i] != b[i]) return a[i] - b[i];
  }
  return 0;
}
size_t strlen(const char* text) {
  const volatile char* end = text;
  while (*end != 0) end++;
  return static_cast<size_t>(end - text);
}
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
