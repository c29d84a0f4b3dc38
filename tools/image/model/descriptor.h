// SPDX-License-Identifier: Apache-2.0
// The values of an image: descriptor, manifest, index, image config (image-spec 1.1). They own
// their strings; `raw` are the bytes as received, of which the digest was made and which are what
// is stored and pushed, with all fields that this program does not know.
#pragma once

#include "model/digest.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace onggi::image {

using Strings = std::vector<std::string>;

// In the document's order.
struct StringMap {
  std::vector<std::pair<std::string, std::string>> entries;
  // Null if there is none; the last one, as other programs take it, if there are several.
  const std::string* find(std::string_view key) const;
};

// The keys of an object that stands for a set: {"/data": {}}.
struct KeySet {
  Strings keys;
};

struct Platform {
  std::string os, architecture, variant, os_version;
};

struct Descriptor {
  std::string media_type;
  Digest digest;
  uint64_t size = 0;
  Strings urls;  // of a foreign layer: to be asked without credentials (CVE-2020-15157)
  StringMap annotations;
  std::string data;  // base64 as it stands; decoded_data() has the bytes
  std::string artifact_type;
  std::optional<Platform> platform;
};

// What `data` embeds, with size and digest checked; nothing if there is none.
Result<std::optional<std::string>> decoded_data(const Descriptor& descriptor);

struct Manifest {
  std::string raw, media_type;
  std::string artifact_type;
  Descriptor config;
  std::vector<Descriptor> layers;
  std::optional<Descriptor> subject;
  StringMap annotations;
  Strings assumptions;  // about what is missing, for the user
};

struct Index {
  std::string raw, media_type;
  std::string artifact_type;
  std::vector<Descriptor> manifests;
  std::optional<Descriptor> subject;
  StringMap annotations;
};

struct ContainerConfig {
  std::string user, working_dir, stop_signal;
  KeySet exposed_ports, volumes;
  Strings env, entrypoint, cmd;
  StringMap labels;
};

struct History {
  std::string created, created_by, author, comment;
  bool empty_layer = false;
};

struct RootFilesystem {
  std::string type;
  std::vector<Digest> diff_ids;
};

struct ImageConfig {
  std::string raw;
  std::string created, author;
  std::string os, architecture, variant, os_version;
  ContainerConfig config;
  RootFilesystem rootfs;
  std::vector<History> history;
};

}  // namespace onggi::image
