// SPDX-License-Identifier: Apache-2.0
// `port CONTAINER-ID [PORT[/PROTOCOL]]`: where the ports of a running container are published.
#pragma once

#include "command/command.h"

namespace onggi::image {

Result<int> port_command(const Context& context, const NoOptions& options);

}  // namespace onggi::image
