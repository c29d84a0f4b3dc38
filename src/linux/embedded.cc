// SPDX-License-Identifier: Apache-2.0
// The build names the files, and the assembler copies them in.
#include "linux/embedded.h"

__asm__(
    ".macro onggi_embed name, file\n"
    ".pushsection .rodata.\\name, \"a\"\n"
    ".balign 16\n"
    "\\name\\()_begin:\n"
    ".incbin \"\\file\"\n"
    "\\name\\()_end:\n"
    ".popsection\n"
    ".endm\n"
    "onggi_embed onggi_init, \"" ONGGI_INIT_FILE
    "\"\n"
    "onggi_embed onggi_libs, \"" ONGGI_LIBS_FILE "\"\n");
#ifdef ONGGI_SYSTEMD_FILE
__asm__("onggi_embed onggi_systemd, \"" ONGGI_SYSTEMD_FILE "\"\n");
#endif

extern "C" {
extern const char onggi_init_begin[] __asm__("onggi_init_begin");
extern const char onggi_init_end[] __asm__("onggi_init_end");
extern const char onggi_libs_begin[] __asm__("onggi_libs_begin");
extern const char onggi_libs_end[] __asm__("onggi_libs_end");
#ifdef ONGGI_SYSTEMD_FILE
extern const char onggi_systemd_begin[] __asm__("onggi_systemd_begin");
extern const char onggi_systemd_end[] __asm__("onggi_systemd_end");
#endif
}

namespace onggi {

const EmbeddedProgram kInitProgram = {.name = "onggi-init",
                                      .begin = onggi_init_begin,
                                      .end = onggi_init_end,
                                      .installed = ONGGI_PROGRAMS "/onggi-init",
                                      .needs = ""};

const EmbeddedProgram kLibsProgram = {.name = "onggi-libs",
                                      .begin = onggi_libs_begin,
                                      .end = onggi_libs_end,
                                      .installed = ONGGI_PROGRAMS "/onggi-libs",
                                      .needs = ""};

#ifdef ONGGI_SYSTEMD_FILE
static const EmbeddedProgram kSystemd = {.name = "onggi-systemd",
                                         .begin = onggi_systemd_begin,
                                         .end = onggi_systemd_end,
                                         .installed = ONGGI_PROGRAMS "/onggi-systemd",
                                         .needs = "install libsystemd.so.0 (package libsystemd0)"};
const EmbeddedProgram* const kSystemdProgram = &kSystemd;
#else
const EmbeddedProgram* const kSystemdProgram = nullptr;
#endif

}  // namespace onggi
