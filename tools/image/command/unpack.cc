// SPDX-License-Identifier: Apache-2.0
// Everything is checked before the directory appears.
#include "command/unpack.h"

#include "base/file.h"
#include "process/user_namespace.h"
#include "store/image.h"
#include "store/new_directory.h"

namespace onggi::image {
namespace {

Result<> unpack(const Layout& layout, const Image& image, std::string_view directory) {
  NewDirectory target = TRY(NewDirectory::make(std::string(directory)));
  UniqueFd root = TRY(open_directory(target.fd(), "."));
  TRY(unpack_layers(layout, image, std::move(root), {}));
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
    TRY(unpack(layout, image, context.operands[1]));
    return 0;
  }
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  const Image image = TRY(image_in_store(store, name, flags));
  const Layout layout = TRY(store.read());
  TRY(unpack(layout, image, context.operands[1]));
  return 0;
}

}  // namespace onggi::image
