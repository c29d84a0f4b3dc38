// SPDX-License-Identifier: Apache-2.0
// Everything that can be wrong with the command line is found before anything is touched. The
// mounts are in a mount namespace of this process: however it ends, they do not stay.
#include "command/run.h"

#include "base/file.h"
#include "base/log.h"
#include "base/utc.h"
#include "bundle/container.h"
#include "bundle/host_files.h"
#include "bundle/mounted_image.h"
#include "bundle/user_network.h"
#include "command/image_lookup.h"
#include "process/detached_terminal.h"
#include "process/supervised.h"
#include "process/user_namespace.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

namespace onggi::image {
namespace {

constexpr const char* kRuntime = "onggi";
constexpr size_t kLogLimit = 64u << 10;

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

// Mounts of the host come in later, too; ours do not go out.
Result<> leave_mount_namespace() {
  long done = sys::unshare(CLONE_NEWNS);
  if (done < 0) return system_error(done, "unshare", "mount namespace");
  done = sys::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr);
  if (done < 0) return system_error(done, "mount", "/");
  return {};
}

// What `run` says and reads when it is detached.
class Detachment {
 public:
  // In the child: standard output and error become the container's log.
  Result<> redirect_to(int directory) {
    const long opened =
        sys::openat(directory, "log", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
    if (opened < 0) return system_error(opened, "open", "log");
    const UniqueFd file(opened);
    error_ = UniqueFd(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    for (int fd : {STDOUT_FILENO, STDERR_FILENO}) {
      if (dup2(file.get(), fd) < 0) return system_error(-errno, "dup2");
    }
    return {};
  }
  // The runtime's own words, where the user sees them.
  void show(int directory) {
    const Result<std::string> text = read_file(directory, "log", kLogLimit);
    if (text && error_) (void)write_all(error_.get(), "log", text.value());
  }
  // Whoever waits for the end of what the user sees need not wait for the container.
  void finish() { error_.reset(); }

 private:
  UniqueFd error_;
};

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

  // `started` gets a byte when a detached container runs; -1: it is not to be detached.
  Result<int> run(int started);

  const std::string& id() const { return record_.id; }

 private:
  Result<> prepare(const Store& store);
  Result<> make_volumes(const Store& store);
  Result<> connect();
  Result<> write_config();
  Result<int> execute();
  Result<int> execute_detached(int started);
  Result<> clean_up();

  std::string name_, root_;
  const ContainerFlags& flags_;
  ContainerRequest request_;
  ContainerRecord record_;
  std::optional<Container> container_;
  std::optional<Image> image_;
  UniqueFd rootfs_, network_;
  std::optional<Companion> user_network_;
  std::string address_, name_server_;
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
  record_.on_bridge = request_.connection == Connection::bridge;
  record_.ports = flags_.publish;
  record_.is_temporary = flags_.remove;
  container_.emplace(TRY(Container::make(store, record_)));
  TRY(attach_image(snapshots, *image_, {container_->directory(), !flags_.remove}));
  rootfs_ = TRY(open_directory(container_->directory(), "rootfs"));
  return make_volumes(store);
}

Result<> Run::make_volumes(const Store& store) {
  add_image_volumes(image_->config, request_.volumes);
  const VolumePlaces places{store.path() + "/volumes", container_->path() + "/volumes",
                            rootfs_.get()};
  for (const Volume& volume : request_.volumes)
    request_.bundle.mounts.push_back(TRY(prepare_volume(volume, places)));
  return {};
}

Result<> Run::connect() {
  if (request_.connection == Connection::none) return {};
  network_ = TRY(make_network_namespace());
  request_.bundle.network_path = path_of(network_);
  if (request_.connection == Connection::slirp4netns) {
    user_network_.emplace(TRY(
        start_user_network(request_.bundle.network_path, container_->directory(), request_.ports)));
    address_ = kUserNetworkAddress;
    name_server_ = kUserNetworkNameServer;
    return {};
  }
  const NetworkResult result = TRY(container_->connect(request_.bundle.network_path));
  address_ = result.address;
  return {};
}

Result<> Run::write_config() {
  if (request_.bundle.hostname.empty()) request_.bundle.hostname = record_.id;
  // A program that shares the host's network has the host's names.
  if (request_.bundle.network != NetworkKind::host) {
    const std::vector<BundleMount> mounts = TRY(
        write_host_files({container_->path(), request_.bundle.hostname, address_, name_server_}));
    // Before the user's, which may be meant for the same places.
    request_.bundle.mounts.insert(request_.bundle.mounts.begin(), mounts.begin(), mounts.end());
  }
  const ContainerUser user = TRY(resolve_user(image_->config.config.user, rootfs_.get()));
  return replace_atomically(container_->directory(), "config.json",
                            bundle_config(image_->config, user, request_.bundle), 0600);
}

Result<int> Run::execute() {
  SupervisedCall call;
  call.arguments = runtime_command(record_.runtime);
  for (const std::string& word :
       {std::string("run"), std::string("--bundle"), container_->path(), record_.id})
    call.arguments.push_back(word);
  call.reads_input = flags_.interactive || flags_.tty;
  return run_supervised(call);
}

// The container's first process becomes a child of this one when its runtime ends.
Result<int> Run::execute_detached(int started) {
  Detachment detachment;
  TRY(detachment.redirect_to(container_->directory()));
  (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  std::optional<ConsoleSocket> console;
  if (flags_.tty) console.emplace(TRY(ConsoleSocket::make(container_->directory())));
  const std::string pid_file = container_->path() + "/pid";
  std::vector<std::string> words = {"run",        "--detach", "--bundle", container_->path(),
                                    "--pid-file", pid_file};
  if (console) words.insert(words.end(), {"--console-socket", console->path()});
  words.push_back(record_.id);
  SupervisedCall call;
  call.arguments = runtime_command(record_.runtime);
  call.arguments.insert(call.arguments.end(), words.begin(), words.end());
  call.reads_input = false;
  const int status = TRY(run_supervised(call));
  if (status != 0) {
    detachment.show(container_->directory());
    return status;
  }
  std::optional<TerminalLog> log;
  if (console) {
    UniqueFd terminal = TRY(console->receive());
    log.emplace(TRY(TerminalLog::start(std::move(terminal), STDOUT_FILENO)));
  }
  const std::string text = TRY(read_file(AT_FDCWD, pid_file, 64));
  const std::optional<int> pid = parse_decimal<int>(text);
  if (!pid) return state_error("the runtime did not write a pid file");
  TRY(write_all(started, "started", record_.id));
  (void)sys::close(started);
  detachment.finish();
  return supervise(*pid);
}

Result<> Run::clean_up() {
  user_network_.reset();
  Result<> cleaned = container_->clean_up(request_.bundle.network_path);
  rootfs_.reset();
  const std::string mount = container_->path() + "/rootfs";
  (void)sys::umount2(mount.c_str(), MNT_DETACH);
  return cleaned;
}

Result<int> Run::run(int started) {
  TRY(leave_mount_namespace());
  {
    // Only until the container is on record: gc may run while it does.
    const Store store = TRY(Store::open(root_, LockKind::shared));
    const Result<> prepared = prepare(store);
    if (!prepared) {
      if (container_) {
        (void)clean_up();
        (void)container_->remove(store);
      }
      return prepared.error();
    }
  }
  Result<> ready = connect();
  if (ready) ready = write_config();
  Result<int> status = !ready        ? Result<int>(ready.error())
                       : started < 0 ? execute()
                                     : execute_detached(started);
  const Result<> cleaned = clean_up();
  if (flags_.remove || !ready) {
    const Store store = TRY(Store::open(root_, LockKind::shared));
    TRY(container_->remove(store));
  }
  if (status && !cleaned) return cleaned.error();
  return status;
}

// In the parent: the child's answer becomes ours.
Result<int> wait_for_start(int started) {
  std::string id;
  char buffer[128];
  for (;;) {
    const long size = sys::read(started, buffer, sizeof buffer);
    if (size < 0) return system_error(size, "read");
    if (size == 0) break;
    id.append(buffer, static_cast<size_t>(size));
  }
  // The child has said why.
  if (id.empty()) return 1;
  return cli::print(id + "\n");
}

Result<int> run_detached(Run& run) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return system_error(-errno, "pipe2");
  UniqueFd read(ends[0]), write(ends[1]);
  const pid_t child = fork();
  if (child < 0) return system_error(-errno, "fork");
  if (child != 0) {
    write.reset();
    return wait_for_start(read.get());
  }
  read.reset();
  (void)setsid();
  return run.run(write.release());
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
  return flags.detach ? run_detached(run) : run.run(-1);
}

}  // namespace onggi::image
