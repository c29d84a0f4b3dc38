// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "command/containers.h"

#include "base/json_writer.h"
#include "bundle/container_watch.h"
#include "process/user_namespace.h"

#include <algorithm>

namespace onggi::image {
namespace {

std::string as_table(const std::vector<ContainerState>& containers) {
  std::string text = "ID             STATUS    CREATED                IMAGE\n";
  for (const ContainerState& each : containers) {
    std::string line = each.record.id;
    line.resize(std::max<size_t>(line.size() + 1, 15), ' ');
    line.append(each.is_running ? "running   " : "stopped   ").append(each.record.created);
    text.append(line).append("   ").append(each.record.image).append("\n");
  }
  return text;
}

std::string as_json(const std::vector<ContainerState>& containers) {
  JsonWriter json(JsonWriter::Style::two_spaces);
  json.begin_array();
  for (const ContainerState& each : containers) {
    json.begin_object()
        .field("id", each.record.id)
        .field("status", each.is_running ? "running" : "stopped")
        .field("created", each.record.created)
        .field("image", each.record.image)
        .field("manifest", each.record.manifest)
        .field("runtime", each.record.runtime)
        .field("ports", texts_of(each.record.ports));
    if (each.exit)
      json.field("exitStatus", each.exit->status).field("finished", each.exit->finished);
    json.end_object();
  }
  json.end_array();
  return std::move(json).take() + "\n";
}

std::string ids(const std::vector<ContainerState>& containers) {
  std::string text;
  for (const ContainerState& each : containers) text.append(each.record.id).append("\n");
  return text;
}

// Its runner cleans up, unless it was killed.
Result<> end_container(const ContainerWatch& watch) {
  const std::optional<ContainerProcess> process = TRY(watch.process());
  if (process) {
    const ProgramAnswer answer = TRY(call_runtime(watch.record(), {"kill"}, {"KILL"}));
    if (answer.status != 0)
      return state_error(watch.record().runtime, " cannot stop the container");
  } else if (TRY(watch.is_starting())) {
    return with_hint(state_error("the container is starting"), "try again when it runs");
  }
  TRY(watch.wait());
  return {};
}

}  // namespace

Result<int> containers_command(const Context& context, const ContainersOptions& options) {
  TRY(enter_user_namespace());
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  const std::vector<ContainerState> containers = TRY(list_containers(store));
  if (options.quiet) return cli::print(ids(containers));
  return cli::print(options.format == Format::json ? as_json(containers) : as_table(containers));
}

Result<int> delete_command(const Context& context, const DeleteOptions& options) {
  const std::string id(context.operands[0]);
  std::optional<ContainerWatch> watch;
  {
    const Store store = TRY(Store::open(context.global.root, LockKind::shared));
    watch.emplace(TRY(ContainerWatch::open(store, id)));
  }
  const bool is_running = TRY(watch->has_runner()) || TRY(watch->process());
  if (is_running && !options.force)
    return with_hint(state_error("the container is running"), "use --force to stop it first");
  // Nobody waits for the store while this one does for the container.
  if (is_running) TRY(end_container(*watch));
  TRY(enter_user_namespace());
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  Result<std::optional<Container>> ended = Container::open(store, id);
  if (!ended && is_running) return 0;  // removed by the one who ran it
  const std::optional<Container> container = TRY(std::move(ended));
  if (!container) return state_error("the container did not stop");
  TRY(container->clean_up({}));
  TRY(container->remove(store));
  return 0;
}

}  // namespace onggi::image
