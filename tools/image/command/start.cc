// SPDX-License-Identifier: Apache-2.0
// A container that has ended runs again with the config.json that it had: only its network is new.
#include "base/file.h"
#include "base/split.h"
#include "bundle/mounted_image.h"
#include "command/container_files.h"
#include "command/lifecycle.h"
#include "command/runner.h"
#include "model/json.h"
#include "process/user_namespace.h"

#include <rapidjson/pointer.h>

namespace onggi::image {
namespace {

constexpr size_t kHostsLimit = 1u << 20;

bool has_terminal(const rapidjson::Document& config) {
  const rapidjson::Value* terminal = rapidjson::Pointer("/process/terminal").Get(config);
  return terminal != nullptr && terminal->IsTrue();
}

// A namespace that is joined by a path is the one that was made for it.
void set_network_path(rapidjson::Document& config, const std::string& path) {
  rapidjson::Value* namespaces = rapidjson::Pointer("/linux/namespaces").Get(config);
  if (namespaces == nullptr || !namespaces->IsArray()) return;
  for (auto& each : namespaces->GetArray()) {
    if (text_member(each, "type") != "network" || member_of(each, "path") == nullptr) continue;
    each["path"].SetString(path.c_str(), config.GetAllocator());
  }
}

// Its own name there, and nothing else that is in the file by now.
Result<> move_in_hosts(const Container& container, const std::string& from, const std::string& to) {
  if (from.empty() || to.empty() || from == to) return {};
  const Result<std::string> text = read_file(container.directory(), "hosts", kHostsLimit);
  if (!text && text.error().errnum == ENOENT) return {};
  if (!text) return text.error();
  std::string changed;
  for (std::string_view line : lines_of(text.value())) {
    const bool is_own = line.starts_with(from + "\t");
    if (is_own) line.remove_prefix(from.size());
    changed.append(is_own ? to : "").append(line).append("\n");
  }
  return replace_atomically(container.directory(), "hosts", changed, 0644);
}

Result<> make_ready(Runner& runner, rapidjson::Document& config) {
  const Container& container = runner.container();
  const std::string before = container.last_address();
  TRY(runner.connect());
  if (runner.network_path().empty()) return {};
  TRY(move_in_hosts(container, before, runner.address()));
  set_network_path(config, runner.network_path());
  return write_runtime_config(container.directory(), config);
}

struct Prepared {
  Container container;
  HeldPorts ports;
};

// What an earlier run, whose runner was killed, may have left is taken back first.
Result<Prepared> prepare(const Context& context, const std::string& id) {
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  std::optional<Container> container = TRY(Container::open(store, id));
  if (!container) return state_error("the container is running");
  if (container->record().is_temporary) {
    return with_hint(state_error("the container was run with --rm, so its files may be incomplete"),
                     "use 'onggi-image delete' to remove it");
  }
  if (!TRY(container->exit())) TRY(container->clean_up({}));
  const ContainerRecord& record = container->record();
  std::vector<PortRequest> requests;
  for (const PortMapping& port : record.ports) requests.push_back(request_for(port));
  HeldPorts ports = TRY(hold_ports(store, connection_named(record.network), requests));
  const Image image = TRY(image_of_container(store, container->record()));
  const Snapshots snapshots(store);
  const Layout layout = TRY(store.read());
  TRY(snapshots.make(layout, image, context.global.limits));
  TRY(attach_image(snapshots, image, {container->directory(), true}));
  TRY(container->clear_exit());
  return Prepared{std::move(*container), std::move(ports)};
}

Result<int> run_again(const Context& context, const StartOptions& options, int started) {
  TRY(leave_mount_namespace());
  Prepared prepared = TRY(prepare(context, std::string(context.operands[0])));
  Container& container = prepared.container;
  rapidjson::Document config = TRY(runtime_config(container.directory()));
  RunnerCall call;
  call.root = context.global.root;
  call.connection = connection_named(container.record().network);
  call.ports = std::move(prepared.ports);
  call.is_terminal = has_terminal(config);
  call.reads_input = options.interactive;
  call.started = started;
  Runner runner(std::move(container), std::move(call));
  const Result<> ready = make_ready(runner, config);
  return runner.run(ready);
}

// It runs already, with or without its runner.
Result<bool> is_running(const Context& context) {
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  const ContainerWatch watch = TRY(ContainerWatch::open(store, std::string(context.operands[0])));
  if (TRY(watch.has_runner())) return true;
  const std::optional<ContainerProcess> process = TRY(watch.process());
  return process.has_value();
}

}  // namespace

Result<int> start_command(const Context& context, const StartOptions& options) {
  if (options.interactive && !options.attach) {
    return with_hint(make_error(ErrorKind::invalid_config, "--interactive requires --attach"),
                     "add --attach, or remove --interactive");
  }
  if (TRY(is_running(context))) {
    if (!options.attach) return cli::print(std::string(context.operands[0]) + "\n");
    return with_hint(state_error("the container is running"),
                     "use 'onggi-image logs --follow' to see its output");
  }
  TRY(enter_user_namespace());
  if (options.attach) return run_again(context, options, -1);
  const BackgroundFork forked = TRY(fork_to_background());
  return forked.status ? Result<int>(*forked.status) : run_again(context, options, forked.started);
}

}  // namespace onggi::image
