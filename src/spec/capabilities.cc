// SPDX-License-Identifier: Apache-2.0
// The names of <linux/capability.h>, each at its number; a unit test compares them with libcap's.
#include "spec/capabilities.h"

#include "spec/names.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace onggi::spec {
namespace {

constexpr Text kPrefix = "CAP_";

// The text itself, since a pointer to it would be relocated at every start of the program.
constexpr size_t kLongest = 18;
constexpr char kNames[][kLongest + 1] = {"CHOWN",
                                         "DAC_OVERRIDE",
                                         "DAC_READ_SEARCH",
                                         "FOWNER",
                                         "FSETID",
                                         "KILL",
                                         "SETGID",
                                         "SETUID",
                                         "SETPCAP",
                                         "LINUX_IMMUTABLE",
                                         "NET_BIND_SERVICE",
                                         "NET_BROADCAST",
                                         "NET_ADMIN",
                                         "NET_RAW",
                                         "IPC_LOCK",
                                         "IPC_OWNER",
                                         "SYS_MODULE",
                                         "SYS_RAWIO",
                                         "SYS_CHROOT",
                                         "SYS_PTRACE",
                                         "SYS_PACCT",
                                         "SYS_ADMIN",
                                         "SYS_BOOT",
                                         "SYS_NICE",
                                         "SYS_RESOURCE",
                                         "SYS_TIME",
                                         "SYS_TTY_CONFIG",
                                         "MKNOD",
                                         "LEASE",
                                         "AUDIT_WRITE",
                                         "AUDIT_CONTROL",
                                         "SETFCAP",
                                         "MAC_OVERRIDE",
                                         "MAC_ADMIN",
                                         "SYSLOG",
                                         "WAKE_ALARM",
                                         "BLOCK_SUSPEND",
                                         "AUDIT_READ",
                                         "PERFMON",
                                         "BPF",
                                         "CHECKPOINT_RESTORE"};

}  // namespace

std::optional<unsigned> capability_number(Text name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  const auto* const found = std::ranges::find_if(kNames, [name](const char(&row)[kLongest + 1]) {
    return name.size() <= kLongest && row[name.size()] == 0 && name == Text(row);
  });
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<unsigned>(found - std::begin(kNames));
}

std::string capability_meant(Text name) {
  std::array<std::string, std::size(kNames)> names;
  std::array<Text, std::size(kNames)> texts;
  for (unsigned i = 0; i < names.size(); ++i) texts[i] = names[i] = capability_name(i);
  return std::string(name_meant(name, texts));
}

std::string capability_name(unsigned number) {
  std::string name(kPrefix);
  return number < std::size(kNames) ? name + kNames[number] : name + std::to_string(number);
}

}  // namespace onggi::spec
