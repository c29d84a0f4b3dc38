// SPDX-License-Identifier: Apache-2.0
#include "cgroups/out_of_memory.h"

#include "base/split.h"
#include "base/text.h"
#include "cgroups/directory.h"

#include <optional>
#include <string>

namespace onggi::cgroups {
namespace {

std::string content(const std::string& path) {
  const Result<std::optional<std::string>> text = read_control(path);
  if (!text || !text.value()) return {};
  std::string value = *text.value();
  if (value.ends_with('\n')) value.pop_back();
  return value;
}

uint64_t count_in(std::string_view events, std::string_view key) {
  for (std::string_view line : lines_of(events)) {
    if (line.starts_with(key)) return parse_decimal<uint64_t>(line.substr(key.size())).value_or(0);
  }
  return 0;
}

// Whether a process was killed, or `refused` memory, since the cgroup was made.
bool ran_out(const std::string& files, bool unified, bool refused) {
  const std::string events = content(files + (unified ? "events" : "oom_control"));
  if (count_in(events, "oom_kill ") != 0) return true;
  if (!refused) return false;
  if (unified) return count_in(events, "max ") != 0;
  return parse_decimal<uint64_t>(content(files + "failcnt")).value_or(0) != 0;
}

}  // namespace

Error with_memory_use(Error error, const Group& group, Use use) {
  // execve(2) has no memory for the arguments: E2BIG.
  const bool refused = use == Use::first && error.kind == ErrorKind::system &&
                       (error.errnum == ENOMEM || error.errnum == E2BIG);
  if (!refused && !error.message.view().starts_with(kInitDied)) return error;
  for (const GroupDirectory& directory : group.directories) {
    const std::string files = directory.full_path() + "/memory.";
    if (!ran_out(files, directory.unified, refused)) continue;
    const std::string limit = content(files + (directory.unified ? "max" : "limit_in_bytes"));
    if (limit == "max") continue;  // that of an ancestor
    const std::string used = content(files + (directory.unified ? "peak" : "max_usage_in_bytes"));
    error.hint.clear();
    error.hint.append("out of memory: linux.resources.memory.limit is ", limit, " bytes");
    if (!used.empty()) error.hint.append(", of which ", used, " were used");  // Linux 5.19
    error.hint.append("; raise it");
    return error;
  }
  return error;
}

}  // namespace onggi::cgroups
