// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "command/gc.h"

#include "base/json_writer.h"
#include "command/output.h"
#include "process/user_namespace.h"

namespace onggi::image {

Result<Collected> collect(const std::string& root) {
  const Store store = TRY(Store::open(root, LockKind::exclusive));
  return collect_garbage(store);
}

Result<int> gc_command(const Context& context, const GcOptions& options) {
  TRY(enter_user_namespace());
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
