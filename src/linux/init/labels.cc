// SPDX-License-Identifier: Apache-2.0
// AppArmor and SELinux labels of the coming execve. The attr files are opened before the pivot, on
// the host's /proc, which is checked to be one: in the container a plain file could stand in their
// place (CVE-2019-16884, CVE-2025-52881).
#include "base/text.h"
#include "linux/init/context.h"

#include <cerrno>
#include <string_view>

namespace onggi {
namespace {

// "self" is a magic-free link of procfs; the rest is looked up without leaving it.
Result<UniqueFd> open_attribute(const InitContext& context, const char* path,
                                std::string_view place) {
  const long opened =
      sys::openat2(context.host_proc.get(), path, O_WRONLY, RESOLVE_BENEATH | RESOLVE_NO_XDEV);
  if (opened < 0) return at_place(system_error(opened, "open /proc", path), place);
  return UniqueFd(opened);
}

Result<> write_label(UniqueFd file, std::string_view label, const char* path,
                     std::string_view place) {
  const long written = sys::write(file.get(), label.data(), label.size());
  if (written >= 0) return {};
  // podman looks for the path in back-quotes.
  Error error = system_error(written, "write", label);
  error.message.append(" to `/proc/", path, "`");
  return at_place(error, place);
}

constexpr const char* kAppArmor = "self/attr/apparmor/exec";
constexpr const char* kSelinux = "self/attr/exec";
constexpr const char* kSelinuxKeys = "self/attr/keycreate";
constexpr std::string_view kAppArmorPlace = "process.apparmorProfile";
constexpr std::string_view kSelinuxPlace = "process.selinuxLabel";

}  // namespace

Result<> open_labels(InitContext& context) {
  if (context.plan.handoff.apparmor)
    context.apparmor = TRY(open_attribute(context, kAppArmor, kAppArmorPlace));
  if (context.plan.handoff.selinux)
    context.selinux = TRY(open_attribute(context, kSelinux, kSelinuxPlace));
  if (context.plan.handoff.selinux && context.plan.handoff.keyring)
    context.selinux_keys = TRY(open_attribute(context, kSelinuxKeys, kSelinuxPlace));
  return {};
}

Result<> write_labels(InitContext& context) {
  if (context.apparmor) {
    const std::string_view profile = context.pool(context.plan.handoff.apparmor);
    // More than the kernel takes; cut off it might name another profile.
    if (profile.size() > 500) return config_error(kAppArmorPlace, "is longer than 500 bytes");
    FixedText<512> command("exec ");
    command.append(profile);
    TRY(write_label(std::move(context.apparmor), command.view(), kAppArmor, kAppArmorPlace));
  }
  if (context.selinux) {
    const std::string_view label = context.pool(context.plan.handoff.selinux);
    TRY(write_label(std::move(context.selinux), label, kSelinux, kSelinuxPlace));
    // execve resets it (proc(5)), so that it holds for the session keyring alone.
    if (context.selinux_keys)
      TRY(write_label(std::move(context.selinux_keys), label, kSelinuxKeys, kSelinuxPlace));
  }
  return {};
}

}  // namespace onggi
