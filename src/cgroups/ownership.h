// SPDX-License-Identifier: Apache-2.0
// Whose a cgroup is. Two containers can name one path, and the second may use a cgroup that the
// first has left empty (stopped, or killed while it was created). So a path in a record does not
// tell whose processes are in it: the directory itself is marked, by an extended attribute
// (trusted.onggi, or user.onggi without CAP_SYS_ADMIN in the initial user namespace; xattr(7)), and
// locked by flock(2) while its owner changes or is acted on.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <string>
#include <string_view>

namespace onggi::cgroups {

enum class Owner : uint8_t {
  ours,
  other,    // another container has come to use it
  nobody,   // there is none, or none that has been marked
  unknown,  // this kernel does not keep marks
};

// Locks the directory and marks it; errors if another command holds the lock or, with
// `must_be_empty`, processes are in it. Closing the descriptor releases the lock. The descriptor is
// empty if the directory was removed before it could be locked.
Result<UniqueFd> claim(const std::string& path, std::string_view owner, bool must_be_empty);

Result<Owner> owner_of(const std::string& path, std::string_view owner);

// The answer of owner_of(), and the lock unless the answer is `other` or there is no directory.
struct Held {
  Owner owner = Owner::nobody;
  UniqueFd lock;
};
Result<Held> hold(const std::string& path, std::string_view owner);

}  // namespace onggi::cgroups
