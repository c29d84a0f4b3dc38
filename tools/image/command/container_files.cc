// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "command/container_files.h"

#include "base/file.h"
#include "model/json.h"
#include "process/user_namespace.h"
#include "store/contents.h"

#include <rapidjson/pointer.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <unistd.h>

namespace onggi::image {
namespace {

constexpr size_t kConfigFileLimit = 16u << 20;
constexpr const char* kConfig = "config.json";

}  // namespace

Result<Image> image_of_container(const Store& store, const ContainerRecord& record) {
  const Layout layout = TRY(store.read());
  const Digest digest = TRY(Digest::parse(record.manifest));
  std::optional<Contents> contents = TRY(contents_of(layout, digest));
  if (!contents || contents->manifests.empty() || !contents->manifests.front().config)
    return state_error("the image of the container is no longer in the store");
  StoredManifest& stored = contents->manifests.front();
  return Image{stored.descriptor, std::move(stored.manifest), std::move(*stored.config)};
}

Result<rapidjson::Document> runtime_config(int container) {
  const std::string text = TRY(read_file(container, kConfig, kConfigFileLimit));
  rapidjson::Document json;
  TRY(parse_json_object(text, kConfig, kConfigFileLimit, json));
  return json;
}

Result<> write_runtime_config(int container, const rapidjson::Document& config) {
  rapidjson::StringBuffer text;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(text);
  writer.SetIndent('\t', 1);
  config.Accept(writer);
  return replace_atomically(container, kConfig,
                            std::string(text.GetString(), text.GetSize()) + "\n", 0600);
}

Result<std::string> stop_signal_of(int container) {
  const rapidjson::Document config = TRY(runtime_config(container));
  const rapidjson::Value* annotations = member_of(config, "annotations");
  if (annotations == nullptr || !annotations->IsObject()) return std::string();
  return std::string(text_member(*annotations, "org.opencontainers.image.stopSignal"));
}

Result<> settle(const std::string& root, const std::string& id,
                const std::optional<ContainerExit>& exit) {
  TRY(enter_user_namespace());
  const Store store = TRY(Store::open(root, LockKind::shared));
  return settle_ended(store, id, exit);
}

}  // namespace onggi::image
