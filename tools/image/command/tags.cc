// SPDX-License-Identifier: Apache-2.0
// `tags NAME`: sorted, because old registries do not.
#include "base/json_writer.h"
#include "command/remote.h"

#include <algorithm>

namespace onggi::image {
namespace {

std::string as_text(const std::vector<std::string>& tags) {
  std::string text;
  for (const std::string& tag : tags) text += tag + "\n";
  return text;
}

std::string as_json(const Reference& image, const std::vector<std::string>& tags) {
  JsonWriter json(JsonWriter::Style::two_spaces);
  json.begin_object().field("repository", image.registry + "/" + image.repository);
  json.field("tags", tags).end_object();
  return std::move(json).take() + "\n";
}

}  // namespace

Result<int> tags_command(const Context& context, const RemoteFlags& flags) {
  const Reference image = TRY(parse_remote(context.operands[0]));
  Registries registries(
      access_options(flags.authfile, flags.plain_http, context.global.stall_seconds));
  const std::unique_ptr<Access> access = TRY(registries.access(image));
  std::vector<std::string> tags = TRY(Registry(*access).tags());
  std::ranges::sort(tags);
  return cli::print(flags.format == Format::json ? as_json(image, tags) : as_text(tags));
}

}  // namespace onggi::image
