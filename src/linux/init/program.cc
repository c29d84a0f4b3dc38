// SPDX-License-Identifier: Apache-2.0
// After the pivot, "/" is the container's: paths are looked up as the program itself would.
#include "linux/init/program.h"

#include "base/passwd.h"
#include "base/text.h"
#include "linux/init/lookup.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>

namespace onggi {
namespace {

Error not_found(std::string_view name) {
  return config_error("process.args[0]", "exec '", name, "': executable file not found in $PATH");
}
Error cannot_execute(long result, std::string_view path) {
  return at_place(system_error(result, "exec", path), "process.args[0]");
}

// The cwd must be below the container's root: through a leaked descriptor it could be a directory
// of the host, which getcwd(2) shows as "(unreachable)/..." (CVE-2024-21626).
Result<> verify_cwd() {
  char cwd[kPathMax];
  const long size = sys::getcwd(cwd, sizeof cwd);
  if (size < 0) return at_place(system_error(size, "getcwd"), "process.cwd");
  if (cwd[0] != '/')
    return config_error("process.cwd", "the directory is outside the container's root");
  return {};
}

// More than any system has users for; an image may have a sparse file of any size.
constexpr size_t kMaxPasswd = size_t{64} << 20;
char passwd_buffer[size_t{64} << 10];

}  // namespace

char** pointer_array(const plan::PoolView& pool, plan::List<plan::Text> list, const char* extra) {
  const auto texts = pool(list);
  const long memory = sys::mmap((texts.size() + 2) * sizeof(char*), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (memory < 0 && memory > -4096) return nullptr;
  auto** array = reinterpret_cast<char**>(memory);
  char** at = array;
  for (const plan::Text& text : texts) *at++ = const_cast<char*>(pool(text));
  if (extra != nullptr) *at++ = const_cast<char*>(extra);
  return array;
}

Result<> enter_cwd(InitContext& context) {
  const char* path = context.pool(context.plan.handoff.cwd);
  const long opened = context.root.open(path, O_PATH | O_DIRECTORY);
  if (opened == -EACCES) return {};  // on the way there
  if (opened < 0) return at_place(system_error(opened, "chdir", path), "process.cwd");
  const UniqueFd directory(opened);
  const long entered = sys::fchdir(directory.get());
  if (entered == -EACCES) return {};
  if (entered < 0) return at_place(system_error(entered, "chdir", path), "process.cwd");
  context.entered_cwd = true;
  return verify_cwd();
}

Result<> enter_cwd_again(InitContext& context) {
  if (context.entered_cwd) return {};
  const char* path = context.pool(context.plan.handoff.cwd);
  const long entered = sys::chdir(path);
  if (entered < 0) return at_place(system_error(entered, "chdir", path), "process.cwd");
  return verify_cwd();
}

Result<> check_program(InitContext& context) {
  const plan::Handoff& handoff = context.plan.handoff;
  const char* name = context.pool(context.pool(handoff.args)[0]);
  const Search found = search(name, context.pool(handoff.path), [&](const Path& place) {
    // A relative place cannot be seen from here.
    if (!context.entered_cwd && place.view()[0] != '/') return Seen{-EACCES, true};
    return look(place.c_str(), handoff.uid != 0);
  });
  context.program = {found.offset, found.error == 0};
  if (found.ended) return {};
  if (found.searched && found.error == -ENOENT) return not_found(name);
  return cannot_execute(found.error, found.place.view());
}

// Whether execve(2) failed for something that execvp(3) passes over.
static bool is_elsewhere(long error) {
  constexpr long kErrors[] = {EACCES, ENOENT,       ENOTDIR, ELOOP,
                              ESTALE, ENAMETOOLONG, ENODEV,  ETIMEDOUT};
  return std::ranges::find(kErrors, -error) != std::end(kErrors);
}

Result<Program> prepare_program(const InitContext& context) {
  const plan::Handoff& handoff = context.plan.handoff;
  Program program;
  program.name = context.pool(context.pool(handoff.args)[0]);
  program.places = std::string_view(context.pool(handoff.path)).substr(context.program.offset);
  program.seen = context.program.seen;
  program.argv = pointer_array(context.pool, handoff.args, nullptr);
  program.envp = pointer_array(context.pool, handoff.env,
                               context.home.empty() ? nullptr : context.home.c_str());
  if (program.argv == nullptr || program.envp == nullptr) return system_error(-ENOMEM, "mmap");
  return program;
}

Error execute(const Program& program, const Filter& filter) {
  bool seen = program.seen;
  const Search tried = search(program.name, program.places, [&](const Path& place) {
    const long failed = sys::execve(place.c_str(), program.argv, program.envp);
    // The kernel says ENOENT for a missing interpreter too.
    const bool is_final = !is_elsewhere(failed) || (failed == -ENOENT && seen);
    seen = false;
    return Seen{failed, is_final};
  });
  if (tried.searched && tried.error == -ENOENT && !tried.ended) return not_found(program.name);
  return at_place(explain_execve(tried.error, tried.place.c_str(), filter), "process.args[0]");
}

Error explain_execve(long failed, const char* path, const Filter& filter) {
  const Error error = system_error(failed, "exec", path);
  if (filter && !filter.allows(SYS_execve, {}) &&
      filter.action(SYS_execve, {}) != SECCOMP_RET_USER_NOTIF) {
    return with_hint(error, "linux.seccomp does not allow execve(2), which starts the program");
  }
  const bool may_look = filter.allows(SYS_openat, {AT_FDCWD, 0, O_PATH | O_CLOEXEC}) &&
                        filter.allows(SYS_statx, {}) && filter.allows(SYS_close, {});
  if (failed == -ENOENT && may_look && look(path).error == 0) {
    return with_hint(
        error, "the file exists, but its interpreter or dynamic loader is missing in the image");
  }
  return error;
}

void find_home(InitContext& context) {
  HomeSearch search(context.plan.handoff.uid);
  // An image may have anything at this path; a FIFO must not stop us.
  const long opened = context.root.open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY);
  const UniqueFd passwd(opened < 0 ? -1 : opened);
  if (passwd && S_ISREG(mode_of(passwd.get()))) {
    for (size_t total = 0; total < kMaxPasswd;) {
      const long size = sys::read(passwd.get(), passwd_buffer, sizeof passwd_buffer);
      if (size <= 0) break;
      total += static_cast<size_t>(size);
      if (search.add({passwd_buffer, static_cast<size_t>(size)})) break;
    }
  }
  const std::string_view found = search.finish();
  context.home.append("HOME=");
  context.home.append(found.empty() ? "/" : found);
}

}  // namespace onggi
