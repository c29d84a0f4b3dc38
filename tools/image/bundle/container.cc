// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "bundle/container.h"

#include "base/directory.h"
#include "base/file.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "model/json.h"
#include "process/program.h"
#include "process/random.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace onggi::image {
namespace {

constexpr size_t kRecordLimit = 64u << 10, kLongestId = 64;
constexpr const char *kRecord = "container.json", *kNetwork = "network.json";
constexpr size_t kNetworkLimit = 1u << 20;

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
  json.field("ports", record.ports).end_object();
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
  const rapidjson::Value* ports = member_of(json, "ports");
  if (ports != nullptr && ports->IsArray()) {
    for (const auto& port : ports->GetArray()) {
      if (port.IsString()) record.ports.emplace_back(port.GetString(), port.GetStringLength());
    }
  }
  return record;
}

Result<NetworkRequest> network_request(const ContainerRecord& record, const std::string& path) {
  NetworkRequest request{record.id, path, {}};
  for (const std::string& text : record.ports) {
    const std::vector<PortMapping> ports = TRY(parse_ports(text));
    request.ports.insert(request.ports.end(), ports.begin(), ports.end());
  }
  return request;
}

Result<ProgramAnswer> call_runtime(const ContainerRecord& record,
                                   std::initializer_list<const char*> words, bool is_quiet) {
  ProgramCall call;
  call.arguments = runtime_command(record.runtime);
  call.arguments.insert(call.arguments.end(), words.begin(), words.end());
  call.arguments.push_back(record.id);
  call.is_quiet = is_quiet;
  return call_program(call);
}

// Empty: it is not there any more. The plugins take a bridge's rules back only with the interface.
std::string network_path_of_running(const ContainerRecord& record) {
  const Result<ProgramAnswer> answer = call_runtime(record, {"state"}, true);
  rapidjson::Document json;
  if (!answer || answer.value().status != 0 ||
      !parse_json_object(answer.value().output, "state", kRecordLimit, json))
    return {};
  const rapidjson::Value* pid = member_of(json, "pid");
  if (pid == nullptr || !pid->IsInt() || pid->GetInt() <= 0) return {};
  return "/proc/" + std::to_string(pid->GetInt()) + "/ns/net";
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
    return with_hint(state_error("container ", record.id, " already exists"),
                     "use 'onggi-image delete' to remove it");
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
    return with_hint(state_error("no such container: ", id),
                     "use 'onggi-image containers' to list containers");
  }
  ContainerRecord record = TRY(read_record(directory->get()));
  UniqueFd lock = TRY(open_lock_file(directory->get()));
  if (!TRY(try_lock(lock.get(), LockKind::exclusive, "lock"))) return std::optional<Container>();
  return std::optional(Container(std::move(directory).value(), std::move(lock),
                                 store.path() + "/" + place, std::move(record)));
}

Result<NetworkResult> Container::connect(const std::string& path) const {
  const NetworkRequest request = TRY(network_request(record_, path));
  NetworkResult result = TRY(attach_network(request));
  const Result<> written = replace_atomically(directory_.get(), kNetwork, result.text, 0600);
  if (written) return result;
  (void)detach_network(request, result.text);
  return written.error();
}

Result<> Container::clean_up(const std::string& path) const {
  Result<> disconnected = {};
  if (record_.on_bridge) {
    const NetworkRequest request =
        TRY(network_request(record_, path.empty() ? network_path_of_running(record_) : path));
    const Result<std::string> result = read_file(directory_.get(), kNetwork, kNetworkLimit);
    disconnected = detach_network(request, result ? result.value() : "");
    // What is not there cannot be taken back again.
    if (disconnected) (void)sys::unlinkat(directory_.get(), kNetwork, 0);
  }
  const ProgramAnswer answer = TRY(call_runtime(record_, {"delete", "--force"}, false));
  if (answer.status != 0)
    return state_error(record_.runtime, " cannot delete the container ", record_.id);
  return disconnected;
}

Result<> Container::remove(const Store& store) const {
  TRY(store.discard(place_of(record_.id)));
  return store.empty_trash();
}

Result<> end_container(const Store& store, const std::string& id) {
  TRY(check_container_id(id));
  const UniqueFd directory = TRY(open_directory(store.directory(), place_of(id)));
  const ContainerRecord record = TRY(read_record(directory.get()));
  const UniqueFd file = TRY(open_lock_file(directory.get()));
  ProgramCall call;
  call.arguments = runtime_command(record.runtime);
  for (const std::string& word : {std::string("kill"), id, std::string("KILL")})
    call.arguments.push_back(word);
  const ProgramAnswer answer = TRY(call_program(call));
  if (answer.status != 0) return state_error(record.runtime, " cannot stop the container ", id);
  // The lock goes with the runner.
  return lock(file.get(), LockKind::shared, "lock");
}

Result<> remove_ended_containers(const Store& store) {
  for (const ContainerState& each : TRY(list_containers(store))) {
    if (each.is_running || !each.record.is_temporary) continue;
    std::optional<Container> container = TRY(Container::open(store, each.record.id));
    // Its runner was killed, but it was not: `delete` ends it, if its user wants that.
    if (!container || !network_path_of_running(each.record).empty()) continue;
    TRY(container->clean_up({}));
    TRY(container->remove(store));
  }
  return {};
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
