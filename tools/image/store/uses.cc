// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/uses.h"

#include "base/directory.h"
#include "base/file.h"
#include "base/json_writer.h"
#include "model/json.h"

namespace onggi::image {

namespace {

constexpr size_t kRecordLimit = 64u << 10;

std::string record_of(const std::string& path) {
  return "bundles/" + std::string(digest_of(path).hex()) + ".json";
}

Result<std::vector<std::string>> names_in(const Store& store, const char* directory) {
  const UniqueFd fd = TRY(open_directory(store.directory(), directory));
  DirectoryReader reader(fd.get());
  std::vector<std::string> names;
  for (;;) {
    const DirectoryReader::Entry* entry = TRY(reader.next());
    if (entry == nullptr) return names;
    names.push_back(std::string(directory) + "/" + entry->name());
  }
}

// Nothing if there is no such file: a container that is being made or removed.
Result<std::optional<Use>> read_use(const Store& store, const std::string& record) {
  Result<std::string> text = read_file(store.directory(), record, kRecordLimit);
  if (!text && text.error().errnum == ENOENT) return std::optional<Use>();
  if (!text) return text.error();
  rapidjson::Document json;
  TRY(parse_json_object(text.value(), record, kRecordLimit, json));
  Use use;
  use.record = record;
  use.manifest = TRY_AT(record, Digest::parse(text_member(json, "manifest")));
  use.bundle = text_member(json, "bundle");
  return std::optional(std::move(use));
}

bool exists(const std::string& path) {
  struct statx info = {};
  return sys::statx(AT_FDCWD, path.c_str(), 0, STATX_TYPE, &info) != -ENOENT;
}

Result<std::vector<Use>> bundles(const Store& store) {
  std::vector<Use> found;
  for (const std::string& record : TRY(names_in(store, "bundles"))) {
    if (!record.ends_with(".json")) continue;  // of a write that was broken off
    std::optional<Use> use = TRY(read_use(store, record));
    if (use) found.push_back(std::move(*use));
  }
  return found;
}

}  // namespace

Result<std::vector<Use>> uses(const Store& store) {
  std::vector<Use> found;
  for (Use& use : TRY(bundles(store))) {
    if (exists(use.bundle)) found.push_back(std::move(use));
  }
  for (const std::string& container : TRY(names_in(store, "containers"))) {
    std::optional<Use> use = TRY(read_use(store, container + "/container.json"));
    if (use) found.push_back(std::move(*use));
  }
  return found;
}

Result<> record_bundle(const Store& store, const std::string& path, const Digest& manifest) {
  JsonWriter json;
  json.begin_object().field("bundle", path).field("manifest", manifest.text()).end_object();
  return replace_atomically(store.directory(), record_of(path), std::move(json).take(), 0600);
}

Result<> forget_bundle(const Store& store, const std::string& path) {
  const std::string record = record_of(path);
  const long removed = sys::unlinkat(store.directory(), record.c_str(), 0);
  if (removed < 0 && removed != -ENOENT) return system_error(removed, "unlink", record);
  return {};
}

Result<> forget_gone_bundles(const Store& store) {
  for (const Use& use : TRY(bundles(store))) {
    if (!exists(use.bundle)) TRY(forget_bundle(store, use.bundle));
  }
  return {};
}

}  // namespace onggi::image
