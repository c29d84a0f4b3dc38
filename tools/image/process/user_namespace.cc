// SPDX-License-Identifier: Apache-2.0
// The maps are written by newuidmap(1) and newgidmap(1), which are set-uid root; they must be
// called from outside, so a child stays there until we have gone in.
#include "process/user_namespace.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/split.h"
#include "process/program.h"

#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

namespace onggi::image {
namespace {

constexpr size_t kFileLimit = 4u << 20;

struct IdRange {
  uint32_t first = 0, count = 0;
};

// "name:100000:65536"; the first line that has the user's name or number.
std::optional<IdRange> subordinate_ids(const char* file, const std::string& name, uint32_t id) {
  const Result<std::string> text = read_file(AT_FDCWD, file, kFileLimit);
  if (!text) return std::nullopt;
  for (std::string_view line : lines_of(text.value())) {
    std::vector<std::string_view> fields;
    for (std::string_view field : split(line, ':')) fields.push_back(field);
    if (fields.size() != 3 || (fields[0] != name && fields[0] != std::to_string(id))) continue;
    const auto first = parse_decimal<uint32_t>(fields[1]);
    const auto count = parse_decimal<uint32_t>(fields[2]);
    if (first && count && *count != 0) return IdRange{*first, *count};
  }
  return std::nullopt;
}

Result<> map_many(const char* program, pid_t pid, const std::vector<IdMapping>& mappings) {
  ProgramCall call;
  call.arguments = {program, std::to_string(pid)};
  for (const IdMapping& mapping : mappings) {
    for (uint32_t number : {mapping.inside, mapping.outside, mapping.count})
      call.arguments.push_back(std::to_string(number));
  }
  const ProgramAnswer answer = TRY(call_program(call));
  if (answer.status == 0) return {};
  return state_error(program, " failed with status ", answer.status);
}

Result<> map_one(uint32_t uid, uint32_t gid) {
  TRY(write_existing(AT_FDCWD, "/proc/self/setgroups", "deny"));
  TRY(write_existing(AT_FDCWD, "/proc/self/uid_map", text<64>("0 ", uid, " 1").view()));
  return write_existing(AT_FDCWD, "/proc/self/gid_map", text<64>("0 ", gid, " 1").view());
}

// The user's own id is root's, and his subordinate ones are all others.
std::vector<IdMapping> mappings_of(uint32_t id, const std::optional<IdRange>& others) {
  std::vector<IdMapping> mappings = {{0, id, 1}};
  if (others) mappings.push_back({1, others->first, others->count});
  return mappings;
}

UserMappings mappings_of_user() {
  const uint32_t uid = geteuid();
  const passwd* entry = getpwuid(uid);
  const std::string name = entry == nullptr ? "" : entry->pw_name;
  std::optional<IdRange> uids = subordinate_ids("/etc/subuid", name, uid);
  std::optional<IdRange> gids = subordinate_ids("/etc/subgid", name, uid);
  if (!uids || !gids || access("/usr/bin/newuidmap", X_OK) != 0) {
    uids.reset();
    gids.reset();
  }
  return {mappings_of(uid, uids), mappings_of(getegid(), gids)};
}

// Waits for the parent to have gone in, then writes its maps. The status is 0 when all went well.
[[noreturn]] void map_from_outside(int ready, pid_t parent, const UserMappings& ids) {
  char byte = 0;
  if (sys::read(ready, &byte, 1) != 1) _exit(1);
  Result<> mapped = map_many("newuidmap", parent, ids.uids);
  if (mapped) mapped = map_many("newgidmap", parent, ids.gids);
  if (!mapped) log::report("user namespace", mapped.error());
  _exit(mapped ? 0 : 1);
}

Result<> unshare_user() {
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) return {};
  return with_hint(system_error(-errno, "unshare", "user namespace"),
                   "this host does not allow rootless users to create user namespaces");
}

Result<> enter_with_many(const UserMappings& ids) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return system_error(-errno, "pipe2");
  const UniqueFd read(ends[0]);
  UniqueFd write(ends[1]);
  const pid_t parent = getpid(), child = fork();
  if (child < 0) return system_error(-errno, "fork");
  if (child == 0) {
    write.reset();
    map_from_outside(read.get(), parent, ids);
  }
  const Result<> entered = unshare_user();
  if (entered) (void)sys::write(write.get(), "x", 1);
  write.reset();
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  TRY(entered);
  if (status != 0) return state_error("the user namespace has no id maps");
  return {};
}

}  // namespace

Result<std::optional<UserMappings>> enter_user_namespace() {
  if (geteuid() == 0) return std::optional<UserMappings>();
  UserMappings ids = mappings_of_user();
  if (ids.uids.size() > 1) {
    TRY(enter_with_many(ids));
    // Groups of the user that are not mapped would be neither seen nor dropped.
    if (setgroups(0, nullptr) != 0) return system_error(-errno, "setgroups");
  } else {
    log::warn(
        "no subordinate ids (see subuid(5) and newuidmap(1)): all files of images will belong to "
        "this user");
    TRY(unshare_user());
    TRY(map_one(ids.uids[0].outside, ids.gids[0].outside));
  }
  if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)
    return system_error(-errno, "setresuid", "0");
  return std::optional(std::move(ids));
}

}  // namespace onggi::image
