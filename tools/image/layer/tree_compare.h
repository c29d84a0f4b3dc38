// SPDX-License-Identifier: Apache-2.0
// Compares two directories that the same layer was applied to, as layers of an overlay: for
// verify(), which makes a layer again to see whether the stored one is still what it was.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace onggi::image {

enum class CompareContent : uint8_t { no, yes };

// Both descriptors are open for reading and taken over. Types, modes, owners, sizes, times,
// devices, targets of links, names of one file, extended attributes and, if asked for, content.
// `marks`: how the names of overlayfs's own attributes begin. A line for each difference
// ("'etc/passwd' differs in mode, content"), ten at most. The root's own time is not compared: no
// entry may have set it.
Result<std::vector<std::string>> tree_differences(UniqueFd expected, UniqueFd found,
                                                  std::string_view marks, CompareContent content);

}  // namespace onggi::image
