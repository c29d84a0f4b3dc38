// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "command/names.h"

#include "base/json_writer.h"
#include "base/log.h"
#include "command/gc.h"
#include "process/user_namespace.h"
#include "store/store.h"

namespace onggi::image {

namespace {

Result<int> print_name(const NameOptions& options, const std::string& name,
                       const Descriptor& descriptor) {
  if (options.format == Format::text) return 0;
  JsonWriter json(JsonWriter::Style::two_spaces);
  json.begin_object().field("name", name).field("digest", descriptor.digest.text()).end_object();
  return cli::print(std::move(json).take() + "\n");
}

}  // namespace

Result<int> tag_command(const Context& context, const NameOptions& options) {
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  const StoredImage image = TRY(store.find(context.operands[0]));
  const std::string name = TRY(full_name(context.operands[1]));
  TRY(store.set_name(name, image.descriptor));
  return print_name(options, name, image.descriptor);
}

Result<int> untag_command(const Context& context, const NameOptions& options) {
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  const StoredImage image = TRY(store.find(context.operands[0]));
  const std::string name = image.is_by_name ? image.name : TRY(full_name(context.operands[0]));
  TRY(store.remove_name(name));
  return print_name(options, name, image.descriptor);
}

Result<int> remove_command(const Context& context, const NameOptions& options) {
  TRY(enter_user_namespace());
  StoredImage image;
  {
    const Store store = TRY(Store::open(context.global.root, LockKind::shared));
    image = TRY(store.find(context.operands[0]));
    TRY(store.remove(image));
  }
  // Its blobs may be others' too; and if the store is in use, they wait for the next gc.
  const Result<Collected> collected = collect(context.global.root);
  if (!collected) {
    const std::string message(collected.error().message.view());
    log::warn("the image has no name any more, but its files are still in the store: " + message);
  }
  return print_name(options, image.name, image.descriptor);
}

}  // namespace onggi::image
