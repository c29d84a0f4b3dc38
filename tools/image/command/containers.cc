// SPDX-License-Identifier: Apache-2.0
// A container that runs belongs to the process that runs it: to end it is to ask that process.
#include "command/containers.h"

#include "base/file.h"
#include "base/json_writer.h"
#include "bundle/container.h"
#include "process/user_namespace.h"

#include <unistd.h>

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
        .field("ports", each.record.ports)
        .end_object();
  }
  json.end_array();
  return std::move(json).take() + "\n";
}

std::string ids(const std::vector<ContainerState>& containers) {
  std::string text;
  for (const ContainerState& each : containers) text.append(each.record.id).append("\n");
  return text;
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
  TRY(enter_user_namespace());
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  const std::string id(context.operands[0]);
  std::optional<Container> container = TRY(Container::open(store, id));
  if (!container && !options.force)
    return with_hint(state_error("the container is running"), "use --force to stop it first");
  if (!container) {
    TRY(end_container(store, id));
    Result<std::optional<Container>> ended = Container::open(store, id);
    if (!ended) return 0;  // removed by the one who ran it
    container = std::move(ended).value();
    if (!container) return state_error("the container did not stop");
  }
  TRY(container->clean_up({}));
  TRY(container->remove(store));
  return 0;
}

Result<int> logs_command(const Context& context, const NoOptions&) {
  TRY(enter_user_namespace());
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  const std::string id(context.operands[0]);
  TRY(check_container_id(id));
  const std::string path = "containers/" + id + "/log";
  const long opened = sys::openat(store.directory(), path.c_str(), O_RDONLY | O_NOFOLLOW);
  if (opened == -ENOENT) {
    return with_hint(state_error("the container has no log"),
                     "only containers started with run --detach have a log");
  }
  if (opened < 0) return system_error(opened, "open", path);
  const UniqueFd log(opened);
  std::vector<char> buffer(64u << 10);
  for (;;) {
    const long size = sys::read(log.get(), buffer.data(), buffer.size());
    if (size < 0) return system_error(size, "read", path);
    if (size == 0) return 0;
    TRY(write_all(STDOUT_FILENO, "standard output", {buffer.data(), static_cast<size_t>(size)}));
  }
}

}  // namespace onggi::image
