// SPDX-License-Identifier: Apache-2.0
// What the appliers of mounts share. `what` is named in errors.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "plan/steps.h"

#include <string_view>

namespace onggi {

// key=value settings of a filesystem context (fsopen(2), fspick(2)); the error has the kernel's own
// words.
Result<> set_option(int filesystem, const char* key, const char* value);
Result<> set_options(int filesystem, std::span<const plan::FilesystemOption> options,
                     const plan::PoolView& pool);
// FSCONFIG_CMD_CREATE or FSCONFIG_CMD_RECONFIGURE.
Result<> complete(int filesystem, unsigned command, std::string_view what);

// A small tmpfs of our own, detached: `mode` is that of its root; `context` a label, or null;
// `attributes` MOUNT_ATTR_*.
Result<UniqueFd> make_tmpfs(const char* mode, const char* context, unsigned attributes);

// A detached copy of the mount at `path`; `flags`: AT_RECURSIVE. An empty path: of the descriptor.
Result<UniqueFd> clone_mount(int directory, const char* path, unsigned flags);

// `flags`: AT_RECURSIVE. An error names the attribute that the kernel holds on to.
Result<> set_attributes(int mount, unsigned flags, uint64_t set, uint64_t clear,
                        std::string_view what);
Result<> set_attributes(int mount, const plan::MountAttributes& attributes, std::string_view what);
// Of all that the caller's mount namespace has.
Result<> change_root_propagation(const plan::Propagation& propagation);
Result<> set_propagation(int mount, std::span<const plan::Propagation> list, std::string_view what);

}  // namespace onggi
