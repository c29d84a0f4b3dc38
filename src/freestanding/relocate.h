// SPDX-License-Identifier: Apache-2.0
// How a position-independent program without a C library relocates itself, and then has what only
// that had to write made read-only. For the first instructions of `onggi` and of onggi-init, in
// sources that are built without a stack protector: there is no guard yet.
#pragma once

#include "base/syscalls.h"

#include <elf.h>
#include <sys/mman.h>

#include <cstdint>

extern "C" {
// The linker's, which initializes them: the program's ELF header and its dynamic section.
// NOLINTBEGIN(bugprone-dynamic-static-initializers)
extern const Elf64_Ehdr program_header __asm__("__ehdr_start")
    __attribute__((visibility("hidden")));
extern Elf64_Dyn program_dynamic[] __asm__("_DYNAMIC") __attribute__((visibility("hidden")));
// NOLINTEND(bugprone-dynamic-static-initializers)
}

namespace onggi {

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

inline Relocations find_relocations() {
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
inline void relocate_packed(uintptr_t base, const uintptr_t* entry, const uintptr_t* end) {
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

inline bool relocate(uintptr_t base) {
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
inline void protect(uintptr_t base) {
  constexpr uintptr_t kPageMask = 4095;
  const auto* segment = reinterpret_cast<const Elf64_Phdr*>(base + program_header.e_phoff);
  for (unsigned i = 0; i < program_header.e_phnum; i++, segment++) {
    if (segment->p_type != PT_GNU_RELRO) continue;
    const uintptr_t start = (base + segment->p_vaddr) & ~kPageMask;
    const uintptr_t end = (base + segment->p_vaddr + segment->p_memsz) & ~kPageMask;
    if (end > start) (void)sys::call(SYS_mprotect, start, end - start, PROT_READ);
  }
}

// False: there is a relocation of another kind than the linker makes for such a program.
inline bool relocate_program() {
  const auto base = reinterpret_cast<uintptr_t>(&program_header);
  if (!relocate(base)) return false;
  protect(base);
  return true;
}

}  // namespace onggi
