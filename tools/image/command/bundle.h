// SPDX-License-Identifier: Apache-2.0
// `bundle IMAGE DIR [ARGUMENT...]`: a directory that onggi runs. For root its rootfs is a mount of
// the store's layers under a writable one; `mount` makes it again after the machine's next start,
// `unmount` takes it away, `unbundle` removes all of it. For an ordinary user rootfs has the files
// themselves, since mounts of a user namespace are seen by nobody else.
#pragma once

#include "command/container_options.h"

namespace onggi::image {

Result<int> bundle_command(const Context& context, const ContainerFlags& flags);
Result<int> mount_command(const Context& context, const NoOptions& options);
Result<int> unmount_command(const Context& context, const NoOptions& options);
Result<int> unbundle_command(const Context& context, const NoOptions& options);

}  // namespace onggi::image
