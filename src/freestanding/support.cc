// SPDX-License-Identifier: Apache-2.0
// What libstdc++ and the code of g++ refer to: instead of throwing, the program ends. Declarations
// of libstdc++ and <cstdlib> say that these do not return.
#include "base/syscalls.h"
#include "freestanding/fatal.h"

#include <csignal>
#include <cstring>
#include <new>
#include <string>

// That of libstdc++.a is compiled with exceptions.
template class std::basic_string<char>;

namespace onggi {
namespace {

void write_text(const char* text) {
  (void)sys::write(2, text, strlen(text));
}

[[noreturn]] void fail_assertion(const char* function, const char* condition) {
  write_text("onggi: ");
  write_text(function != nullptr ? function : "");
  write_text("\n");
  fatal(condition != nullptr ? condition : "unreachable");
}

}  // namespace

[[noreturn]] void fatal(const char* what) {
  write_text("onggi: ");
  write_text(what);
  write_text("\n");
  const uint64_t none = 0;
  (void)sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
  (void)sys::call(SYS_kill, sys::getpid(), SIGABRT);
  sys::exit_group(134);  // the first process of a pid namespace does not get it
}

}  // namespace onggi

namespace std {

const nothrow_t nothrow;

void __throw_length_error(const char* what) {
  onggi::fatal(what);
}
void __throw_logic_error(const char* what) {
  onggi::fatal(what);
}
void __throw_out_of_range_fmt(const char* what, ...) {
  onggi::fatal(what);
}
void __throw_bad_alloc() {
  onggi::fatal("out of memory");
}
void __throw_bad_array_new_length() {
  onggi::fatal("out of memory");
}
void __glibcxx_assert_fail(const char*, int, const char* function, const char* condition) noexcept {
  onggi::fail_assertion(function, condition);
}

}  // namespace std

extern "C" {

void abort() noexcept {
  onggi::fatal("abort");
}
[[noreturn]] void __stack_chk_fail() {
  onggi::fatal("stack buffer overflow");
}
[[noreturn]] void __chk_fail() {
  onggi::fatal("buffer overflow");
}

// <cassert>'s, which RapidJSON uses.
[[noreturn]] void __assert_fail(const char* condition, const char*, unsigned,
                                const char* function) noexcept {
  onggi::fail_assertion(function, condition);
}

// _FORTIFY_SOURCE(7): `room` is what is left of the object.
void* __memcpy_chk(void* to, const void* from, size_t size, size_t room) {
  if (size > room) __chk_fail();
  return memcpy(to, from, size);
}
void* __memmove_chk(void* to, const void* from, size_t size, size_t room) {
  if (size > room) __chk_fail();
  return memmove(to, from, size);
}
void* __memset_chk(void* to, int byte, size_t size, size_t room) {
  if (size > room) __chk_fail();
  return memset(to, byte, size);
}

// Static objects of functions: one thread, so the first byte says whether it is made (Itanium C++
// ABI 3.3.3). Their destructors are not run: what outlives the program is not theirs.
int __cxa_guard_acquire(char* guard) {
  return *guard == 0 ? 1 : 0;
}
void __cxa_guard_release(char* guard) {
  *guard = 1;
}
int __cxa_atexit(void (*)(void*), void*, void*) {
  return 0;
}
void* __dso_handle = nullptr;
[[noreturn]] void __cxa_pure_virtual() {
  onggi::fatal("call of a missing function");
}

}  // extern "C"
