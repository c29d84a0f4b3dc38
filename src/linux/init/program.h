// SPDX-License-Identifier: Apache-2.0
// The container's program: where it is, where it runs, and its environment.
#pragma once

#include "linux/init/context.h"
#include "linux/init/filter.h"

namespace onggi {

// Enters process.cwd, which `create` makes if it is missing. Where only the program's own user may
// enter (a root-squashed NFS), enter_cwd_again() does so after the change of user.
Result<> enter_cwd(InitContext& context);
Result<> enter_cwd_again(InitContext& context);

// A NULL-terminated array for execve(2), in memory of its own; the plan's texts are only offsets.
// `extra` is one more entry, or null. Null: out of memory.
char** pointer_array(const plan::PoolView& pool, plan::List<plan::Text> list, const char* extra);

// process.args and its environment, as execve(2) takes them.
struct Program {
  const char* name = nullptr;
  std::string_view places;  // of PATH, from where it was seen
  bool seen = false;        // in the first of them
  char** argv = nullptr;
  char** envp = nullptr;
};
Result<Program> prepare_program(const InitContext& context);

// execve(2) as execvp(3) would find it, and no other call unless `filter`, which is loaded, allows
// it. Returns only on failure.
Error execute(const Program& program, const Filter& filter);
// Why an execve(2) of `path` has failed.
Error explain_execve(long failed, const char* path, const Filter& filter);

// "HOME=..." from the container's /etc/passwd into the environment of the coming program.
void find_home(InitContext& context);

}  // namespace onggi
