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

uint64_t kills_in(std::string_view events) {
  constexpr std::string_view kKey = "oom_kill ";
  for (std::string_view line : lines_of(events)) {
    if (line.starts_with(kKey))
      return parse_decimal<uint64_t>(line.substr(kKey.size())).value_or(0);
  }
  return 0;
}

}  // namespace

Error with_memory_use(Error error, const Group& group) {
  if (error.errnum != 0 || error.kind != ErrorKind::system) return error;
  for (const GroupDirectory& directory : group.directories) {
    const std::string files = directory.full_path() + "/memory.";
    if (kills_in(content(files + (directory.unified ? "events" : "oom_control"))) == 0) continue;
    const std::string limit = content(files + (directory.unified ? "max" : "limit_in_bytes"));
    const std::string used = content(files + (directory.unified ? "peak" : "max_usage_in_bytes"));
    error.hint.clear();
    error.hint.append("killed for want of memory: linux.resources.memory.limit is ", limit,
                      " bytes");
    if (!used.empty()) error.hint.append(", of which ", used, " were used");  // Linux 5.19
    error.hint.append("; raise it");
    return error;
  }
  return error;
}

}  // namespace onggi::cgroups
