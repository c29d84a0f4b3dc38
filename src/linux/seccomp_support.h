// SPDX-License-Identifier: Apache-2.0
// What can be known of linux.seccomp before anything is done: the architectures that libseccomp
// knows and the flags that the kernel does. No side effects, and nothing of libseccomp but its
// header, since the library is onggi-libs' (src/libs), which is linked with that of the header.
#pragma once

#include "base/result.h"
#include "spec/spec.h"

#include <string>
#include <string_view>
#include <vector>

namespace onggi {

Result<> check_seccomp_support(const spec::Seccomp& seccomp);

// For `features`.
std::string libseccomp_version();                       // "2.5.4"
std::vector<std::string_view> seccomp_architectures();  // those of the schema that libseccomp knows
std::vector<std::string_view>
seccomp_supported_flags();  // those of the schema that the running kernel knows

}  // namespace onggi
