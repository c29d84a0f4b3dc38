// SPDX-License-Identifier: Apache-2.0
// What the host has.
#include "support/suite.h"

#include <elf.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <sstream>

namespace onggi::test {

namespace fs = std::filesystem;

namespace {

bool file_exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

// "v1" hierarchies by controller; the empty name is the unified one.
std::string cgroup_mount(std::string_view controller) {
  for (const std::string& line : lines(read_file("/proc/self/mountinfo"))) {
    const size_t dash = line.find(" - ");
    std::istringstream before(line.substr(0, dash)), after(line.substr(dash + 3));
    std::string skip, point, type, source, options;
    before >> skip >> skip >> skip >> skip >> point;
    after >> type >> source >> options;
    const std::string wanted = "," + std::string(controller);
    if (controller.empty()
            ? type == "cgroup2"
            : type == "cgroup" && (options + ",").find(wanted + ",") != options.npos) {
      return point;
    }
  }
  return "";
}

std::string cgroup_path(pid_t pid, std::string_view controller) {
  for (const std::string& line : lines(read_file("/proc/" + std::to_string(pid) + "/cgroup"))) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool found = controller.empty()
                           ? controllers.empty()
                           : ("," + controllers + ",").find("," + std::string(controller) + ",") !=
                                 std::string::npos;
    if (found) return line.substr(second + 1);
  }
  return "";
}

// The build with sanitizers alone has a C library, and so a loader.
bool is_sanitized() {
  static const bool sanitized = [] {
    if (!is_onggi()) return false;
    const std::string program = read_file(runtime_path());
    Elf64_Ehdr header = {};
    if (program.size() < sizeof header) return false;
    memcpy(&header, program.data(), sizeof header);
    for (size_t i = 0; i < header.e_phnum; i++) {
      Elf64_Phdr segment = {};
      const size_t at = header.e_phoff + i * sizeof segment;
      if (at + sizeof segment > program.size()) return false;
      memcpy(&segment, program.data() + at, sizeof segment);
      if (segment.p_type == PT_INTERP) return true;
    }
    return false;
  }();
  return sanitized;
}

bool is_unified_host() {
  return file_exists("/sys/fs/cgroup/cgroup.controllers");
}

}  // namespace

Need root() {
  return {geteuid() == 0, "needs root"};
}
Need cgroup_v1() {
  return {!is_unified_host() && !cgroup_mount("memory").empty(), "needs cgroup v1 controllers"};
}
Need cgroup_v2() {
  return {is_unified_host(), "needs cgroup v2 at /sys/fs/cgroup"};
}

Need cgroup_controller(std::string_view name) {
  // On v2 every group can be frozen; there is no controller for it.
  const bool v2 =
      (name == "freezer" && is_unified_host()) ||
      contains(" " + read_file("/sys/fs/cgroup/cgroup.controllers"), " " + std::string(name));
  return {v2 || !cgroup_mount(name).empty(), "needs the cgroup controller " + std::string(name)};
}

Need kernel(int major, int minor) {
  utsname names = {};
  uname(&names);
  int have_major = 0, have_minor = 0;
  sscanf(names.release, "%d.%d", &have_major, &have_minor);
  return {have_major > major || (have_major == major && have_minor >= minor),
          "needs kernel " + std::to_string(major) + "." + std::to_string(minor)};
}

Need capability(int number, std::string_view name) {
  const int held = prctl(PR_CAPBSET_READ, number, 0, 0, 0);
  return {held == 1, "needs " + std::string(name)};
}

Need user_namespaces() {
  return {file_exists("/proc/self/ns/user") &&
              atoi(read_file("/proc/sys/user/max_user_namespaces").c_str()) > 0,
          "needs user namespaces"};
}
Need file(const std::string& path) {
  return {file_exists(path), "needs " + path};
}
Need freestanding_init() {
  return {!is_sanitized(), "an init without a C library"};
}

int rounds(int native) {
  return is_sanitized() ? std::max(2, native / 10) : native;
}

Need seccomp() {
  return file("/proc/sys/kernel/seccomp/actions_avail");
}

Need apparmor() {
  return {read_file("/sys/module/apparmor/parameters/enabled").starts_with('Y'), "needs AppArmor"};
}
Need selinux() {
  return {file_exists("/sys/fs/selinux/enforce"), "needs SELinux"};
}

Need onggi_only() {
  return {is_onggi(), "is about onggi"};
}

Need systemd() {
  return {file_exists("/run/systemd/private"), "needs systemd"};
}
Need no_systemd() {
  return {!systemd().met, "needs a host without systemd"};
}

Need cgroups_by_path() {
  const Strings& options = runtime_options();
  return {std::ranges::find(options, "--systemd-cgroup") == options.end(),
          "needs a cgroup driver that takes paths"};
}

Need disk() {
  return {!disk_number().empty(), "needs a block device"};
}

bool in_cgroup_v1(std::string_view controller) {
  return !cgroup_mount(controller).empty();
}
bool in_cgroup_v2(std::string_view controller) {
  if (controller.empty()) return false;
  const std::string all = read_file(cgroup_mount("") + "/cgroup.controllers");
  return contains(" " + all.substr(0, all.find('\n')) + " ", " " + std::string(controller) + " ");
}

fs::path cgroup_directory(pid_t pid, std::string_view controller) {
  const std::string_view hierarchy = in_cgroup_v1(controller) ? controller : "";
  return cgroup_mount(hierarchy) + cgroup_path(pid, hierarchy);
}

std::string cgroup_file(const fs::path& cgroup, std::string_view name) {
  const std::string text = read_file(cgroup / name);
  return text.substr(0, text.find_last_not_of('\n') + 1);
}

std::string cgroup_value(pid_t pid, std::string_view controller, std::string_view v1_file,
                         std::string_view v2_file) {
  return cgroup_file(cgroup_directory(pid, controller), is_unified_host() ? v2_file : v1_file);
}

std::string openable_in(const fs::path& cgroup) {
  const std::string script = "echo $$ >" + (cgroup / "cgroup.procs").string() +
                             "; (exec 3</dev/zero) && printf 'zero '"
                             "; (exec 3</dev/net/tun) && printf 'tun '"
                             "; (exec 3</dev/kmsg) && printf 'kmsg '"
                             "; (exec 3</dev/fuse) && printf 'fuse '";
  return run_program({"/bin/sh", "-c", script}).out;
}

std::string disk_number() {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/sys/block", ignored)) {
    if (fs::exists(entry.path() / "device")) return cgroup_file(entry.path(), "dev");
  }
  return {};
}

}  // namespace onggi::test
