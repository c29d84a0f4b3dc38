// SPDX-License-Identifier: Apache-2.0
// The container's program: where it is, where it runs, and its environment.
#pragma once

#include "linux/init/context.h"

namespace onggi {

// Enters process.cwd, which `create` makes if it is missing. Where only the program's own user may
// enter (a root-squashed NFS), enter_cwd_again() does so after the change of user.
Result<> enter_cwd(InitContext& context);
Result<> enter_cwd_again(InitContext& context);

// A NULL-terminated array for execve(2), in memory of its own; the plan's texts are only offsets.
// `extra` is one more entry, or null. Null: out of memory.
char** pointer_array(const plan::PoolView& pool, plan::List<plan::Text> list, const char* extra);

// execve(2) of args[0] as execvp(3) would find it. Returns only on failure.
Error execute(InitContext& context);

// "HOME=..." from the container's /etc/passwd into the environment of the coming program.
void find_home(InitContext& context);

}  // namespace onggi
