// SPDX-License-Identifier: Apache-2.0
// The segments are found in our own ELF header, at whose address the linker puts a symbol.
#include "linux/program_pages.h"

#include "base/syscalls.h"

#include <elf.h>
#include <sys/mman.h>

extern "C" const Elf64_Ehdr program_header __asm__("__ehdr_start")
    __attribute__((visibility("hidden")));

namespace onggi {

void release_program_pages() {
  constexpr uintptr_t kPageMask = 4095;
  const auto base = reinterpret_cast<uintptr_t>(&program_header);
  const auto* segment = reinterpret_cast<const Elf64_Phdr*>(base + program_header.e_phoff);
  for (unsigned i = 0; i < program_header.e_phnum; i++, segment++) {
    // What was written would be lost, relocated constants too: they are in writable segments.
    if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0) continue;
    const uintptr_t start = (base + segment->p_vaddr) & ~kPageMask;
    const uintptr_t end = (base + segment->p_vaddr + segment->p_memsz + kPageMask) & ~kPageMask;
    (void)sys::call(SYS_madvise, start, end - start, MADV_DONTNEED);
  }
}

}  // namespace onggi
