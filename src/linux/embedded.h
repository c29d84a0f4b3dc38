// SPDX-License-Identifier: Apache-2.0
// The programs that are a part of this one, so that copying one file stays enough.
#pragma once

#include <string_view>

namespace onggi {

struct EmbeddedProgram {
  const char* name;
  const char *begin, *end;
  const char* installed;  // where memfds cannot be executed; see make_sealed_memfd()
  const char* needs;      // what it may miss on a host, or empty

  std::string_view bytes() const { return {begin, end}; }
};

extern const EmbeddedProgram kInitProgram, kLibsProgram;
extern const EmbeddedProgram* const kSystemdProgram;  // nullptr: built without libsystemd

}  // namespace onggi
