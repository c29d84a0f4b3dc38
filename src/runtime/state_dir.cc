// SPDX-License-Identifier: Apache-2.0
// mkdir(2) decides between two creators of one id. Names are checked, so they hold no slash.
#include "runtime/state_dir.h"

#include "base/directory.h"
#include "base/file.h"
#include "base/path.h"
#include "linux/process_status.h"
#include "linux/start_socket.h"
#include "runtime/crowd.h"
#include "runtime/private_files.h"
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
constexpr const char* kPoststopBegun = "poststop";
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

// A link at its end would be followed if a slash came after it.
Result<UniqueFd> open_existing_root(std::string root) {
  while (root.size() > 1 && root.ends_with('/')) root.pop_back();
  return open_private_directory(AT_FDCWD, root, root);
}

Result<UniqueFd> open_root(const std::string& root) {
  Result<UniqueFd> opened = open_existing_root(root);
  if (opened || opened.error().errnum != ENOENT) return opened;
  TRY(make_root(root));
  return open_existing_root(root);
}

// Root of a user namespace may not write to the default of root.
Error without_place(const Error& error, std::string_view root) {
  return with_hint(error, root == "/run/onggi"
                              ? "onggi keeps the state of containers there: set XDG_RUNTIME_DIR or "
                                "pass --root"
                              : "choose another directory with --root");
}

Error unknown(std::string_view id) {
  return state_error("container '", id, "' does not exist");
}

Error in_use(std::string_view id) {
  return state_error("container with id '", id, "' already exists");
}

}  // namespace

Result<StateDir> StateDir::make(const std::string& root, std::string_view id) {
  Result<UniqueFd> opened = open_root(root);
  if (!opened) return without_place(opened.error(), root);
  UniqueFd parent = std::move(opened.value());
  const std::string name(id);
  const std::string path = join_path(root, name);
  const long made = sys::mkdirat(parent.get(), name.c_str(), 0700);
  if (made < 0 && made != -EEXIST) return without_place(system_error(made, "mkdir", path), root);
  UniqueFd directory = TRY(open_private_directory(parent.get(), name, path));
  StateDir state(std::move(parent), std::move(directory), root, name);
  const Result<bool> locked = state.lock(made == 0 ? 10000 : 0);
  if (!locked && locked.error().kind != ErrorKind::state) return locked.error();
  if (!locked || !locked.value()) return in_use(id);
  // One that was there before belongs to a create that was killed before it recorded anything, if
  // it is empty. So another create may have been quicker with the directory that we have made.
  const bool taken = made == 0 ? TRY(state.has(kFirstRecord)) : !TRY(state.is_empty());
  if (taken) return in_use(id);
  return state;
}

Result<StateDir> StateDir::open(const std::string& root, std::string_view id) {
  const std::string name(id);
  Result<UniqueFd> parent = open_existing_root(root);
  if (!parent) return parent.error().errnum == ENOENT ? unknown(id) : parent.error();
  Result<UniqueFd> directory = open_private_directory(parent->get(), name, join_path(root, name));
  if (!directory) return directory.error().errnum == ENOENT ? unknown(id) : directory.error();
  return StateDir(std::move(parent).value(), std::move(directory).value(), root, name);
}

Result<std::vector<std::string>> StateDir::list(const std::string& root) {
  const Result<UniqueFd> opened = open_existing_root(root);
  if (!opened && opened.error().errnum == ENOENT) return std::vector<std::string>();
  if (!opened) return opened.error();
  std::vector<std::string> names = TRY(names_in(opened->get()));
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
  if (info.stx_nlink == 0) return unknown(id_);
  locked_ = true;
  return true;
}

Result<bool> StateDir::locked_by_others() {
  if (locked_) return false;
  const long locked = sys::retry(SYS_flock, directory_.get(), LOCK_SH | LOCK_NB);
  if (locked == -EWOULDBLOCK) return true;
  if (locked < 0) return system_error(locked, "flock", id_);
  (void)sys::call(SYS_flock, directory_.get(), LOCK_UN);
  return false;
}

Result<Record> StateDir::load_from(const char* name) const {
  Result<std::string> text = read_private_file(directory_.get(), name, kMaxRecord);
  if (text) return read_record(std::move(text).value(), name);
  if (text.error().kind != ErrorKind::state) return text.error();
  return with_hint(text.error(), "delete --force cleans up");
}

Result<Record> StateDir::load() const {
  for (const char* name : {kRecord, kFirstRecord}) {
    Result<Record> record = load_from(name);
    if (record || record.error().errnum != ENOENT) return record;
  }
  if (TRY(is_empty())) return unknown(id_);
  return damaged_record(kRecord, "it is missing, and other files are there");
}

Result<Record> StateDir::load_to_remove() const {
  Result<Record> record = load();
  if (record || record.error().kind != ErrorKind::state) return record;
  Result<Record> first = load_from(kFirstRecord);
  if (!first && first.error().errnum != 0 && first.error().errnum != ENOENT) return first.error();
  // From its commit on a container has the cgroup or the first process that is recorded here.
  if (!first || (first->cgroup.directories.empty() && first->pid == 0))
    return without_processes(record.error());
  first->complete = true;  // there is a state.json
  return first;
}

// There may be some, and nobody could find them later if the directory went.
Error StateDir::without_processes(const Error& error) const {
  Error unknown_processes = error;
  unknown_processes.hint.clear();
  unknown_processes.hint.append(
      "which processes are the container's is not known: end them, then remove '",
      join_path(root_, id_), "'");
  return unknown_processes;
}

Result<bool> StateDir::is_empty() const {
  const long rewound = sys::lseek(directory_.get(), 0, SEEK_SET);
  if (rewound < 0) return system_error(rewound, "lseek", id_);
  for (const std::string& name : TRY(names_in(directory_.get()))) {
    if (name != temporary_name(kFirstRecord)) return false;
  }
  return true;
}

Result<> StateDir::save(const Record& record) const {
  const char* name = record.complete ? kRecord : kFirstRecord;
  return replace_atomically(directory_.get(), name, write_record(record), 0600);
}

Result<> StateDir::save_config(std::string_view document) const {
  return write_new(directory_.get(), kConfig, document, 0600);
}

Result<std::string> StateDir::load_config() const {
  return read_private_file(directory_.get(), kConfig, kMaxRecord);
}

Result<bool> StateDir::has(const char* name) const {
  const long found = sys::call(SYS_faccessat, directory_.get(), name, 0);
  if (found < 0 && found != -ENOENT) return system_error(found, "access", name);
  return found == 0;
}

Result<> StateDir::forget(const char* name) const {
  long removed = sys::unlinkat(directory_.get(), name, 0);
  if (removed == -EISDIR) removed = sys::unlinkat(directory_.get(), name, AT_REMOVEDIR);
  if (removed < 0 && removed != -ENOENT) return system_error(removed, "unlink", name);
  return {};
}

Result<> StateDir::begin_poststop() const {
  if (TRY(has(kPoststopBegun))) return forget(kConfig);
  return write_new(directory_.get(), kPoststopBegun, "", 0600);
}

Result<> StateDir::remove() {
  const long rewound = sys::lseek(directory_.get(), 0, SEEK_SET);
  if (rewound < 0) return system_error(rewound, "lseek", id_);
  for (const std::string& name : TRY(names_in(directory_.get()))) {
    if (name != kRecord && name != kFirstRecord) TRY(forget(name.c_str()));
  }
  TRY(forget(kRecord));
  TRY(forget(kFirstRecord));
  const long removed = sys::unlinkat(parent_.get(), id_.c_str(), AT_REMOVEDIR);
  if (removed < 0 && removed != -ENOENT) return system_error(removed, "rmdir", id_);
  leave_crowd(parent_.get());
  return {};
}

std::string cgroup_owner(const Record& record) {
  return record.id + " " + record.created;
}

Result<Status> status_of(StateDir& directory, const Record& record) {
  if (!record.complete)
    return TRY(directory.locked_by_others()) ? Status::creating : Status::stopped;
  const std::optional<ProcessStatus> process = TRY(process_status(record.pid));
  if (!process || !process->alive() || process->start_time != record.start_time)
    return Status::stopped;
  if (TRY(cgroups::frozen(record.cgroup))) return Status::paused;
  // The socket outlives a `start` that was killed at the wrong moment; init's own name does not.
  if (process->command.view() == "onggi-init" && TRY(directory.has(kStartSocket)))
    return Status::created;
  return Status::running;
}

}  // namespace onggi
