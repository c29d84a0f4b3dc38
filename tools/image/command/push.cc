// SPDX-License-Identifier: Apache-2.0
// `push IMAGE [NAME]`: out of the store, byte for byte.
#include "command/remote.h"
#include "transfer/copy.h"
#include "transfer/open_endpoint.h"

namespace onggi::image {

Result<int> push_command(const Context& context, const RemoteFlags& flags) {
  CopyOptions options;
  if (!flags.platform.empty()) options.platform = TRY(parse_platform(flags.platform));
  const Endpoint from = TRY(parse_endpoint(context.operands[0]));
  const bool has_name = context.operands.size() > 1;
  if (!has_name && from.transport != Transport::store) {
    return make_error(ErrorKind::invalid_config, "'", context.operands[0],
                      "' has no name of a registry: give a second operand");
  }
  const Reference to = TRY(parse_remote(has_name ? context.operands[1] : from.place));
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  Registries registries(access_options(flags));
  const EndpointContext ends = {&store, host_platform(), &registries};
  const std::unique_ptr<ImageSource> source = TRY(open_source(from, ends));
  const Endpoint target_end = {Transport::registry, to_text(to), {}};
  const std::unique_ptr<ImageTarget> target = TRY(open_target(target_end, ends, *source, from));
  CopyView view;
  const ImageSource::Named pushed = TRY(copy_image(*source, *target, options, view));
  return cli::print(to_text(to) + "\n" + pushed.descriptor.digest.text() + "\n");
}

}  // namespace onggi::image
