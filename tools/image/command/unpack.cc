// SPDX-License-Identifier: Apache-2.0
// Everything is checked before the directory appears.
#include "command/unpack.h"

#include "base/file.h"
#include "process/user_namespace.h"
#include "store/image.h"
#include "store/new_directory.h"

namespace onggi::image {
namespace {

Result<> unpack(const Context& context, const Layout& layout, const Image& image) {
  NewDirectory target = TRY(NewDirectory::make(std::string(context.operands[1])));
  UniqueFd root = TRY(open_directory(target.fd(), "."));
  TRY(unpack_layers(layout, image, std::move(root), context.global.limits));
  return target.publish();
}

}  // namespace

Result<int> unpack_command(const Context& context, const LookupFlags& flags) {
  const std::string name(context.operands[0]);
  const Endpoint endpoint = TRY(parse_endpoint(name));
  const Platform platform = TRY(platform_or_host(flags.platform));
  TRY(enter_user_namespace());
  if (endpoint.transport == Transport::layout) {
    const Layout layout = TRY(Layout::open(endpoint.place));
    const Descriptor* named = TRY(layout.find(endpoint.reference, platform));
    const Image image = TRY(read_image(layout, *named, platform));
    TRY(unpack(context, layout, image));
    return 0;
  }
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  LookupFlags lookup = flags;
  lookup.limits = context.global.limits;
  lookup.stall_seconds = context.global.stall_seconds;
  const Image image = TRY(image_in_store(store, name, lookup));
  const Layout layout = TRY(store.read());
  TRY(unpack(context, layout, image));
  return 0;
}

}  // namespace onggi::image
