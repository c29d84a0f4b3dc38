// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "bundle/container.h"

#include "base/directory.h"
#include "base/file.h"
#include "bundle/container_process.h"

#include <algorithm>

namespace onggi::image {
namespace {

constexpr const char *kNetwork = "network.json", *kAddress = "address", *kPid = "pid";
constexpr size_t kNetworkLimit = 1u << 20, kAddressLimit = 256;

// Of `some`; null: none is among the others.
const PortMapping* first_overlap(const std::vector<PortMapping>& some,
                                 const std::vector<PortMapping>& others) {
  const auto found = std::ranges::find_if(some, [&](const PortMapping& one) {
    return std::ranges::any_of(others,
                               [&](const PortMapping& other) { return overlap(one, other); });
  });
  return found == some.end() ? nullptr : &*found;
}

std::string place_of(const std::string& id) {
  return "containers/" + id;
}

bool has_file(int directory, const char* name) {
  struct statx info = {};
  return sys::statx(directory, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info) == 0;
}

// A directory without a record was being made, or is being removed.
Result<std::optional<ContainerState>> state_of(int containers, const std::string& name) {
  const UniqueFd directory = TRY(open_directory(containers, name));
  Result<ContainerRecord> record = read_record(directory.get());
  if (!record) {
    if (record.error().errnum == ENOENT) return std::optional<ContainerState>();
    return record.error();
  }
  ContainerState state{std::move(record).value(), false, {}};
  const UniqueFd file = TRY(open_lock_file(directory.get()));
  state.is_running = !TRY(try_lock(file.get(), LockKind::shared, "lock"));
  const UniqueFd exit = TRY(open_exit_file(directory.get()));
  if (!state.is_running) state.exit = TRY(read_exit(exit.get()));
  // Without its runner it may still run.
  if (!state.is_running && !state.exit && has_file(directory.get(), kPid)) {
    const Result<std::optional<ContainerProcess>> process = find_process(state.record);
    state.is_running = process && process.value();
  }
  return std::optional(std::move(state));
}

Error no_such_container(const std::string& id) {
  return with_hint(state_error("no such container: ", id),
                   "use 'onggi-image containers' to list containers");
}

}  // namespace

Result<UniqueFd> open_container_directory(const Store& store, const std::string& id) {
  TRY(check_container_id(id));
  Result<UniqueFd> directory = open_directory(store.directory(), place_of(id));
  if (directory || directory.error().errnum != ENOENT) return directory;
  return no_such_container(id);
}

Result<UniqueFd> open_lock_file(int directory) {
  const long opened = sys::openat(directory, "lock", O_RDWR | O_NOFOLLOW);
  if (opened < 0) return system_error(opened, "open", "lock");
  return UniqueFd(opened);
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
  { const UniqueFd exit = TRY(open_exit_file(directory.get())); }
  TRY(write_record(directory.get(), record));
  return Container(std::move(directory), std::move(lock), store.path() + "/" + place, record);
}

// Who only looks has a shared lock for a moment.
Result<std::optional<Container>> Container::open(const Store& store, const std::string& id) {
  UniqueFd directory = TRY(open_container_directory(store, id));
  ContainerRecord record = TRY(read_record(directory.get()));
  UniqueFd lock = TRY(open_lock_file(directory.get()));
  while (!TRY(try_lock(lock.get(), LockKind::exclusive, "lock"))) {
    if (!TRY(try_lock(lock.get(), LockKind::shared, "lock"))) return std::optional<Container>();
  }
  return std::optional(Container(std::move(directory), std::move(lock),
                                 store.path() + "/" + place_of(id), std::move(record)));
}

Result<> Container::record_exit(int status) const {
  const UniqueFd file = TRY(open_exit_file(directory_.get()));
  return write_exit(file.get(), status);
}

Result<> Container::clear_exit() const {
  const UniqueFd file = TRY(open_exit_file(directory_.get()));
  return onggi::image::clear_exit(file.get());
}

Result<std::optional<ContainerExit>> Container::exit() const {
  const UniqueFd file = TRY(open_exit_file(directory_.get()));
  return read_exit(file.get());
}

std::string Container::last_address() const {
  const Result<std::string> text = read_file(directory_.get(), kAddress, kAddressLimit);
  return text ? text.value() : std::string();
}

Result<AttachedNetwork> Container::connect(const std::string& path) const {
  const Connection connection = connection_named(record_.network);
  if (connection == nullptr) return state_error("unknown network '", record_.network, "'");
  const NetworkRequest request{record_.id, path, directory_.get(), record_.ports};
  // Until it is known, so that its end without us is found.
  if (connection->detach != nullptr) TRY(replace_atomically(directory_.get(), kNetwork, "", 0600));
  AttachedNetwork result = TRY(connection->attach(request));
  Result<> written = {};
  if (connection->detach != nullptr)
    written = replace_atomically(directory_.get(), kNetwork, result.state, 0600);
  if (written) written = replace_atomically(directory_.get(), kAddress, result.address, 0600);
  if (written) return result;
  if (connection->detach != nullptr) (void)connection->detach(request, result.state);
  return written.error();
}

Result<> Container::clean_up(const std::string& path) const {
  Result<> disconnected = {};
  const Connection connection = connection_named(record_.network);
  if (connection != nullptr && connection->detach != nullptr &&
      has_file(directory_.get(), kNetwork)) {
    const NetworkRequest request{record_.id, path.empty() ? network_path_of(record_) : path,
                                 directory_.get(), record_.ports};
    const Result<std::string> result = read_file(directory_.get(), kNetwork, kNetworkLimit);
    disconnected = connection->detach(request, result ? result.value() : "");
    // What is not there cannot be taken back again.
    if (disconnected) (void)sys::unlinkat(directory_.get(), kNetwork, 0);
  }
  const ProgramAnswer answer = TRY(call_runtime(record_, {"delete", "--force"}, {}));
  if (answer.status != 0)
    return state_error(record_.runtime, " cannot delete the container ", record_.id);
  (void)sys::unlinkat(directory_.get(), kPid, 0);
  return disconnected;
}

Result<> Container::remove(const Store& store) const {
  TRY(store.discard(place_of(record_.id)));
  return store.empty_trash();
}

Result<> remove_ended_containers(const Store& store) {
  for (const ContainerState& each : TRY(list_containers(store))) {
    if (each.is_running || !each.record.is_temporary) continue;
    std::optional<Container> container = TRY(Container::open(store, each.record.id));
    if (!container) continue;
    TRY(container->clean_up({}));
    TRY(container->remove(store));
  }
  return {};
}

Result<> free_ports(const Store& store, const std::vector<PortMapping>& ports) {
  if (ports.empty()) return {};
  for (const ContainerState& each : TRY(list_containers(store))) {
    const PortMapping* shared = first_overlap(each.record.ports, ports);
    if (shared == nullptr) continue;
    const std::string& id = each.record.id;
    // One that has a runner holds its ports by itself.
    std::optional<Container> container = TRY(Container::open(store, id));
    if (!container || !has_file(container->directory(), kNetwork)) continue;
    if (each.is_running) {
      return with_hint(
          state_error("the port ", host_side_of(*shared), " is published for the container ", id,
                      ", which runs although its 'onggi-image run' was killed"),
          text<160>("use 'onggi-image delete --force ", id, "' to end it").view());
    }
    TRY(container->clean_up({}));
  }
  return {};
}

Result<ContainerState> find_container(const Store& store, const std::string& id) {
  TRY(check_container_id(id));
  const UniqueFd containers = TRY(open_directory(store.directory(), "containers"));
  Result<std::optional<ContainerState>> state = state_of(containers.get(), id);
  if (state && state.value()) return std::move(*state.value());
  if (!state && state.error().errnum != ENOENT) return state.error();
  return no_such_container(id);
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
