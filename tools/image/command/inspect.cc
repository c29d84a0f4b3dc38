// SPDX-License-Identifier: Apache-2.0
// The JSON form has the documents as they are, so that nothing is lost of fields that this program
// does not know.
#include "command/inspect.h"

#include "base/json_writer.h"
#include "command/image_lookup.h"
#include "command/output.h"
#include "command/remote.h"
#include "store/snapshots.h"
#include "transfer/open_endpoint.h"
#include "transfer/source_image.h"

namespace onggi::image {

namespace {

Result<SourceImage> read_operand(const Context& context, const DocumentFlags& flags) {
  const Platform platform = TRY(platform_or_host(flags.platform));
  const Endpoint endpoint = TRY(parse_endpoint(context.operands[0]));
  std::optional<Store> store;
  if (endpoint.transport == Transport::store)
    store.emplace(TRY(Store::open(context.global.root, LockKind::shared)));
  Registries registries(
      access_options(flags.authfile, flags.plain_http, context.global.stall_seconds));
  const std::unique_ptr<ImageSource> source =
      TRY(open_source(endpoint, {store ? &*store : nullptr, platform, &registries}));
  return read_source_image(*source, platform);
}

const Manifest& manifest_of(const SourceImage& image) {
  return std::get<Manifest>(image.manifest.document);
}

std::string joined(const Strings& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : " ") += word;
  return text;
}

uint64_t size_of(const Manifest& manifest) {
  uint64_t size = manifest.config.size;
  for (const Descriptor& layer : manifest.layers) size += layer.size;
  return size;
}

void add_config(const ImageConfig& image, std::vector<TableRow>& rows) {
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) rows.push_back({name, value});
  };
  add("platform", platform_text({image.os, image.architecture, image.variant, image.os_version}));
  add("created", image.created);
  add("author", image.author);
  add("entrypoint", joined(image.config.entrypoint));
  add("cmd", joined(image.config.cmd));
  add("workdir", image.config.working_dir);
  add("user", image.config.user);
  add("stop signal", image.config.stop_signal);
  for (const std::string& each : image.config.env) add("env", each);
  for (const std::string& each : image.config.exposed_ports.keys) add("port", each);
  for (const std::string& each : image.config.volumes.keys) add("volume", each);
  for (const auto& [key, value] : image.config.labels.entries)
    add("label", std::string(key).append("=").append(value));
}

std::string text_of(const SourceImage& image, std::string_view name) {
  const Manifest& manifest = manifest_of(image);
  std::vector<TableRow> rows = {
      {"name", std::string(name)},
      {"digest", image.named.descriptor.digest.text()},
      {"media type", image.named.descriptor.media_type},
  };
  if (const auto* index = std::get_if<Index>(&image.named.document)) {
    for (const Descriptor& each : index->manifests) {
      rows.push_back({"manifest", each.digest.text() + "  " +
                                      (each.platform ? platform_text(*each.platform) : "-")});
    }
    rows.push_back({"chosen", image.manifest.descriptor.digest.text()});
  }
  rows.push_back({"size", size_text(size_of(manifest))});
  rows.push_back({"config", manifest.config.digest.text()});
  if (!manifest.artifact_type.empty()) rows.push_back({"artifact type", manifest.artifact_type});
  if (image.config) add_config(*image.config, rows);
  for (const Descriptor& layer : manifest.layers) {
    rows.push_back(
        {"layer", layer.digest.text() + "  " + size_text(layer.size) + "  " + layer.media_type});
  }
  return table_text(rows);
}

std::string json_of(const SourceImage& image, std::string_view name) {
  JsonWriter json(JsonWriter::Style::compact);
  json.begin_object().field("name", name).field("digest", image.named.descriptor.digest.text());
  json.field("mediaType", image.named.descriptor.media_type);
  if (const auto* index = std::get_if<Index>(&image.named.document))
    json.key("index").number(index->raw);
  json.field("manifestDigest", image.manifest.descriptor.digest.text());
  json.key("manifest").number(manifest_of(image).raw);
  if (image.config) {
    json.key("config").number(image.config->raw);
    json.key("chainIDs").begin_array();
    for (const Digest& each : chain_ids(image.config->rootfs.diff_ids)) json.value(each.text());
    json.end_array();
  }
  json.end_object();
  return std::move(json).take() + "\n";
}

Result<const ImageConfig*> config_of(const SourceImage& image) {
  if (image.config) return &*image.config;
  return make_error(ErrorKind::invalid_config, "it is an artifact without an image config");
}

// Newest first, as docker shows it. Layers go with the entries that are not empty.
std::vector<TableRow> history_rows(const SourceImage& image, const ImageConfig& config) {
  const std::vector<Descriptor>& layers = manifest_of(image).layers;
  std::vector<TableRow> rows;
  size_t layer = 0;
  for (const History& each : config.history) {
    std::string size = "0 B";
    if (!each.empty_layer && layer < layers.size()) size = size_text(layers[layer++].size);
    rows.insert(rows.begin(), {each.created.empty() ? "-" : each.created, size,
                               each.created_by.empty() ? each.comment : each.created_by});
  }
  rows.insert(rows.begin(), {"CREATED", "SIZE", "CREATED BY"});
  return rows;
}

std::string history_json(const SourceImage& image, const ImageConfig& config) {
  const std::vector<Descriptor>& layers = manifest_of(image).layers;
  JsonWriter json(JsonWriter::Style::two_spaces);
  json.begin_array();
  size_t layer = 0;
  for (const History& each : config.history) {
    json.begin_object().field("created", each.created).field("createdBy", each.created_by);
    json.field("author", each.author).field("comment", each.comment);
    json.field("emptyLayer", each.empty_layer);
    if (!each.empty_layer && layer < layers.size())
      json.field("layer", layers[layer].digest.text()).field("size", layers[layer].size);
    layer += each.empty_layer ? 0 : 1;
    json.end_object();
  }
  json.end_array();
  return std::move(json).take() + "\n";
}

}  // namespace

Result<int> inspect_command(const Context& context, const DocumentFlags& options) {
  const SourceImage image = TRY(read_operand(context, options));
  if (options.raw) {
    return cli::print(std::visit([](const auto& each) -> std::string_view { return each.raw; },
                                 image.named.document));
  }
  if (options.config) return cli::print(TRY(config_of(image))->raw);
  return cli::print(options.format == Format::json ? json_of(image, context.operands[0])
                                                   : text_of(image, context.operands[0]));
}

Result<int> history_command(const Context& context, const DocumentFlags& options) {
  const SourceImage image = TRY(read_operand(context, options));
  const ImageConfig* config = TRY(config_of(image));
  return cli::print(options.format == Format::json ? history_json(image, *config)
                                                   : table_text(history_rows(image, *config)));
}

}  // namespace onggi::image
