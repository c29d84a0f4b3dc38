// SPDX-License-Identifier: Apache-2.0
// The document that `onggi spec` writes.
#pragma once

#include <string>

namespace onggi::spec {

// A shell in rootfs/ with a terminal, its own namespaces and few rights. It ends in a newline.
std::string default_spec();

}  // namespace onggi::spec
