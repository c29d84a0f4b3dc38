// SPDX-License-Identifier: Apache-2.0
// Private to onggi and to one version of it: whoever wants to know of a container calls `onggi
// state`.
#include "runtime/record_json.h"

#define RAPIDJSON_ASSERT(x) ((x) ? void() : __builtin_abort())
#include "base/json_writer.h"

#include <rapidjson/document.h>

namespace onggi {
namespace {

using Value = rapidjson::Value;

Error damaged(const char* what) {
  return state_error(what);
}

const Value* find(const Value& object, const char* name) {
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

Result<std::string> text_of(const Value& object, const char* name) {
  const Value* value = find(object, name);
  if (value == nullptr || !value->IsString()) return damaged(name);
  return std::string(value->GetString(), value->GetStringLength());
}

Result<uint64_t> number_of(const Value& object, const char* name) {
  const Value* value = find(object, name);
  if (value == nullptr || !value->IsUint64()) return damaged(name);
  return value->GetUint64();
}

Result<bool> bool_of(const Value& object, const char* name) {
  const Value* value = find(object, name);
  if (value == nullptr || !value->IsBool()) return damaged(name);
  return value->GetBool();
}

Result<std::vector<std::string>> texts_of(const Value& object, const char* name) {
  const Value* list = find(object, name);
  if (list == nullptr || !list->IsArray()) return damaged(name);
  std::vector<std::string> texts;
  for (const Value& entry : list->GetArray()) {
    if (!entry.IsString()) return damaged(name);
    texts.emplace_back(entry.GetString(), entry.GetStringLength());
  }
  return texts;
}

Result<cgroups::Group> read_group(const Value& document) {
  const Value* list = find(document, "cgroup");
  if (list == nullptr || !list->IsArray()) return damaged("cgroup");
  cgroups::Group group;
  for (const Value& entry : list->GetArray()) {
    if (!entry.IsObject()) return damaged("cgroup");
    cgroups::GroupDirectory directory;
    directory.mount_point = TRY(text_of(entry, "mountPoint"));
    directory.path = TRY(text_of(entry, "path"));
    directory.kept = static_cast<uint32_t>(TRY(number_of(entry, "kept")));
    directory.unified = TRY(bool_of(entry, "unified"));
    directory.freezer = TRY(bool_of(entry, "freezer"));
    group.directories.push_back(std::move(directory));
  }
  return group;
}

Result<Record> parse_record(std::string text) {
  rapidjson::Document document;
  document.ParseInsitu<rapidjson::kParseIterativeFlag>(text.data());
  if (document.HasParseError() || !document.IsObject()) return damaged("not JSON");
  Record record;
  record.id = TRY(text_of(document, "id"));
  record.complete = TRY(bool_of(document, "complete"));
  record.pid = static_cast<int>(TRY(number_of(document, "pid")));
  record.start_time = TRY(number_of(document, "startTime"));
  record.private_pids = TRY(bool_of(document, "privatePids"));
  record.new_keyring = TRY(bool_of(document, "newKeyring"));
  record.later_hooks = TRY(bool_of(document, "laterHooks"));
  record.listener = TRY(bool_of(document, "listener"));
  record.bundle = TRY(text_of(document, "bundle"));
  record.rootfs = TRY(text_of(document, "rootfs"));
  record.created = TRY(text_of(document, "created"));
  record.owner = TRY(text_of(document, "owner"));
  record.cgroup = TRY(read_group(document));
  record.cgroup.owner = cgroup_owner(record);
  record.cgroup.complete = record.complete;
  record.resctrl = TRY(texts_of(document, "resctrl"));
  if (const Value* unit = find(document, "unit")) {
    if (!unit->IsObject()) return damaged("unit");
    record.unit = UnitName{TRY(text_of(*unit, "name")), TRY(bool_of(*unit, "user"))};
  }
  const Value* annotations = find(document, "annotations");
  if (annotations == nullptr || !annotations->IsObject()) return damaged("annotations");
  for (const auto& [name, value] : annotations->GetObject()) {
    if (!value.IsString()) return damaged("annotations");
    record.annotations.emplace_back(name.GetString(), value.GetString());
  }
  return record;
}

}  // namespace

std::string write_record(const Record& record) {
  JsonWriter json;
  json.begin_object()
      .field("id", record.id)
      .field("complete", record.complete)
      .field("pid", static_cast<uint64_t>(record.pid))
      .field("startTime", record.start_time)
      .field("privatePids", record.private_pids)
      .field("newKeyring", record.new_keyring)
      .field("laterHooks", record.later_hooks)
      .field("listener", record.listener)
      .field("bundle", record.bundle)
      .field("rootfs", record.rootfs)
      .field("created", record.created)
      .field("owner", record.owner);
  json.key("cgroup").begin_array();
  for (const cgroups::GroupDirectory& directory : record.cgroup.directories) {
    json.begin_object()
        .field("mountPoint", directory.mount_point)
        .field("path", directory.path)
        .field("kept", directory.kept)
        .field("unified", directory.unified)
        .field("freezer", directory.freezer)
        .end_object();
  }
  json.end_array().field("resctrl", record.resctrl);
  if (record.unit) {
    json.key("unit").begin_object().field("name", record.unit->name);
    json.field("user", record.unit->user).end_object();
  }
  json.key("annotations").begin_object();
  for (const auto& [name, value] : record.annotations) json.field(name, value);
  json.end_object().end_object();
  return std::move(json).take();
}

Error damaged_record(std::string_view file, std::string_view what) {
  return with_hint(state_error(file, " is damaged: ", what),
                   "use delete --force to remove the container");
}

Result<Record> read_record(std::string text, std::string_view file) {
  Result<Record> record = parse_record(std::move(text));
  if (!record) return damaged_record(file, record.error().message.view());
  return record;
}

}  // namespace onggi
