// SPDX-License-Identifier: Apache-2.0
// config.md#linux-mount-options as one table. Options that are not in it belong to the filesystem.
#include "spec/mount_options.h"

#include "base/nearest.h"
#include "base/text.h"

#include <linux/mount.h>

#include <algorithm>
#include <array>

namespace onggi::spec {

namespace {

enum class Kind : uint8_t {
  attribute,    // value: bits to set, clear: bits to clear first
  atime_off,    // value: the access time setting that is taken back
  propagation,  // value: MS_*
  superblock,   // flag for fsconfig; opposite: the flag it takes back
  bind,
  remount,
  tmpcopyup,
  idmap,
  no_effect,
};

struct Option {
  Text name;
  Kind kind = Kind::no_effect;
  bool recursive = false;
  uint64_t value = 0, clear = 0;
  Text opposite = {};
};

constexpr bool kRecursive = true;
constexpr uint64_t kAtime = MOUNT_ATTR__ATIME;

// Accepted without effect: "silent" and "loud" (whether mount(2) may print to the kernel log) have
// no flag in fsconfig(2); "iversion" and "noiversion" neither, as since Linux 6.0 a filesystem that
// can count a file's changes always does.
constexpr Option kOptions[] = {
    {"async", Kind::superblock, false, 0, 0, "sync"},
    {"atime", Kind::atime_off, false, MOUNT_ATTR_NOATIME},
    {"bind", Kind::bind},
    {"defaults"},
    {"dev", Kind::attribute, false, 0, MOUNT_ATTR_NODEV},
    {"diratime", Kind::attribute, false, 0, MOUNT_ATTR_NODIRATIME},
    {"dirsync", Kind::superblock},
    {"exec", Kind::attribute, false, 0, MOUNT_ATTR_NOEXEC},
    {"idmap", Kind::idmap},
    {"iversion"},
    {"lazytime", Kind::superblock, false, 0, 0, "nolazytime"},
    {"loud"},
    {"mand", Kind::superblock, false, 0, 0, "nomand"},
    {"noatime", Kind::attribute, false, MOUNT_ATTR_NOATIME, kAtime},
    {"nodev", Kind::attribute, false, MOUNT_ATTR_NODEV},
    {"nodiratime", Kind::attribute, false, MOUNT_ATTR_NODIRATIME},
    {"noexec", Kind::attribute, false, MOUNT_ATTR_NOEXEC},
    {"noiversion"},
    {"nolazytime", Kind::superblock, false, 0, 0, "lazytime"},
    {"nomand", Kind::superblock, false, 0, 0, "mand"},
    {"norelatime", Kind::atime_off, false, MOUNT_ATTR_RELATIME},
    {"nostrictatime", Kind::atime_off, false, MOUNT_ATTR_STRICTATIME},
    {"nosuid", Kind::attribute, false, MOUNT_ATTR_NOSUID},
    {"nosymfollow", Kind::attribute, false, MOUNT_ATTR_NOSYMFOLLOW},
    {"private", Kind::propagation, false, MS_PRIVATE},
    {"ratime", Kind::atime_off, kRecursive, MOUNT_ATTR_NOATIME},
    {"rbind", Kind::bind, kRecursive},
    {"rdev", Kind::attribute, kRecursive, 0, MOUNT_ATTR_NODEV},
    {"rdiratime", Kind::attribute, kRecursive, 0, MOUNT_ATTR_NODIRATIME},
    {"relatime", Kind::attribute, false, MOUNT_ATTR_RELATIME, kAtime},
    {"remount", Kind::remount},
    {"rexec", Kind::attribute, kRecursive, 0, MOUNT_ATTR_NOEXEC},
    {"ridmap", Kind::idmap, kRecursive},
    {"rnoatime", Kind::attribute, kRecursive, MOUNT_ATTR_NOATIME, kAtime},
    {"rnodev", Kind::attribute, kRecursive, MOUNT_ATTR_NODEV},
    {"rnodiratime", Kind::attribute, kRecursive, MOUNT_ATTR_NODIRATIME},
    {"rnoexec", Kind::attribute, kRecursive, MOUNT_ATTR_NOEXEC},
    {"rnorelatime", Kind::atime_off, kRecursive, MOUNT_ATTR_RELATIME},
    {"rnostrictatime", Kind::atime_off, kRecursive, MOUNT_ATTR_STRICTATIME},
    {"rnosuid", Kind::attribute, kRecursive, MOUNT_ATTR_NOSUID},
    {"rnosymfollow", Kind::attribute, kRecursive, MOUNT_ATTR_NOSYMFOLLOW},
    {"ro", Kind::attribute, false, MOUNT_ATTR_RDONLY},
    {"rprivate", Kind::propagation, kRecursive, MS_PRIVATE},
    {"rrelatime", Kind::attribute, kRecursive, MOUNT_ATTR_RELATIME, kAtime},
    {"rro", Kind::attribute, kRecursive, MOUNT_ATTR_RDONLY},
    {"rrw", Kind::attribute, kRecursive, 0, MOUNT_ATTR_RDONLY},
    {"rshared", Kind::propagation, kRecursive, MS_SHARED},
    {"rslave", Kind::propagation, kRecursive, MS_SLAVE},
    {"rstrictatime", Kind::attribute, kRecursive, MOUNT_ATTR_STRICTATIME, kAtime},
    {"rsuid", Kind::attribute, kRecursive, 0, MOUNT_ATTR_NOSUID},
    {"rsymfollow", Kind::attribute, kRecursive, 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"runbindable", Kind::propagation, kRecursive, MS_UNBINDABLE},
    {"rw", Kind::attribute, false, 0, MOUNT_ATTR_RDONLY},
    {"shared", Kind::propagation, false, MS_SHARED},
    {"silent"},
    {"slave", Kind::propagation, false, MS_SLAVE},
    {"strictatime", Kind::attribute, false, MOUNT_ATTR_STRICTATIME, kAtime},
    {"suid", Kind::attribute, false, 0, MOUNT_ATTR_NOSUID},
    {"symfollow", Kind::attribute, false, 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"sync", Kind::superblock, false, 0, 0, "async"},
    {"tmpcopyup", Kind::tmpcopyup},
    {"unbindable", Kind::propagation, false, MS_UNBINDABLE},
};
static_assert(std::ranges::adjacent_find(kOptions, std::ranges::greater_equal{}, &Option::name) ==
              std::ranges::end(kOptions));

constexpr auto kOptionNames = [] {
  std::array<Text, std::size(kOptions)> names;
  std::ranges::transform(kOptions, names.begin(), &Option::name);
  return names;
}();

const Option* find_option(Text name) {
  const Option* row = std::ranges::lower_bound(kOptions, name, {}, &Option::name);
  return row != std::ranges::end(kOptions) && row->name == name ? row : nullptr;
}

// What people write for an option of a bind mount, and engines take for themselves.
constexpr std::pair<Text, Text> kSynonyms[] = {
    {"read-only", "ro"}, {"readonly", "ro"}, {"readwrite", "rw"}, {"writable", "rw"}};
constexpr Text kOfEngines[] = {"U",    "Z",         "cached", "consistent",
                               "copy", "delegated", "nocopy", "z"};

FixedText<160> cure_of(Text name) {
  if (std::ranges::find(kOfEngines, name) != std::end(kOfEngines))
    return text<160>("engines apply \"", name, "\"; the runtime does not know it: remove it");
  for (const auto& [word, option] : kSynonyms) {
    if (word == name) return text<160>("did you mean \"", option, "\"?");
  }
  const Text near = nearest(name, kOptionNames);
  return near.empty() ? FixedText<160>() : text<160>("did you mean \"", near, "\"?");
}

// Filesystems whose superblock the kernel makes from nothing, and may hand out twice.
constexpr Text kKernelFilesystems[] = {
    "binfmt_misc", "bpf",      "cgroup",     "cgroup2",   "configfs", "debugfs", "devpts",
    "devtmpfs",    "efivarfs", "fusectl",    "mqueue",    "nfsd",     "proc",    "pstore",
    "ramfs",       "resctrl",  "securityfs", "selinuxfs", "sysfs",    "tmpfs",   "tracefs",
};

void apply_attribute(const Option& option, uint64_t& set, uint64_t& clear) {
  set = (set & ~option.clear) | option.value;
  clear = (clear & ~option.value) | option.clear;
}

void take_back_atime(const Option& option, uint64_t& set, uint64_t& clear) {
  if ((set & kAtime) == option.value) set &= ~kAtime;
  clear |= kAtime;
}

bool is_flag(Kind kind) {
  return kind == Kind::attribute || kind == Kind::atime_off || kind == Kind::superblock;
}

void apply(const Option& option, MountOptions& to) {
  uint64_t& set = option.recursive ? to.recursive_set : to.attr_set;
  uint64_t& clear = option.recursive ? to.recursive_clear : to.attr_clear;
  to.names_flag |= !option.recursive && is_flag(option.kind);
  switch (option.kind) {
    case Kind::attribute:
      return apply_attribute(option, set, clear);
    case Kind::atime_off:
      return take_back_atime(option, set, clear);
    case Kind::propagation:
      to.propagation.push_back({static_cast<uint32_t>(option.value), option.recursive});
      return;
    case Kind::superblock:
      std::erase(to.filesystem_flags, option.name);
      std::erase(to.filesystem_flags, option.opposite);
      to.filesystem_flags.push_back(option.name);
      return;
    case Kind::bind:
      to.bind = true;
      to.recursive_bind |= option.recursive;
      return;
    case Kind::remount:
      to.remount = true;
      return;
    case Kind::tmpcopyup:
      to.tmpcopyup = true;
      return;
    case Kind::idmap:
      (option.recursive ? to.ridmap : to.idmap) = true;
      return;
    case Kind::no_effect:
      return;
  }
}

}  // namespace

bool MountOptions::readonly() const {
  return ((attr_set | recursive_set) & MOUNT_ATTR_RDONLY) != 0;
}

std::span<const Text> known_mount_options() {
  return kOptionNames;
}

Result<MountOptions> parse_mount_options(const Mount& mount, std::string_view place) {
  MountOptions to;
  std::optional<size_t> first_data;
  for (size_t i = 0; i < mount.options.size(); ++i) {
    const Text name = mount.options[i];
    if (name.empty()) continue;  // what splitting an empty list at its commas gives
    if (const Option* option = find_option(name)) {
      apply(*option, to);
    } else {
      to.data.push_back(name);
      if (!first_data) first_data = i;
    }
  }
  if (to.bind) {
    // mount(2) would ignore it; at best the author is mistaken, at worst it reaches the source's
    // superblock.
    if (first_data) {
      const Text name = mount.options[*first_data];
      const FixedText<160> cure = cure_of(name);
      return with_hint(
          config_error(text<128>(place, ".options[", *first_data, "]").view(), "\"", name,
                       "\" is a filesystem option, which a bind mount does not support"),
          cure.view());
    }
    to.filesystem_flags.clear();
  } else if (!to.remount && (to.attr_set & MOUNT_ATTR_RDONLY) != 0 && mount.type &&
             std::ranges::find(kKernelFilesystems, *mount.type) == std::end(kKernelFilesystems)) {
    to.filesystem_flags.push_back("ro");
  }
  if (to.tmpcopyup && (to.bind || to.remount || mount.type != "tmpfs")) {
    return config_error(text<128>(place, ".options").view(), "tmpcopyup requires a tmpfs");
  }
  return to;
}

}  // namespace onggi::spec
