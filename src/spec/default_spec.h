// SPDX-License-Identifier: Apache-2.0
// The document that `onggi spec` writes.
#pragma once

#include <cstdint>
#include <string>

namespace onggi::spec {

// A shell in rootfs/ with a terminal, its own namespaces and few rights. It ends in a newline.
std::string default_spec();

// One that the user with these ids can run without any right beyond his own: a user namespace that
// maps his own ids, the host's network, no cgroup.
std::string default_rootless_spec(uint32_t uid, uint32_t gid);

}  // namespace onggi::spec
