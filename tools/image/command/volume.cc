// SPDX-License-Identifier: Apache-2.0
// A volume is in use as long as a container is on record that mounts it, running or not. What
// removes volumes has the store for itself, so that no container is being made meanwhile.
#include "command/volume.h"

#include "base/directory.h"
#include "base/file.h"
#include "base/json_writer.h"
#include "bundle/container.h"
#include "command/output.h"
#include "process/user_namespace.h"

#include <algorithm>
#include <map>

namespace onggi::image {
namespace {

// Names, each with the containers that mount it.
using Volumes = std::map<std::string, std::vector<std::string>>;

Result<Volumes> find_volumes(const Store& store) {
  Volumes volumes;
  const UniqueFd directory = TRY(open_directory(store.directory(), "volumes"));
  DirectoryReader reader(directory.get());
  for (;;) {
    const DirectoryReader::Entry* entry = TRY(reader.next());
    if (entry == nullptr) break;
    // Those with a dot are being made.
    const std::string name = entry->name();
    if (!name.starts_with('.')) volumes[name];
  }
  for (const ContainerState& container : TRY(list_containers(store))) {
    for (const std::string& name : container.record.volumes) {
      const auto found = volumes.find(name);
      if (found != volumes.end()) found->second.push_back(container.record.id);
    }
  }
  return volumes;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

Error no_such_volume(std::string_view name) {
  return with_hint(state_error("no such volume: ", name),
                   "use 'onggi-image volume ls' to list volumes");
}

Result<int> list(const Volumes& volumes, bool quiet) {
  if (quiet) {
    std::string names;
    for (const auto& [name, users] : volumes) names.append(name).append("\n");
    return cli::print(names);
  }
  std::vector<TableRow> rows = {{"NAME", "CONTAINERS"}};
  for (const auto& [name, users] : volumes) rows.push_back({name, joined(users)});
  return cli::print(table_text(rows));
}

Result<int> inspect(const Store& store, const Volumes& volumes, cli::Arguments names) {
  JsonWriter json(JsonWriter::Style::two_spaces);
  json.begin_array();
  for (std::string_view each : names) {
    const auto found = volumes.find(std::string(each));
    if (found == volumes.end()) return no_such_volume(each);
    json.begin_object()
        .field("name", found->first)
        .field("mountpoint", store.path() + "/volumes/" + found->first)
        .field("containers", found->second)
        .end_object();
  }
  json.end_array();
  return cli::print(std::move(json).take() + "\n");
}

Result<int> remove(const Store& store, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    TRY(store.discard("volumes/" + name));
    TRY(cli::print(name + "\n"));
  }
  TRY(store.empty_trash());
  return 0;
}

// All of them are looked at before the first is removed.
Result<std::vector<std::string>> removable(const Volumes& volumes, cli::Arguments names,
                                           bool force) {
  std::vector<std::string> chosen;
  for (std::string_view each : names) {
    const auto found = volumes.find(std::string(each));
    if (found == volumes.end() && force) continue;
    if (found == volumes.end()) return no_such_volume(each);
    if (!found->second.empty()) {
      return with_hint(
          state_error("the volume ", each, " is in use by the container ", found->second.front()),
          "delete the container first");
    }
    if (std::ranges::find(chosen, each) == chosen.end()) chosen.emplace_back(each);
  }
  return chosen;
}

Result<int> prune(const Store& store, const Volumes& volumes, bool force) {
  std::vector<std::string> unused;
  for (const auto& [name, users] : volumes) {
    if (users.empty()) unused.push_back(name);
  }
  if (unused.empty() || force) return remove(store, unused);
  return with_hint(state_error("this would remove ", unused.size(),
                               " volumes with all their files: ", joined(unused)),
                   "add --force to remove them");
}

struct Action {
  std::string_view name;
  bool takes_names, changes;
};
constexpr Action kActions[] = {
    {"ls", false, false}, {"inspect", true, false}, {"rm", true, true}, {"prune", false, true}};

}  // namespace

Result<int> volume_command(const Context& context, const VolumeOptions& options) {
  const std::string_view asked = context.operands[0] == "list" ? "ls" : context.operands[0];
  const auto* action = std::ranges::find(kActions, asked, &Action::name);
  if (action == std::end(kActions)) {
    return with_hint(make_error(ErrorKind::invalid_config, "unknown action '", asked, "'"),
                     "use ls, inspect, rm or prune; a volume is made by run --volume NAME:DIR");
  }
  const cli::Arguments names = context.operands.subspan(1);
  if (action->takes_names == names.empty()) {
    return make_error(ErrorKind::invalid_config, "volume ", asked,
                      action->takes_names ? " requires the name of a volume" : " takes no names");
  }
  TRY(enter_user_namespace());
  const LockKind kind = action->changes ? LockKind::exclusive : LockKind::shared;
  const Store store = TRY(Store::open(context.global.root, kind));
  const Volumes volumes = TRY(find_volumes(store));
  if (asked == "ls") return list(volumes, options.quiet);
  if (asked == "inspect") return inspect(store, volumes, names);
  if (asked == "prune") return prune(store, volumes, options.force);
  const std::vector<std::string> chosen = TRY(removable(volumes, names, options.force));
  return remove(store, chosen);
}

}  // namespace onggi::image
