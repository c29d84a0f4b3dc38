// SPDX-License-Identifier: Apache-2.0
// Names of capabilities (capabilities(7)).
#pragma once

#include "spec/spec.h"

#include <optional>
#include <string>

namespace onggi::spec {

// Of "CAP_CHOWN"; nothing for a name that is unknown or not written in capitals.
std::optional<unsigned> capability_number(Text name);
// The capability that "KILL", "cap_kill" or "CAP_KIL" was probably meant to be; or empty.
std::string capability_meant(Text name);

// "CAP_CHOWN"; "CAP_63" for one without a name.
std::string capability_name(unsigned number);

}  // namespace onggi::spec
