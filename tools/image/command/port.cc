// SPDX-License-Identifier: Apache-2.0
#include "command/port.h"

#include "bundle/container.h"
#include "process/user_namespace.h"

#include <algorithm>

namespace onggi::image {
namespace {

std::string container_side_of(const PortMapping& port) {
  return std::to_string(port.container) + "/" + std::string(name_of(port.protocol));
}

std::string published_at(const PortMapping& port) {
  const IpAddress address = port.address.value_or(every_address(AF_INET));
  return address.text_for_port() + ":" + std::to_string(port.host);
}

}  // namespace

Result<int> port_command(const Context& context, const NoOptions&) {
  std::string asked;
  if (context.operands.size() > 1) {
    asked = context.operands[1];
    if (asked.find('/') == asked.npos) asked += "/tcp";
  }
  TRY(enter_user_namespace());
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  const std::string id(context.operands[0]);
  const ContainerState state = TRY(find_container(store, id));
  std::string text;
  for (const PortMapping& port : state.record.ports) {
    const std::string inside = container_side_of(port);
    if (!state.is_running || (!asked.empty() && asked != inside)) continue;
    if (asked.empty()) text.append(inside).append(" -> ");
    text.append(published_at(port)).append("\n");
  }
  if (!asked.empty() && text.empty())
    return state_error("the port ", asked, " of the container ", id, " is not published");
  return cli::print(text);
}

}  // namespace onggi::image
