// SPDX-License-Identifier: Apache-2.0
// Paths as text; nothing here looks at a filesystem.
#pragma once

#include <string>
#include <string_view>

namespace onggi {

// Lexically cleaned: no empty, "." or ".." components; ".." at the top is dropped, so the result
// never climbs above its start. "/a//./b/../c" -> "/a/c", "x/../.." -> "", "/" -> "/".
std::string clean_path(std::string_view path);

// `path` itself if absolute, else below `base`. Not cleaned.
std::string join_path(std::string_view base, std::string_view path);

}  // namespace onggi
