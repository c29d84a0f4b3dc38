// SPDX-License-Identifier: Apache-2.0
// Everything is checked before the directory appears.
#include "command/unpack.h"

#include "base/file.h"
#include "store/image.h"
#include "store/new_directory.h"

namespace onggi::image {

Result<int> unpack_command(const Context& context, const UnpackOptions& options) {
  const Source source = TRY(parse_source(context.operands[0]));
  const Platform platform =
      options.platform.empty() ? host_platform() : TRY(parse_platform(options.platform));
  const Layout layout = TRY(Layout::open(source.path));
  const Image image = TRY(read_image(layout, source, platform));
  NewDirectory target = TRY(NewDirectory::make(std::string(context.operands[1])));
  UniqueFd root = TRY(open_directory(target.fd(), "."));
  TRY(unpack_layers(layout, image, std::move(root), {}));
  TRY(target.publish());
  return 0;
}

}  // namespace onggi::image
