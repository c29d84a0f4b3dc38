// SPDX-License-Identifier: Apache-2.0
// `tags REPOSITORY`: in the registry's order, a line each.
#include "command/remote.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace onggi::image {
namespace {

std::string as_text(const std::vector<std::string>& tags) {
  std::string text;
  for (const std::string& tag : tags) text += tag + "\n";
  return text;
}

std::string as_json(const Reference& image, const std::vector<std::string>& tags) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  const std::string repository = image.registry + "/" + image.repository;
  writer.StartObject();
  writer.Key("repository");
  writer.String(repository.c_str());
  writer.Key("tags");
  writer.StartArray();
  for (const std::string& tag : tags) writer.String(tag.c_str());
  writer.EndArray();
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace

Result<int> tags_command(const Context& context, const RemoteFlags& flags) {
  const Reference image = TRY(parse_remote(context.operands[0]));
  Registries registries(access_options(flags));
  const std::unique_ptr<Access> access = TRY(registries.access(image));
  const std::vector<std::string> tags = TRY(Registry(*access).tags());
  return cli::print(flags.format == Format::json ? as_json(image, tags) : as_text(tags));
}

}  // namespace onggi::image
