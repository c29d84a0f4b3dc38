// SPDX-License-Identifier: Apache-2.0
// Everything that can be wrong with the command line is found before anything is touched. The
// mounts are in a mount namespace of this process: however it ends, they do not stay.
#include "command/run.h"

#include "base/file.h"
#include "base/utc.h"
#include "bundle/container.h"
#include "bundle/host_files.h"
#include "bundle/mounted_image.h"
#include "command/image_lookup.h"
#include "command/runner.h"
#include "process/user_namespace.h"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

namespace onggi::image {
namespace {

constexpr const char* kRuntime = "onggi";

// The one that was installed with this program, before one in $PATH.
std::string runtime_program(const std::string& asked) {
  char resolved[PATH_MAX];
  // Whoever deletes the container may be in another directory.
  if (asked.find('/') != asked.npos && realpath(asked.c_str(), resolved) != nullptr)
    return resolved;
  if (!asked.empty()) return asked;
  char self[PATH_MAX];
  const long size = sys::readlinkat(AT_FDCWD, "/proc/self/exe", self, sizeof self);
  if (size <= 0) return kRuntime;
  std::string beside(self, static_cast<size_t>(size));
  beside.erase(beside.rfind('/') + 1).append(kRuntime);
  return access(beside.c_str(), X_OK) == 0 ? beside : kRuntime;
}

class Run {
 public:
  Run(const Context& context, const ContainerFlags& flags, ContainerRequest request)
      : name_(context.operands[0]),
        root_(context.global.root),
        flags_(flags),
        request_(std::move(request)) {
    request_.lookup.limits = context.global.limits;
    request_.lookup.stall_seconds = context.global.stall_seconds;
  }

  // `started` gets the id when a detached container runs; -1: it is not to be detached.
  Result<int> run(int started);

 private:
  Result<> prepare(const Store& store);
  void show_chosen_ports() const;
  Result<> make_volumes(const Store& store);
  Result<> make_ready(Runner& runner);

  std::string name_, root_;
  const ContainerFlags& flags_;
  ContainerRequest request_;
  ContainerRecord record_;
  std::optional<Container> container_;
  std::optional<Image> image_;
  UniqueFd rootfs_;
  HeldPorts ports_;
};

Result<> Run::prepare(const Store& store) {
  image_.emplace(TRY(image_in_store(store, name_, request_.lookup)));
  TRY(apply_overrides(request_.overrides, image_->config.config));
  TRY(check_runnable(image_->config));
  const Snapshots snapshots(store);
  const Layout layout = TRY(store.read());
  TRY(snapshots.make(layout, *image_, request_.lookup.limits));
  record_.id = flags_.name.empty() ? random_container_id() : flags_.name;
  record_.image = name_;
  record_.manifest = image_->descriptor.digest.text();
  record_.created = utc_now(Precision::seconds);
  record_.runtime = runtime_program(flags_.runtime);
  record_.network = request_.bundle.network == NetworkKind::host ? "host"
                    : request_.connection == nullptr             ? "none"
                                                                 : request_.connection->name;
  ports_ = TRY(hold_ports(store, request_.connection, request_.ports));
  record_.ports = ports_.mappings();
  show_chosen_ports();
  for (const Volume& volume : request_.volumes) {
    if (volume.kind == Volume::Kind::named) record_.volumes.push_back(volume.source);
  }
  record_.is_temporary = flags_.remove;
  container_.emplace(TRY(Container::make(store, record_)));
  TRY(attach_image(snapshots, *image_, {container_->directory(), !flags_.remove}));
  rootfs_ = TRY(open_directory(container_->directory(), "rootfs"));
  return make_volumes(store);
}

// Ports that the user left open. Standard output is the id's, or the program's.
void Run::show_chosen_ports() const {
  for (const PortMapping& port : record_.ports) {
    if (std::ranges::find(request_.ports, request_for(port)) != request_.ports.end()) continue;
    const std::string line = "published: " + std::to_string(port.container) + "/" +
                             std::string(name_of(port.protocol)) + " -> " + host_side_of(port) +
                             "\n";
    (void)write_all(STDERR_FILENO, "standard error", line);
  }
}

Result<> Run::make_volumes(const Store& store) {
  add_image_volumes(image_->config, request_.volumes);
  const VolumePlaces places{store.path() + "/volumes", container_->path() + "/volumes",
                            rootfs_.get()};
  for (const Volume& volume : request_.volumes)
    request_.bundle.mounts.push_back(TRY(prepare_volume(volume, places)));
  return {};
}

Result<> Run::make_ready(Runner& runner) {
  TRY(runner.connect());
  request_.bundle.network_path = runner.network_path();
  if (request_.bundle.hostname.empty()) request_.bundle.hostname = record_.id;
  // A program that shares the host's network has the host's names.
  if (request_.bundle.network != NetworkKind::host) {
    const std::vector<BundleMount> mounts =
        TRY(write_host_files({runner.container().path(), request_.bundle.hostname, runner.address(),
                              runner.name_server()}));
    // Before the user's, which may be meant for the same places.
    request_.bundle.mounts.insert(request_.bundle.mounts.begin(), mounts.begin(), mounts.end());
  }
  const ContainerUser user = TRY(resolve_user(image_->config.config.user, rootfs_.get()));
  return replace_atomically(runner.container().directory(), "config.json",
                            bundle_config(image_->config, user, request_.bundle), 0600);
}

Result<int> Run::run(int started) {
  TRY(leave_mount_namespace());
  {
    // Only until the container is on record: gc may run while it does.
    const Store store = TRY(Store::open(root_, LockKind::shared));
    const Result<> prepared = prepare(store);
    if (!prepared) {
      if (container_) {
        unmount_rootfs(*container_);
        (void)container_->remove(store);
      }
      return prepared.error();
    }
  }
  RunnerCall call;
  call.root = root_;
  call.connection = request_.connection;
  call.ports = std::move(ports_);
  call.is_terminal = flags_.tty;
  call.reads_input = flags_.interactive;
  call.is_new = true;
  call.started = started;
  Runner runner(std::move(*container_), std::move(call));
  const Result<> ready = make_ready(runner);
  rootfs_.reset();
  return runner.run(ready);
}

}  // namespace

Result<int> run_command(const Context& context, const ContainerFlags& flags) {
  if (flags.detach && flags.interactive && !flags.tty) {
    return with_hint(unsupported("", "--detach with --interactive requires --tty"),
                     "add --tty, or remove --interactive");
  }
  if (!flags.name.empty()) TRY(check_container_id(flags.name));
  ContainerRequest request = TRY(container_request(flags, context.operands.subspan(1)));
  TRY(read_network(flags, request));
  Run run(context, flags, std::move(request));
  TRY(enter_user_namespace());
  if (!flags.detach) return run.run(-1);
  const BackgroundFork forked = TRY(fork_to_background());
  return forked.status ? Result<int>(*forked.status) : run.run(forked.started);
}

}  // namespace onggi::image
