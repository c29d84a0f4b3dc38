// SPDX-License-Identifier: Apache-2.0
// Which system calls a container may make: a profile as docker and podman have them (containers'
// seccomp.json), for one machine and one set of capabilities, as linux.seccomp of config.json.
#pragma once

#include "base/result.h"

#include <span>
#include <string>
#include <string_view>

namespace onggi::image {

struct SeccompHost {
  std::string_view architecture;  // "SCMP_ARCH_X86_64"
  std::string_view short_name;    // as the profiles' conditions have it: "amd64"
  unsigned kernel_major = 0, kernel_minor = 0;
};
SeccompHost seccomp_host();

// `text` may also be an object for linux.seccomp already. The value is JSON.
Result<std::string> seccomp_for(std::string_view text,
                                std::span<const std::string_view> capabilities,
                                const SeccompHost& host);

// The file that podman uses; empty if there is none.
std::string default_seccomp_file();

}  // namespace onggi::image
