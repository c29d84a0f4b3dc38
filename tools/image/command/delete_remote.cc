// SPDX-License-Identifier: Apache-2.0
// `delete-remote NAME`: a tag, or by its digest a manifest with all of its tags, in the registry.
#include "command/remote.h"

namespace onggi::image {

Result<int> delete_remote_command(const Context& context, const RemoteFlags& flags) {
  const Reference image = TRY(parse_remote(context.operands[0]));
  Registries registries(
      access_options(flags.authfile, flags.plain_http, context.global.stall_seconds));
  const std::unique_ptr<Access> access = TRY(registries.access(image));
  TRY(Registry(*access).remove(image.version()));
  return 0;
}

}  // namespace onggi::image
