// SPDX-License-Identifier: Apache-2.0
// An image whose documents are damaged is listed all the same.
#include "command/list.h"

#include "base/json_writer.h"
#include "base/log.h"
#include "command/output.h"
#include "model/platform.h"
#include "store/contents.h"

#include <algorithm>

namespace onggi::image {

namespace {

struct Line {
  StoredImage image;
  std::vector<std::string> platforms;
  uint64_t size = 0;
  std::string created;
  bool is_damaged = false;
};

Line line_of(const Layout& layout, const StoredImage& image) {
  Line line;
  line.image = image;
  const Result<Contents> contents = contents_of(layout, image.descriptor);
  if (!contents) {
    line.is_damaged = true;
    return line;
  }
  line.size = contents.value().size();
  for (const StoredManifest& each : contents.value().manifests) {
    if (!each.config || is_attestation(each.descriptor)) continue;
    const ImageConfig& config = *each.config;
    line.platforms.push_back(
        platform_text({config.os, config.architecture, config.variant, config.os_version}));
    line.created = std::max(line.created, config.created);
  }
  return line;
}

std::string text_of(const std::vector<Line>& lines) {
  std::vector<TableRow> rows = {{"NAME", "DIGEST", "PLATFORMS", "SIZE", "CREATED"}};
  for (const Line& line : lines) {
    std::string platforms;
    for (const std::string& each : line.platforms)
      platforms.append(platforms.empty() ? "" : ",") += each;
    const auto shown = [](const std::string& text) { return text.empty() ? "-" : text; };
    rows.push_back({shown(line.image.name),
                    std::string(line.image.descriptor.digest.hex().substr(0, 12)),
                    line.is_damaged ? "(damaged)" : shown(platforms), size_text(line.size),
                    shown(line.created.substr(0, std::min(line.created.find('.'), size_t{19})))});
  }
  return table_text(rows);
}

std::string json_of(const std::vector<Line>& lines) {
  JsonWriter json(JsonWriter::Style::two_spaces);
  json.begin_array();
  for (const Line& line : lines) {
    json.begin_object();
    json.field("name", line.image.name).field("digest", line.image.descriptor.digest.text());
    json.field("mediaType", line.image.descriptor.media_type);
    json.field("platforms", line.platforms).field("size", line.size);
    json.field("created", line.created).field("damaged", line.is_damaged);
    json.end_object();
  }
  json.end_array();
  return std::move(json).take() + "\n";
}

std::string names_of(const std::vector<StoredImage>& images) {
  std::string text;
  for (const StoredImage& each : images)
    text += (each.name.empty() ? each.descriptor.digest.text() : each.name) + "\n";
  return text;
}

}  // namespace

Result<int> list_command(const Context& context, const ListOptions& options) {
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  std::vector<StoredImage> images = TRY(store.images());
  std::ranges::sort(images, {}, &StoredImage::name);
  if (options.quiet) return cli::print(names_of(images));
  const Layout layout = TRY(store.read());
  std::vector<Line> lines;
  lines.reserve(images.size());
  for (const StoredImage& each : images) lines.push_back(line_of(layout, each));
  return cli::print(options.format == Format::json ? json_of(lines) : text_of(lines));
}

}  // namespace onggi::image
