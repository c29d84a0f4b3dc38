// SPDX-License-Identifier: Apache-2.0
// The end of a program that has found itself broken.
#pragma once

namespace onggi {

// Writes "onggi: WHAT" to standard error and ends by SIGABRT, as abort(3) does.
[[noreturn]] void fatal(const char* what);

}  // namespace onggi
