// SPDX-License-Identifier: Apache-2.0
// Versions that the command line prints. ONGGI_VERSION and ONGGI_COMMIT come from the build.
#pragma once

#include <string_view>

namespace onggi::cli {

inline constexpr std::string_view kVersion = ONGGI_VERSION;
inline constexpr std::string_view kCommit = ONGGI_COMMIT;

}  // namespace onggi::cli
