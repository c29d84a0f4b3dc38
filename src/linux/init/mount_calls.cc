// SPDX-License-Identifier: Apache-2.0
// The calls of the descriptor-based mount interface, with errors that say which option was meant.
#include "linux/init/mount_calls.h"

#include <utility>

namespace onggi {
namespace {

// The kernel's own words for the last refusal, e.g. "tmpfs: Bad value for 'size'". One message a
// read(2), prefixed by its level and a blank (fsopen(2)).
void add_mount_log(int filesystem, Error& error) {
  char line[256];
  const long size = sys::read(filesystem, line, sizeof line);
  if (size <= 2) return;
  std::string_view text(line + 2, static_cast<size_t>(size) - 2);
  if (text.ends_with('\n')) text.remove_suffix(1);
  error.message.append(" (", text, ")");
}

// What a mount of a more privileged mount namespace keeps in a less privileged one: each flag that
// it has, and always the access time setting (mount_namespaces(7), can_change_locked_flags() in the
// kernel's fs/namespace.c).
struct Lockable {
  uint64_t mask;
  std::string_view name, option;  // the option that asks for the change
};
constexpr Lockable kLockable[] = {
    {MOUNT_ATTR_RDONLY, "ro", "rw"},
    {MOUNT_ATTR_NOSUID, "nosuid", "suid"},
    {MOUNT_ATTR_NODEV, "nodev", "dev"},
    {MOUNT_ATTR_NOEXEC, "noexec", "exec"},
    {MOUNT_ATTR__ATIME, "the access time setting", "its option"},
    {MOUNT_ATTR_NODIRATIME, "the access time setting of directories", "its option"},
};

long change(int mount, unsigned flags, uint64_t set, uint64_t clear) {
  const mount_attr attributes{.attr_set = set, .attr_clr = clear, .propagation = 0, .userns_fd = 0};
  return sys::mount_setattr(mount, "", AT_EMPTY_PATH | flags, attributes);
}

// Each flag alone: the one that is refused is the one that is locked.
Error locked_flag(int mount, unsigned flags, uint64_t set, uint64_t clear, std::string_view what) {
  Error error = system_error(-EPERM, "mount_setattr", what);
  for (const Lockable& row : kLockable) {
    if (((set | clear) & row.mask) == 0) continue;
    if (change(mount, flags, set & row.mask, clear & row.mask) != -EPERM) continue;
    error.message.append(": ", row.name, " is locked");
    return with_hint(error,
                     text<160>("a user namespace cannot change a flag that the host set: remove ",
                               row.option, "")
                         .view());
  }
  return error;
}

// Each flag alone. A kernel before 5.14 does not know `nosymfollow`, and nothing is cleared then
// that is there.
void clear_unlocked(int mount, uint64_t flags) {
  for (const Lockable& row : kLockable) {
    if ((flags & row.mask) != 0) (void)change(mount, 0, 0, flags & row.mask);
  }
  if ((flags & MOUNT_ATTR_NOSYMFOLLOW) != 0) (void)change(mount, 0, 0, MOUNT_ATTR_NOSYMFOLLOW);
}

}  // namespace

Result<> set_option(int filesystem, const char* key, const char* value) {
  const unsigned command = value == nullptr ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
  const long result = sys::fsconfig(filesystem, command, key, value);
  if (result == 0) return {};
  Error error = system_error(result, "fsconfig", key);
  add_mount_log(filesystem, error);
  return error;
}

Result<> set_options(int filesystem, std::span<const plan::FilesystemOption> options,
                     const plan::PoolView& pool) {
  for (const plan::FilesystemOption& option : options) {
    TRY(set_option(filesystem, pool(option.key), option.value ? pool(option.value) : nullptr));
  }
  return {};
}

Result<> complete(int filesystem, unsigned command, std::string_view what) {
  const long result = sys::fsconfig(filesystem, command, nullptr, nullptr);
  if (result >= 0) return {};
  Error error = system_error(result, "mount", what);
  add_mount_log(filesystem, error);
  return error;
}

Result<UniqueFd> make_tmpfs(const char* mode, const char* context, unsigned attributes) {
  const long opened = sys::fsopen("tmpfs");
  if (opened < 0) return system_error(opened, "fsopen", "tmpfs");
  const UniqueFd filesystem(opened);
  for (const auto& [key, value] : {std::pair{"source", "tmpfs"}, std::pair{"nr_inodes", "4"},
                                   std::pair{"size", "4096"}, std::pair{"mode", mode}}) {
    TRY(set_option(filesystem.get(), key, value));
  }
  if (context != nullptr) TRY(set_option(filesystem.get(), "context", context));
  TRY(complete(filesystem.get(), FSCONFIG_CMD_CREATE, "tmpfs"));
  const long mounted = sys::fsmount(filesystem.get(), attributes);
  if (mounted < 0) return system_error(mounted, "fsmount", "tmpfs");
  return UniqueFd(mounted);
}

Result<UniqueFd> clone_mount(int directory, const char* path, unsigned flags) {
  const unsigned empty = path[0] == 0 ? AT_EMPTY_PATH : 0U;
  const long tree = sys::open_tree(directory, path, OPEN_TREE_CLONE | empty | flags);
  if (tree < 0) return system_error(tree, "open_tree", path);
  return UniqueFd(tree);
}

Result<> set_attributes(int mount, unsigned flags, uint64_t set, uint64_t clear,
                        std::string_view what) {
  if ((set | clear) == 0) return {};
  const long result = change(mount, flags, set, clear);
  if (result == -EPERM) return locked_flag(mount, flags, set, clear, what);
  if (result < 0) return system_error(result, "mount_setattr", what);
  return {};
}

Result<> set_attributes(int mount, const plan::MountAttributes& attributes, std::string_view what) {
  const uint64_t implied = attributes.implied_clear;
  if (implied == 0 || change(mount, 0, attributes.set, attributes.clear | implied) < 0) {
    TRY(set_attributes(mount, 0, attributes.set, attributes.clear, what));
    clear_unlocked(mount, implied);
  }
  return set_attributes(mount, AT_RECURSIVE, attributes.recursive_set, attributes.recursive_clear,
                        what);
}

Result<> change_root_propagation(const plan::Propagation& propagation) {
  const unsigned long flags = propagation.type | (propagation.recursive != 0 ? MS_REC : 0U);
  const long result = sys::mount(nullptr, "/", nullptr, flags, nullptr);
  if (result < 0) return system_error(result, "mount", "/");
  return {};
}

Result<> set_propagation(int mount, std::span<const plan::Propagation> list,
                         std::string_view what) {
  for (const plan::Propagation& propagation : list) {
    mount_attr attributes = {};
    attributes.propagation = propagation.type;
    const unsigned flags = AT_EMPTY_PATH | (propagation.recursive != 0 ? AT_RECURSIVE : 0U);
    const long result = sys::mount_setattr(mount, "", flags, attributes);
    if (result < 0) return system_error(result, "mount_setattr", what);
  }
  return {};
}

}  // namespace onggi
