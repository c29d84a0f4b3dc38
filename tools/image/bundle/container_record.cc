// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "bundle/container_record.h"

#include "base/file.h"
#include "base/json_writer.h"
#include "base/utc.h"
#include "model/json.h"
#include "process/random.h"

namespace onggi::image {
namespace {

constexpr size_t kRecordLimit = 64u << 10, kLongestId = 64;
constexpr const char *kRecord = "container.json", *kExit = "exit";

struct TextField {
  const char* name;
  std::string ContainerRecord::*member;
};
constexpr TextField kTextFields[] = {
    {"id", &ContainerRecord::id},
    {"image", &ContainerRecord::image},
    {"manifest", &ContainerRecord::manifest},
    {"created", &ContainerRecord::created},
    {"runtime", &ContainerRecord::runtime},
    {"network", &ContainerRecord::network},
    {"stopTimeout", &ContainerRecord::stop_timeout},
};
struct FlagField {
  const char* name;
  bool ContainerRecord::*member;
};
constexpr FlagField kFlagFields[] = {
    {"isTemporary", &ContainerRecord::is_temporary},
};

struct ListField {
  const char* name;
  std::vector<std::string> ContainerRecord::*member;
};
constexpr ListField kListFields[] = {
    {"volumes", &ContainerRecord::volumes},
};

Result<std::vector<PortMapping>> read_ports(const rapidjson::Document& json) {
  std::vector<PortMapping> all;
  const rapidjson::Value* list = member_of(json, "ports");
  if (list == nullptr || !list->IsArray()) return all;
  for (const auto& each : list->GetArray()) {
    if (!each.IsString()) continue;
    const std::vector<PortMapping> ports =
        TRY(parse_mappings({each.GetString(), each.GetStringLength()}));
    all.insert(all.end(), ports.begin(), ports.end());
  }
  return all;
}

std::string record_text(const ContainerRecord& record) {
  JsonWriter json(JsonWriter::Style::two_spaces);
  json.begin_object();
  for (const TextField& field : kTextFields) json.field(field.name, record.*field.member);
  for (const FlagField& field : kFlagFields) json.field(field.name, record.*field.member);
  for (const ListField& field : kListFields) json.field(field.name, record.*field.member);
  json.field("ports", texts_of(record.ports)).end_object();
  return std::move(json).take() + "\n";
}

}  // namespace

Result<ContainerRecord> read_record(int directory) {
  const std::string text = TRY(read_file(directory, kRecord, kRecordLimit));
  rapidjson::Document json;
  TRY(parse_json_object(text, kRecord, kRecordLimit, json));
  ContainerRecord record;
  for (const TextField& field : kTextFields) record.*field.member = text_member(json, field.name);
  for (const FlagField& field : kFlagFields) {
    const rapidjson::Value* value = member_of(json, field.name);
    record.*field.member = value != nullptr && value->IsTrue();
  }
  // Of a version that had CNI alone.
  const rapidjson::Value* on_bridge = member_of(json, "onBridge");
  if (on_bridge != nullptr && on_bridge->IsTrue()) record.network = "cni";
  record.ports = TRY(read_ports(json));
  for (const ListField& field : kListFields) {
    const rapidjson::Value* list = member_of(json, field.name);
    if (list == nullptr || !list->IsArray()) continue;
    for (const auto& each : list->GetArray()) {
      if (each.IsString())
        (record.*field.member).emplace_back(each.GetString(), each.GetStringLength());
    }
  }
  return record;
}

Result<> write_record(int directory, const ContainerRecord& record) {
  return replace_atomically(directory, kRecord, record_text(record), 0600);
}

Result<UniqueFd> open_exit_file(int directory) {
  const long opened = sys::openat(directory, kExit, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  if (opened < 0) return system_error(opened, "open", kExit);
  return UniqueFd(opened);
}

Result<std::optional<ContainerExit>> read_exit(int file) {
  char bytes[128];
  const long size = sys::pread(file, bytes, sizeof bytes, 0);
  if (size < 0) return system_error(size, "read", kExit);
  const std::string_view text(bytes, static_cast<size_t>(size));
  const size_t space = text.find(' '), end = text.find('\n');
  if (space == text.npos || end == text.npos) return std::optional<ContainerExit>();
  const std::optional<int> status = parse_decimal<int>(text.substr(0, space));
  if (!status) return std::optional<ContainerExit>();
  return std::optional(
      ContainerExit{*status, std::string(text.substr(space + 1, end - space - 1))});
}

Result<> write_exit(int file, int status) {
  const std::string text = std::to_string(status) + " " + utc_now(Precision::seconds) + "\n";
  const long written = sys::retry(SYS_pwrite64, file, text.data(), text.size(), 0L);
  if (written < 0) return system_error(written, "write", kExit);
  return {};
}

Result<> clear_exit(int file) {
  const long cut = sys::call(SYS_ftruncate, file, 0L);
  if (cut < 0) return system_error(cut, "truncate", kExit);
  return {};
}

Result<> check_container_id(std::string_view id) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const bool right = !id.empty() && id.size() <= kLongestId && kLetters.find(id[0]) != id.npos &&
                     id.find_first_not_of(std::string(kLetters) + "_.+-") == id.npos;
  if (right) return {};
  return with_hint(make_error(ErrorKind::invalid_config, "'", id, "' is not a valid container ID"),
                   "use letters, digits and _.+-, starting with a letter or digit");
}

std::string random_container_id() {
  std::string id;
  for (uint64_t number = random_number(); id.size() < 12; number >>= 4)
    id += "0123456789abcdef"[number & 15];
  return id;
}

}  // namespace onggi::image
