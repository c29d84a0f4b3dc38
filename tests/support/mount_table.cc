// SPDX-License-Identifier: Apache-2.0
#include "support/mount_table.h"

#include "support/suite.h"

#include <sys/mount.h>

#include <cerrno>
#include <sstream>
#include <system_error>

namespace onggi::test {
namespace {

void check(int result, const std::filesystem::path& point) {
  if (result != 0) throw std::system_error(errno, std::generic_category(), point.string());
}

}  // namespace

MountLine mount_at(const std::string& mountinfo, const std::string& point) {
  MountLine found;
  for (const std::string& line : lines(mountinfo)) {
    std::istringstream fields(line);
    std::string skip, where;
    MountLine row;
    fields >> skip >> skip >> row.device >> skip >> where >> row.options;
    for (std::string word; fields >> word && word != "-";) row.tags += word + " ";
    fields >> row.type >> skip >> row.super;
    if (where == point) found = row;
  }
  return found;
}

bool has_option(const std::string& options, const std::string& name) {
  return contains("," + options + ",", "," + name + ",");
}

HostMount::HostMount(std::filesystem::path point, unsigned long flags, const char* type)
    : point_(std::move(point)) {
  std::filesystem::create_directories(point_);
  const bool bind = (flags & kBind) != 0;
  check(mount(bind ? point_.c_str() : type, point_.c_str(), bind ? nullptr : type, flags, nullptr),
        point_);
}

HostMount::~HostMount() {
  (void)umount2(point_.c_str(), MNT_DETACH);
}

void HostMount::change(unsigned long flags) const {
  check(mount(nullptr, point_.c_str(), nullptr, flags, nullptr), point_);
}

std::string table_of(Bundle& bundle) {
  const Outcome outcome = run(bundle.guest({"mounts"}));
  CHECK(outcome.err == "");
  return outcome.out;
}

void cite_mount_option(const std::string& row) {
  CITE(
      "config.md#linux-mount-options: Runtimes MUST/SHOULD/MAY implement the following option "
      "strings for Linux: " +
      row);
}

Bundle& in_user_namespace(Bundle& bundle) {
  // As a stranger it cannot make what is missing in the rootfs.
  for (const char* name : {"proc", "dev", "sys"})
    std::filesystem::create_directories(bundle.rootfs() / name);
  return bundle.set_namespace("user")
      .set_json("/linux/uidMappings", mapping(0, kFirstId, 65536))
      .set_json("/linux/gidMappings", mapping(0, kFirstId, 65536));
}

Bundle& map_last_mount(Bundle& bundle, const std::string& mappings) {
  const std::string mount = "/mounts/" + std::to_string(bundle.mount_count() - 1);
  return bundle.set_json(mount + "/uidMappings", mappings)
      .set_json(mount + "/gidMappings", mappings);
}

}  // namespace onggi::test
