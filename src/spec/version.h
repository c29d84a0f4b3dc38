// SPDX-License-Identifier: Apache-2.0
// The runtime specification that this is written to.
#pragma once

#include <string_view>

namespace onggi::spec {

inline constexpr std::string_view kVersion = "1.3.0";

}  // namespace onggi::spec
