// SPDX-License-Identifier: Apache-2.0
// `run IMAGE [ARGUMENT...]`: pulled if need be, mounted, connected, run, cleaned up. And the
// commands on containers that are there.
#pragma once

#include "command/container_options.h"

namespace onggi::image {

Result<int> run_command(const Context& context, const ContainerFlags& flags);

}  // namespace onggi::image
