// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "command/runner.h"

#include "base/file.h"
#include "base/log.h"
#include "base/utc.h"
#include "bundle/container_process.h"
#include "network/namespace.h"
#include "process/detached_terminal.h"
#include "process/log_lines.h"
#include "process/pipe.h"
#include "process/supervised.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>

namespace onggi::image {
namespace {

constexpr const char* kLog = "log";
constexpr size_t kLogLimit = 1u << 20;

Result<UniqueFd> open_log(int directory) {
  const long opened =
      sys::openat(directory, kLog, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (opened < 0) return system_error(opened, "open", kLog);
  return UniqueFd(opened);
}

int64_t size_of(int file) {
  return std::max<int64_t>(sys::lseek(file, 0, SEEK_END), 0);
}

// The runtime's own words, where the user sees them: what is in the log behind `from`.
void show_log(int directory, int64_t from) {
  std::string text(kLogLimit, 0);
  const UniqueFd file(sys::openat(directory, kLog, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  const long size = sys::pread(file.get(), text.data(), text.size(), from);
  if (size <= 0) return;
  text.resize(static_cast<size_t>(size));
  (void)write_all(STDERR_FILENO, "standard error", text_of_log(text));
}

// Nobody else would hear of it.
void write_to_log(int directory, const std::string& id, const Error& failure) {
  const Result<UniqueFd> file = open_log(directory);
  std::string lines;
  append_log_lines("onggi-image: " + log::error_text("run " + id, failure) + "\n", LogStream::error,
                   utc_now(Precision::nanoseconds), lines);
  if (file) (void)write_all(file->get(), kLog, lines);
}

// Whoever waits for the end of what the user sees need not wait for the container.
Result<> let_go_of_the_terminal() {
  const long opened = sys::openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
  if (opened < 0) return system_error(opened, "open", "/dev/null");
  const UniqueFd nowhere(opened);
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (dup2(nowhere.get(), fd) < 0) return system_error(-errno, "dup2");
  }
  return {};
}

Result<int> wait_for_start(int started, pid_t child) {
  std::string id;
  char buffer[128];
  for (;;) {
    const long size = sys::read(started, buffer, sizeof buffer);
    if (size < 0) return system_error(size, "read");
    if (size == 0) break;
    id.append(buffer, static_cast<size_t>(size));
  }
  if (!id.empty()) return cli::print(id + "\n");
  // The child has said why.
  int status = 0;
  const long waited = sys::waitpid(child, status);
  return waited == child && WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1;
}

}  // namespace

Result<HeldPorts> hold_ports(const Store& store, Connection connection,
                             const std::vector<PortRequest>& ports) {
  HeldPorts held =
      TRY(HeldPorts::hold(ports, connection == nullptr ? Families{} : connection->families()));
  TRY(free_ports(store, held.mappings()));
  return held;
}

Result<> leave_mount_namespace() {
  long done = sys::unshare(CLONE_NEWNS);
  if (done < 0) return system_error(done, "unshare", "mount namespace");
  done = sys::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr);
  if (done < 0) return system_error(done, "mount", "/");
  return {};
}

void unmount_rootfs(const Container& container) {
  const std::string mount = container.path() + "/rootfs";
  (void)sys::umount2(mount.c_str(), MNT_DETACH);
}

Result<BackgroundFork> fork_to_background() {
  Pipe pipe = TRY(make_pipe());
  const pid_t child = fork();
  if (child < 0) return system_error(-errno, "fork");
  BackgroundFork forked;
  if (child == 0) {
    (void)setsid();
    forked.started = pipe.write.release();
    return forked;
  }
  pipe.write.reset();
  forked.status = TRY(wait_for_start(pipe.read.get(), child));
  return forked;
}

Result<> Runner::connect() {
  if (call_.connection == nullptr) return {};
  network_ = TRY(make_network_namespace());
  network_path_ = path_of(network_);
  if (call_.connection->opens_ports) call_.ports.release();
  AttachedNetwork attached = TRY(container_.connect(network_path_));
  address_ = attached.address;
  name_server_ = attached.name_server;
  if (attached.companion) companion_.emplace(std::move(*attached.companion));
  return {};
}

// The runtime's words, "run --detach --bundle DIR ... ID".
std::vector<std::string> Runner::runtime_words(std::vector<std::string> options) const {
  std::vector<std::string> words = runtime_command(container_.record().runtime);
  words.emplace_back("run");
  words.insert(words.end(), {"--bundle", container_.path(), "--pid-file", pid_file()});
  words.insert(words.end(), options.begin(), options.end());
  words.push_back(container_.record().id);
  return words;
}

Result<int> Runner::execute() {
  SupervisedCall call;
  call.arguments = runtime_words({});
  call.reads_input = call_.reads_input || call_.is_terminal;
  return run_supervised(call);
}

// What the program writes goes to a process that outlives this one, if need be.
Result<int> Runner::start_with_pipes(std::optional<OutputLog>& log) {
  UniqueFd file = TRY(open_log(container_.directory()));
  const int64_t before = size_of(file.get());
  Pipe output = TRY(make_pipe()), error = TRY(make_pipe());
  log.emplace(
      TRY(OutputLog::start(std::move(output.read), std::move(error.read), std::move(file))));
  SupervisedCall call;
  call.arguments = runtime_words({"--detach"});
  call.reads_input = false;
  call.output = output.write.get();
  call.error = error.write.get();
  const int status = TRY(run_supervised(call));
  if (status == 0) return 0;
  log.reset();
  show_log(container_.directory(), before);
  return status;
}

// What a terminal shows, the same.
Result<int> Runner::start_with_terminal(std::optional<OutputLog>& log) {
  const ConsoleSocket console = TRY(ConsoleSocket::make(container_.directory()));
  SupervisedCall call;
  call.arguments = runtime_words({"--detach", "--console-socket", console.path()});
  call.reads_input = false;
  const int status = TRY(run_supervised(call));
  if (status != 0) return status;
  UniqueFd terminal = TRY(console.receive());
  UniqueFd file = TRY(open_log(container_.directory()));
  log.emplace(TRY(OutputLog::start(std::move(terminal), UniqueFd(), std::move(file))));
  return 0;
}

// The container's first process becomes a child of this one when its runtime ends.
Result<int> Runner::execute_detached() {
  (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  std::optional<OutputLog> log;
  const int status = TRY(call_.is_terminal ? start_with_terminal(log) : start_with_pipes(log));
  if (status != 0) return status;
  const std::string text = TRY(read_file(AT_FDCWD, pid_file(), 64));
  const std::optional<int> pid = parse_decimal<int>(text);
  if (!pid) return state_error("the runtime did not write a pid file");
  TRY(write_all(call_.started, "started", container_.record().id));
  (void)sys::close(call_.started);
  TRY(let_go_of_the_terminal());
  return supervise(*pid);
}

Result<> Runner::clean_up() {
  companion_.reset();
  Result<> cleaned = container_.clean_up(network_path_);
  unmount_rootfs(container_);
  return cleaned;
}

Result<int> Runner::run(const Result<>& ready) {
  Result<int> status = !ready              ? Result<int>(ready.error())
                       : call_.started < 0 ? execute()
                                           : execute_detached();
  if (status) (void)container_.record_exit(status.value());
  const Result<> cleaned = clean_up();
  if (call_.started >= 0 && !cleaned)
    write_to_log(container_.directory(), container_.record().id, cleaned.error());
  if (container_.record().is_temporary || (!ready && call_.is_new)) {
    const Store store = TRY(Store::open(call_.root, LockKind::shared));
    TRY(container_.remove(store));
  }
  if (status && !cleaned) return cleaned.error();
  return status;
}

}  // namespace onggi::image
