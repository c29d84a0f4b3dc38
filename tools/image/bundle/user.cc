// SPDX-License-Identifier: Apache-2.0
// See passwd(5) and group(5). Of several lines the first one counts; what is malformed is skipped.
#include "bundle/user.h"

#include "base/file.h"
#include "base/split.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <unordered_set>

namespace onggi::image {
namespace {

constexpr size_t kFileLimit = 16u << 20;
constexpr size_t kGroupLimit = 65536;  // NGROUPS_MAX

struct PasswdLine {
  std::string_view name, home;
  uint32_t uid = 0, gid = 0;
};
struct GroupLine {
  std::string_view name, members;
  uint32_t gid = 0;
};

// Empty if there is none.
Result<std::string> read_inside(int root, const char* path) {
  const long opened = sys::openat2(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY,
                                   RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  if (opened == -ENOENT || opened == -ENOTDIR) return std::string();
  if (opened < 0) return system_error(opened, "open", path);
  const UniqueFd fd(opened);
  struct statx info = {};
  const long found = sys::statx(fd.get(), "", AT_EMPTY_PATH, STATX_TYPE, &info);
  if (found < 0) return system_error(found, "statx", path);
  if (!S_ISREG(info.stx_mode)) {
    return make_error(ErrorKind::invalid_config, "/", path, " in the image is not a regular file");
  }
  return read_all(fd.get(), path, kFileLimit);
}

std::string_view take_field(std::string_view& line) {
  const size_t colon = std::min(line.find(':'), line.size());
  const std::string_view field = line.substr(0, colon);
  line.remove_prefix(std::min(colon + 1, line.size()));
  return field;
}

// "+" and "-" begin lines of NIS.
bool is_entry(std::string_view line) {
  return line[0] != '#' && line[0] != '+' && line[0] != '-';
}

std::optional<PasswdLine> parse_passwd(std::string_view line) {
  if (!is_entry(line)) return std::nullopt;
  PasswdLine parsed;
  parsed.name = take_field(line);
  (void)take_field(line);  // password
  const std::optional<uint32_t> uid = parse_decimal<uint32_t>(take_field(line));
  if (!uid) return std::nullopt;
  parsed.uid = *uid;
  parsed.gid = parse_decimal<uint32_t>(take_field(line)).value_or(0);
  (void)take_field(line);  // comment
  parsed.home = take_field(line);
  return parsed;
}

std::optional<GroupLine> parse_group(std::string_view line) {
  if (!is_entry(line)) return std::nullopt;
  GroupLine parsed;
  parsed.name = take_field(line);
  (void)take_field(line);  // password
  const std::optional<uint32_t> gid = parse_decimal<uint32_t>(take_field(line));
  if (!gid) return std::nullopt;
  parsed.gid = *gid;
  parsed.members = take_field(line);
  return parsed;
}

template <class Line, class Matches>
std::optional<Line> first_line(const std::string& text,
                               std::optional<Line> (*parse)(std::string_view), Matches matches) {
  for (std::string_view line : lines_of(text)) {
    const std::optional<Line> parsed = parse(line);
    if (parsed && matches(*parsed)) return parsed;
  }
  return std::nullopt;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<uint32_t> parse_id(std::string_view text) {
  const std::optional<uint32_t> id = parse_decimal<uint32_t>(text);
  if (!id || *id == UINT32_MAX) {
    return config_error("config.User", "id ", text, " is out of range");
  }
  return *id;
}

Result<uint32_t> resolve_group(std::string_view group, const std::string& groups) {
  if (is_number(group)) return parse_id(group);
  const auto line =
      first_line(groups, parse_group, [&](const GroupLine& each) { return each.name == group; });
  if (!line) return config_error("config.User", "the image has no group '", group, "'");
  return line->gid;
}

void add_member_groups(std::string_view name, const std::string& groups, ContainerUser& to) {
  std::unordered_set<uint32_t> known(to.groups.begin(), to.groups.end());
  for (std::string_view line : lines_of(groups)) {
    const std::optional<GroupLine> group = parse_group(line);
    if (!group || to.groups.size() >= kGroupLimit) continue;
    for (std::string_view member : split(group->members, ',')) {
      if (member == name && known.insert(group->gid).second) to.groups.push_back(group->gid);
    }
  }
}

}  // namespace

Result<ContainerUser> resolve_user(const std::string& user, int root) {
  const std::string passwd = TRY(read_inside(root, "etc/passwd"));
  const std::string groups = TRY(read_inside(root, "etc/group"));
  const size_t colon = std::min(user.find(':'), user.size());
  const std::string name = colon == 0 ? "0" : user.substr(0, colon);
  const std::string group = user.substr(std::min(colon + 1, user.size()));
  const bool numeric = is_number(name);
  const uint32_t uid = numeric ? TRY(parse_id(name)) : 0;
  const auto line = first_line(passwd, parse_passwd, [&](const PasswdLine& each) {
    return numeric ? each.uid == uid : each.name == name;
  });
  if (!numeric && !line) return config_error("config.User", "the image has no user '", name, "'");
  ContainerUser to;
  to.uid = line ? line->uid : uid;
  to.gid = line ? line->gid : 0;
  if (line && !line->home.empty()) to.home = line->home;
  if (!group.empty()) to.gid = TRY(resolve_group(group, groups));
  to.groups.push_back(to.gid);
  if (group.empty() && line) add_member_groups(line->name, groups, to);
  return to;
}

}  // namespace onggi::image
