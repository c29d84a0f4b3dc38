// SPDX-License-Identifier: Apache-2.0
// mkdir(2) decides between two creators of one id. Names are checked, so they hold no slash.
#include "runtime/state_dir.h"

#include "base/directory.h"
#include "base/file.h"
#include "base/path.h"
#include "linux/process_status.h"
#include "linux/start_socket.h"
#include "runtime/crowd.h"
#include "runtime/record_json.h"

#include <sys/file.h>

#include <algorithm>
#include <ctime>

namespace onggi {
namespace {

// Two names, because ext4 writes a file out when another is renamed over it (auto_da_alloc).
constexpr const char* kRecord = "state.json";
constexpr const char* kFirstRecord = "creating.json";
constexpr const char* kConfig = "config.json";
constexpr size_t kMaxRecord = 8 << 20;

Result<std::vector<std::string>> names_in(int directory) {
  std::vector<std::string> names;
  DirectoryReader reader(directory);
  while (const DirectoryReader::Entry* entry = TRY(reader.next())) {
    names.emplace_back(entry->name());
  }
  return names;
}

// The root and what is missing above it, for its owner alone. In an ordinary user's runtime
// directory the sticky bit tells whoever tidies it up to leave it (XDG Base Directory
// Specification).
Result<> make_root(const std::string& root) {
  const unsigned mode = sys::call(SYS_geteuid) == 0 ? 0700 : 01700;
  for (size_t end = 0; end != std::string::npos;) {
    end = root.find('/', end + 1);
    const std::string path = root.substr(0, end);
    const bool last = end == std::string::npos;
    const long made = sys::mkdirat(AT_FDCWD, path.c_str(), last ? mode : 0755);
    if (made < 0 && made != -EEXIST) return system_error(made, "mkdir", path);
  }
  return {};
}

Result<UniqueFd> open_root(const std::string& root) {
  Result<UniqueFd> opened = open_directory(AT_FDCWD, root);
  if (opened || opened.error().errnum != ENOENT) return opened;
  TRY(make_root(root));
  return open_directory(AT_FDCWD, root);
}

// Root of a user namespace may not write to the default of root.
Error without_place(const Error& error) {
  return with_hint(error,
                   "onggi keeps the state of containers there: set XDG_RUNTIME_DIR or pass --root");
}

}  // namespace

Result<StateDir> StateDir::make(const std::string& root, std::string_view id) {
  Result<UniqueFd> opened = open_root(root);
  if (!opened) return without_place(opened.error());
  UniqueFd parent = std::move(opened.value());
  const std::string name(id);
  const long made = sys::mkdirat(parent.get(), name.c_str(), 0700);
  if (made == -EEXIST) return state_error("container with id '", id, "' already exists");
  if (made < 0) return without_place(system_error(made, "mkdir", join_path(root, name)));
  UniqueFd directory = TRY(open_directory(parent.get(), name));
  StateDir state(std::move(parent), std::move(directory), name);
  if (!TRY(state.lock(10000)))
    return state_error("container '", id, "' is being changed by another command");
  return state;
}

Result<StateDir> StateDir::open(const std::string& root, std::string_view id) {
  const std::string name(id);
  const long opened_root = sys::openat(AT_FDCWD, root.c_str(), O_RDONLY | O_DIRECTORY);
  if (opened_root == -ENOENT) return state_error("container '", id, "' does not exist");
  if (opened_root < 0) return system_error(opened_root, "open", root);
  UniqueFd parent(opened_root);
  const long opened = sys::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (opened == -ENOENT) return state_error("container '", id, "' does not exist");
  if (opened < 0) return system_error(opened, "open", join_path(root, name));
  return StateDir(std::move(parent), UniqueFd(opened), name);
}

Result<std::vector<std::string>> StateDir::list(const std::string& root) {
  const long opened = sys::openat(AT_FDCWD, root.c_str(), O_RDONLY | O_DIRECTORY);
  if (opened == -ENOENT) return std::vector<std::string>();
  if (opened < 0) return system_error(opened, "open", root);
  const UniqueFd directory(opened);
  std::vector<std::string> names = TRY(names_in(directory.get()));
  std::erase_if(names, [](const std::string& name) { return !check_id(name); });
  std::sort(names.begin(), names.end());
  return names;
}

Result<bool> StateDir::lock(int milliseconds) {
  // flock(2) has no time limit of its own; whoever holds the lock does so for milliseconds.
  for (int waited = 0;; waited++) {
    const long locked = sys::call(SYS_flock, directory_.get(), LOCK_EX | LOCK_NB);
    if (locked == 0) break;
    if (locked != -EWOULDBLOCK && locked != -EINTR) return system_error(locked, "flock", id_);
    if (waited >= milliseconds) return false;
    const timespec pause{.tv_sec = 0, .tv_nsec = 1000000};
    (void)sys::call(SYS_nanosleep, &pause, nullptr);
  }
  struct statx info = {};
  const long result = sys::statx(directory_.get(), "", AT_EMPTY_PATH, STATX_NLINK, &info);
  if (result < 0) return system_error(result, "statx", id_);
  if (info.stx_nlink == 0) return state_error("container '", id_, "' does not exist");
  locked_ = true;
  return true;
}

bool StateDir::locked_by_others() {
  if (locked_) return false;
  if (sys::call(SYS_flock, directory_.get(), LOCK_SH | LOCK_NB) < 0) return true;
  (void)sys::call(SYS_flock, directory_.get(), LOCK_UN);
  return false;
}

Result<Record> StateDir::load() const {
  for (const char* name : {kRecord, kFirstRecord}) {
    Result<std::string> text = read_file(directory_.get(), name, kMaxRecord);
    if (text) return read_record(std::move(text).value());
    if (text.error().errnum != ENOENT) return text.error();
  }
  // Killed between mkdir and the first save, or just being deleted.
  Record record;
  record.id = id_;
  return record;
}

Result<> StateDir::save(const Record& record) const {
  const char* name = record.complete ? kRecord : kFirstRecord;
  return replace_atomically(directory_.get(), name, write_record(record), 0600);
}

Result<> StateDir::save_config(std::string_view document) const {
  return write_new(directory_.get(), kConfig, document, 0600);
}

Result<std::string> StateDir::load_config() const {
  return read_file(directory_.get(), kConfig, kMaxRecord);
}

bool StateDir::has(const char* name) const {
  return sys::call(SYS_faccessat, directory_.get(), name, 0) == 0;
}

Result<> StateDir::forget(const char* name) const {
  const long removed = sys::unlinkat(directory_.get(), name, 0);
  if (removed < 0 && removed != -ENOENT) return system_error(removed, "unlink", name);
  return {};
}

Result<> StateDir::remove() {
  for (const std::string& name : TRY(names_in(directory_.get()))) TRY(forget(name.c_str()));
  const long removed = sys::unlinkat(parent_.get(), id_.c_str(), AT_REMOVEDIR);
  if (removed < 0 && removed != -ENOENT) return system_error(removed, "rmdir", id_);
  leave_crowd(parent_.get());
  return {};
}

Result<Status> status_of(StateDir& directory, const Record& record) {
  if (!record.complete) return directory.locked_by_others() ? Status::creating : Status::stopped;
  const std::optional<ProcessStatus> process = TRY(process_status(record.pid));
  if (!process || !process->alive() || process->start_time != record.start_time)
    return Status::stopped;
  if (TRY(cgroups::frozen(record.cgroup))) return Status::paused;
  // The socket outlives a `start` that was killed at the wrong moment; init's own name does not.
  if (directory.has(kStartSocket) && process->command.view() == "onggi-init")
    return Status::created;
  return Status::running;
}

}  // namespace onggi
