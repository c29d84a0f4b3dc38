// SPDX-License-Identifier: Apache-2.0
// A mount namespace with nothing in it but an empty, read-only tmpfs, kept below a directory of
// ours by a bind mount of its file (namespaces(7)). What begins as a copy of it, rather than of the
// host's, costs the same however many mounts the host has.
#pragma once

#include "base/fd.h"

namespace onggi {

inline constexpr const char* kEmptyMounts = "@mounts";  // no id may have this name

// The namespace kept in kEmptyMounts below `directory`; made if nobody has tried before. An empty
// descriptor: do without. Where it could not be made, an empty kEmptyMounts says so to those that
// come later.
UniqueFd keep_empty_mounts(int directory);
// Takes away what there is of it, also what somebody left who was killed.
void remove_empty_mounts(int directory);

}  // namespace onggi
