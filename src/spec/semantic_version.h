// SPDX-License-Identifier: Apache-2.0
// What ociVersion must be (config.md, "Specification version": SemVer 2.0.0), and what is near it.
#pragma once

#include "spec/spec.h"

namespace onggi::spec {

bool is_semantic_version(Text version);

// "1" of "1.0.2", and also of "v1.0.2", "1.0" and "1", which leave no doubt. Empty for anything
// else, such as "01.0" or "1x".
Text major_version(Text version);

}  // namespace onggi::spec
