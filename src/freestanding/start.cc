// SPDX-License-Identifier: Apache-2.0
// The first instructions of `onggi`, a position-independent program without a C library: it
// relocates itself, gets a stack guard and calls main(). Built without a stack protector: until the
// guard is there, nothing may ask for it.
#include "base/syscalls.h"

#include <elf.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cstring>

#if defined(__x86_64__)
#include <asm/prctl.h>
#endif

extern "C" {
char** environ;
int program_main(int argc, char** argv) __asm__("main");

// The linker's: the program's ELF header, its dynamic section, its constructors.
extern const Elf64_Ehdr program_header __asm__("__ehdr_start")
    __attribute__((visibility("hidden")));
extern Elf64_Dyn program_dynamic[] __asm__("_DYNAMIC") __attribute__((visibility("hidden")));
using Constructor = void (*)();
extern const Constructor first_constructor[] __asm__("__init_array_start")
    __attribute__((visibility("hidden")));
extern const Constructor last_constructor[] __asm__("__init_array_end")
    __attribute__((visibility("hidden")));
}

namespace onggi {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kRelative = R_X86_64_RELATIVE;
#elif defined(__aarch64__)
constexpr uint32_t kRelative = R_AARCH64_RELATIVE;
#endif
// <elf.h> of glibc 2.36 has them, older ones do not.
constexpr int64_t kRelr = 36, kRelrSize = 35;

struct Relocations {
  uintptr_t rela = 0, rela_size = 0, relr = 0, relr_size = 0;
};

Relocations find_relocations() {
  Relocations found;
  for (const Elf64_Dyn* entry = program_dynamic; entry->d_tag != DT_NULL; entry++) {
    const uintptr_t value = entry->d_un.d_val;
    if (entry->d_tag == DT_RELA) found.rela = value;
    if (entry->d_tag == DT_RELASZ) found.rela_size = value;
    if (entry->d_tag == kRelr) found.relr = value;
    if (entry->d_tag == kRelrSize) found.relr_size = value;
  }
  return found;
}

// Even entries are addresses; odd ones are bit maps of the 63 words behind the last one (generic
// ABI, SHT_RELR).
void relocate_packed(uintptr_t base, const uintptr_t* entry, const uintptr_t* end) {
  uintptr_t* where = nullptr;
  for (; entry < end; entry++) {
    if ((*entry & 1) == 0) {
      where = reinterpret_cast<uintptr_t*>(base + *entry);
      *where++ += base;
      continue;
    }
    for (unsigned bit = 1; bit < 64; bit++) {
      if ((*entry >> bit & 1) != 0) where[bit - 1] += base;
    }
    where += 63;
  }
}

bool relocate(uintptr_t base) {
  const Relocations found = find_relocations();
  const auto* rela = reinterpret_cast<const Elf64_Rela*>(base + found.rela);
  for (size_t i = 0; i < found.rela_size / sizeof *rela; i++) {
    if (ELF64_R_TYPE(rela[i].r_info) != kRelative) return false;
    *reinterpret_cast<uintptr_t*>(base + rela[i].r_offset) =
        base + static_cast<uintptr_t>(rela[i].r_addend);
  }
  const uintptr_t packed = base + found.relr;
  relocate_packed(base, reinterpret_cast<const uintptr_t*>(packed),
                  reinterpret_cast<const uintptr_t*>(packed + found.relr_size));
  return true;
}

// What only the relocations had to write.
void protect(uintptr_t base) {
  constexpr uintptr_t kPageMask = 4095;
  const auto* segment = reinterpret_cast<const Elf64_Phdr*>(base + program_header.e_phoff);
  for (unsigned i = 0; i < program_header.e_phnum; i++, segment++) {
    if (segment->p_type != PT_GNU_RELRO) continue;
    const uintptr_t start = (base + segment->p_vaddr) & ~kPageMask;
    const uintptr_t end = (base + segment->p_vaddr + segment->p_memsz) & ~kPageMask;
    if (end > start) (void)sys::call(SYS_mprotect, start, end - start, PROT_READ);
  }
}

[[noreturn]] void give_up(const char* why) {
  (void)sys::write(2, why, strlen(why));
  sys::exit_group(127);
}

// Of the largest plan that the tests have, and as much again; init has the same limit. Beyond it
// the kernel ends a program without a word.
void check_stack() {
  constexpr uint64_t kLeast = 512 * 1024;
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
  const auto base = reinterpret_cast<uintptr_t>(&program_header);
  if (!relocate(base)) give_up("onggi: the program has a relocation that is not known\n");
  check_stack();
  protect(base);
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
