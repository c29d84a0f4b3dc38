// SPDX-License-Identifier: Apache-2.0
// `referrers IMAGE`: what is said in the registry about an image: signatures, bills of materials.
#include "base/json_writer.h"
#include "base/utf8.h"
#include "command/remote.h"

namespace onggi::image {
namespace {

std::string as_text(const std::vector<Descriptor>& referrers) {
  std::string text;
  for (const Descriptor& each : referrers) {
    const std::string& type = each.artifact_type.empty() ? each.media_type : each.artifact_type;
    text += each.digest.text() + "  " + printable(type) + "\n";
  }
  return text;
}

std::string as_json(const std::vector<Descriptor>& referrers) {
  JsonWriter json(JsonWriter::Style::two_spaces);
  json.begin_array();
  for (const Descriptor& each : referrers) {
    json.begin_object().field("mediaType", each.media_type).field("digest", each.digest.text());
    json.field("size", each.size);
    if (!each.artifact_type.empty()) json.field("artifactType", each.artifact_type);
    json.key("annotations").begin_object();
    for (const auto& [key, value] : each.annotations.entries) json.field(key, value);
    json.end_object().end_object();
  }
  json.end_array();
  return std::move(json).take() + "\n";
}

}  // namespace

Result<int> referrers_command(const Context& context, const RemoteFlags& flags) {
  const Reference image = TRY(parse_remote(context.operands[0]));
  Registries registries(
      access_options(flags.authfile, flags.plain_http, context.global.stall_seconds));
  const std::unique_ptr<Access> access = TRY(registries.access(image));
  Registry registry(*access);
  Digest subject;
  if (!image.digest.empty()) {
    subject = TRY(Digest::parse(image.digest));
  } else {
    const std::optional<Descriptor> found = TRY(registry.find(image.tag));
    if (!found) {
      return make_error(ErrorKind::state, to_text(image), ": not found in the registry");
    }
    subject = found->digest;
  }
  const auto referrers = TRY(registry.referrers(subject, flags.artifact_type));
  return cli::print(flags.format == Format::json ? as_json(referrers) : as_text(referrers));
}

}  // namespace onggi::image
