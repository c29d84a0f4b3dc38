// SPDX-License-Identifier: Apache-2.0
// A new image from one that is there: its config with changes, and its layers with more or others.
// What this program does not know of the config stays as it is, in its order.
#pragma once

#include "layer/encoder.h"
#include "store/image.h"
#include "store/layout_writer.h"

#include <rapidjson/document.h>

#include <optional>
#include <string>

namespace onggi::image {

// $SOURCE_DATE_EPOCH, in seconds since 1970; nothing: it is not set. ErrorKind::invalid_config: it
// is no number.
Result<std::optional<int64_t>> source_date_epoch();

class ImageEdit {
 public:
  // `now` is the time of what is new, RFC 3339.
  static Result<ImageEdit> begin(const Image& base, std::string now);

  // The member of config.config, made if it is not there. `json` is a whole value.
  void set(const char* member, const rapidjson::Value& json);
  // {"/data": {}} or {"maintainer": "x"}: one more, or another value of one.
  void put(const char* member, const std::string& key, const rapidjson::Value& json);
  const rapidjson::Value* get(const char* member) const;  // null: not there
  void remove(const char* member);
  void set_author(const std::string& author);
  rapidjson::Document::AllocatorType& allocator() { return config_.GetAllocator(); }

  void add_layer(const LayerBlob& layer);
  // No layer is left, and what made them becomes history that made none.
  void drop_layers();
  // What was done; `is_empty`: without a layer. `created_by` is a command line. Layers of the base
  // without history get some: buildah refuses a history of fewer or more layers than there are.
  void add_history(const std::string& created_by, const std::string& comment, bool is_empty);

  // Config and manifest become blobs; the layers must be there. The value is the manifest's.
  Result<Descriptor> write(const LayoutWriter& layout) const;

 private:
  ImageEdit(rapidjson::Document config, Manifest manifest, std::string now)
      : config_(std::move(config)), manifest_(std::move(manifest)), now_(std::move(now)) {}

  rapidjson::Value& member_of_config(const char* member, rapidjson::Type type);
  void complete_history(size_t layers);
  rapidjson::Value& array_at(const char* pointer);
  std::string manifest_text(const Descriptor& config) const;

  rapidjson::Document config_;
  Manifest manifest_;  // its layers are those of the new image
  std::string now_, author_;
};

}  // namespace onggi::image
