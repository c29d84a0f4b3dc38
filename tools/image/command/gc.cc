// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "command/gc.h"

#include "base/json_writer.h"
#include "base/log.h"
#include "bundle/container.h"
#include "command/output.h"
#include "process/user_namespace.h"

namespace onggi::image {

Result<Collected> collect(const std::string& root) {
  const Store store = TRY(Store::open(root, LockKind::exclusive));
  return collect_garbage(store);
}

Result<int> gc_command(const Context& context, const GcOptions& options) {
  TRY(enter_user_namespace());
  {
    const Store store = TRY(Store::open(context.global.root, LockKind::shared));
    const Result<> removed = remove_ended_containers(store);
    // Their runtime may have been removed from this machine; blobs and layers can go all the same.
    if (!removed) {
      log::warn(
          text<1024>("stopped containers: ", removed.error().message.view(), ", ignoring").view());
    }
  }
  const Collected collected = TRY(collect(context.global.root));
  if (options.format == Format::text) {
    return cli::print("removed " + std::to_string(collected.blobs) + " blobs (" +
                      size_text(collected.bytes) + ") and " + std::to_string(collected.layers) +
                      " layers\n");
  }
  JsonWriter json(JsonWriter::Style::two_spaces);
  json.begin_object().field("blobs", collected.blobs).field("bytes", collected.bytes);
  json.field("layers", collected.layers).end_object();
  return cli::print(std::move(json).take() + "\n");
}

}  // namespace onggi::image
