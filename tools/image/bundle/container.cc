// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "bundle/container.h"

#include "base/directory.h"
#include "base/file.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "model/json.h"
#include "process/program.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace onggi::image {
namespace {

constexpr size_t kRecordLimit = 64 * 1024, kLongestId = 64;
constexpr const char* kRecord = "container.json";

struct TextField {
  const char* name;
  std::string ContainerRecord::*member;
};
constexpr TextField kTextFields[] = {
    {"id", &ContainerRecord::id},           {"image", &ContainerRecord::image},
    {"manifest", &ContainerRecord::manifest}, {"created", &ContainerRecord::created},
    {"runtime", &ContainerRecord::runtime},
};
struct FlagField {
  const char* name;
  bool ContainerRecord::*member;
};
constexpr FlagField kFlagFields[] = {
    {"onBridge", &ContainerRecord::on_bridge},
    {"isTemporary", &ContainerRecord::is_temporary},
};

std::string record_text(const ContainerRecord& record) {
  JsonWriter json(JsonWriter::Style::two_spaces);
  json.begin_object();
  for (const TextField& field : kTextFields) json.field(field.name, record.*field.member);
  for (const FlagField& field : kFlagFields) json.field(field.name, record.*field.member);
  json.end_object();
  return std::move(json).take() + "\n";
}

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
  return record;
}

std::string place_of(const std::string& id) {
  return "containers/" + id;
}

Result<UniqueFd> open_lock_file(int directory) {
  const long opened = sys::openat(directory, "lock", O_RDWR | O_NOFOLLOW);
  if (opened < 0) return system_error(opened, "open", "lock");
  return UniqueFd(opened);
}

// A directory without a record was being made, or is being removed.
Result<std::optional<ContainerState>> state_of(int containers, const std::string& name) {
  const UniqueFd directory = TRY(open_directory(containers, name));
  Result<ContainerRecord> record = read_record(directory.get());
  if (!record) {
    if (record.error().errnum == ENOENT) return std::optional<ContainerState>();
    return record.error();
  }
  ContainerState state{std::move(record).value(), false};
  const UniqueFd file = TRY(open_lock_file(directory.get()));
  state.is_running = !TRY(try_lock(file.get(), LockKind::shared, "lock"));
  return std::optional(std::move(state));
}

}  // namespace

Result<> check_container_id(std::string_view id) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const bool right = !id.empty() && id.size() <= kLongestId &&
                     kLetters.find(id[0]) != id.npos &&
                     id.find_first_not_of(std::string(kLetters) + "_.+-") == id.npos;
  if (right) return {};
  return with_hint(make_error(ErrorKind::invalid_config, "'", id, "' is no container id"),
                   "letters, digits and _.+-, the first a letter or digit");
}

std::string random_container_id() {
  unsigned char bytes[6] = {};
  (void)getrandom(bytes, sizeof bytes, 0);
  std::string id;
  for (unsigned char byte : bytes) {
    id += "0123456789abcdef"[byte >> 4];
    id += "0123456789abcdef"[byte & 15];
  }
  return id;
}

std::vector<std::string> runtime_command(const std::string& runtime) {
  std::vector<std::string> command = {runtime};
  const char* directory = std::getenv("XDG_RUNTIME_DIR");
  // Root in a user namespace of ours may not write to the host root's places.
  if (access("/run", W_OK) != 0 && directory != nullptr && *directory == '/') {
    command.emplace_back("--root");
    command.push_back(std::string(directory) + "/onggi");
  }
  return command;
}

Result<Container> Container::make(const Store& store, const ContainerRecord& record) {
  const std::string place = place_of(record.id);
  const long made = sys::mkdirat(store.directory(), place.c_str(), 0700);
  if (made == -EEXIST) {
    return with_hint(state_error("there is a container ", record.id, " already"),
                     "'onggi-image delete' removes it");
  }
  if (made < 0) return system_error(made, "mkdir", place);
  UniqueFd directory = TRY(open_directory(store.directory(), place));
  UniqueFd lock = TRY(open_locked_file(directory.get(), "lock", LockKind::exclusive));
  for (const char* name : {"upper", "work", "rootfs", "volumes"}) {
    const long failed = sys::mkdirat(directory.get(), name, 0755);
    if (failed < 0) return system_error(failed, "mkdir", name);
  }
  TRY(replace_atomically(directory.get(), kRecord, record_text(record), 0600));
  return Container(std::move(directory), std::move(lock), store.path() + "/" + place, record);
}

Result<std::optional<Container>> Container::open(const Store& store, const std::string& id) {
  TRY(check_container_id(id));
  const std::string place = place_of(id);
  Result<UniqueFd> directory = open_directory(store.directory(), place);
  if (!directory) {
    if (directory.error().errnum != ENOENT) return directory.error();
    return with_hint(state_error("there is no container ", id),
                     "'onggi-image containers' lists them");
  }
  ContainerRecord record = TRY(read_record(directory->get()));
  UniqueFd lock = TRY(open_lock_file(directory->get()));
  if (!TRY(try_lock(lock.get(), LockKind::exclusive, "lock"))) return std::optional<Container>();
  return std::optional(Container(std::move(directory).value(), std::move(lock),
                                 store.path() + "/" + place, std::move(record)));
}

Result<> Container::clean_up() const {
  ProgramCall call;
  call.arguments = runtime_command(record_.runtime);
  for (const char* word : {"delete", "--force"}) call.arguments.emplace_back(word);
  call.arguments.push_back(record_.id);
  const ProgramAnswer answer = TRY(call_program(call));
  if (answer.status != 0)
    return state_error(record_.runtime, " cannot delete the container ", record_.id);
  if (record_.on_bridge) TRY(detach_network({record_.id, {}, {}}));
  return {};
}

Result<> Container::remove(const Store& store) const {
  TRY(store.discard(place_of(record_.id)));
  return store.empty_trash();
}

Result<std::vector<ContainerState>> list_containers(const Store& store) {
  const UniqueFd containers = TRY(open_directory(store.directory(), "containers"));
  DirectoryReader entries(containers.get());
  std::vector<ContainerState> all;
  for (;;) {
    const DirectoryReader::Entry* entry = TRY(entries.next());
    if (entry == nullptr) break;
    std::optional<ContainerState> state = TRY(state_of(containers.get(), entry->name()));
    if (state) all.push_back(std::move(*state));
  }
  std::ranges::sort(all, {}, [](const ContainerState& each) { return each.record.id; });
  return all;
}

}  // namespace onggi::image
