// SPDX-License-Identifier: Apache-2.0
// The life of a cgroup over all hierarchies. It is on the path of every launch: a hierarchy without
// settings costs an open, a mkdir and the open of its tasks file.
#include "cgroups/driver.h"

#include "base/file.h"
#include "cgroups/device_program.h"
#include "cgroups/directory.h"
#include "cgroups/legacy.h"
#include "cgroups/ownership.h"
#include "cgroups/settings.h"
#include "cgroups/unified.h"

#include <algorithm>
#include <csignal>

namespace onggi::cgroups {
namespace {

using plan::CgroupDirectory;
using plan::CgroupPlan;

constexpr std::string_view kPathPlace = "linux.cgroupsPath";

Result<bool> frozen_at(const GroupDirectory& directory, const std::string& path) {
  const std::string full = directory.mount_point + path;
  if (directory.unified) return unified::frozen(full);
  if (directory.freezer) return legacy::frozen(full);
  return false;
}

// The nearest of `path` and its ancestors that is frozen, and everything below with it; else "".
// The root cannot be.
Result<std::string> find_frozen(const GroupDirectory& directory, std::string path) {
  while (!path.empty() && !TRY(frozen_at(directory, path))) path = parent_of(path);
  return path;
}

Result<bool> exists(const std::string& path) {
  struct statx info = {};
  const long result = sys::statx(AT_FDCWD, path.c_str(), 0, STATX_TYPE, &info);
  if (result == 0) return true;
  if (result == -ENOENT) return false;
  return system_error(result, "statx", path);
}

// The length of the part of `path` that exists; that of the root is 0.
Result<uint32_t> existing_length(const CgroupDirectory& directory) {
  std::string path = parent_of(directory.path);
  while (!path.empty() && !TRY(exists(directory.mount_point + path))) path = parent_of(path);
  return static_cast<uint32_t>(path.size());
}

Result<GroupDirectory> check_directory(const CgroupDirectory& planned) {
  GroupDirectory directory{planned.mount_point, planned.path, 0, planned.unified, planned.freezer};
  directory.kept = TRY_AT(kPathPlace, existing_length(planned));
  const std::string path = directory.full_path();
  const bool is_there =
      directory.kept == parent_of(planned.path).size() && TRY_AT(kPathPlace, exists(path));
  const std::string nearest = is_there ? planned.path : planned.path.substr(0, directory.kept);
  const std::string frozen = TRY_AT(kPathPlace, find_frozen(directory, nearest));
  if (!frozen.empty()) {
    return at_place(with_hint(state_error("cgroup '", directory.mount_point, frozen, "' is frozen"),
                              "thaw it, or choose another linux.cgroupsPath"),
                    kPathPlace);
  }
  if (!is_there) return directory;
  const std::vector<int> inside = TRY_AT(kPathPlace, processes_below(path));
  if (!inside.empty()) {
    return at_place(state_error("cgroup '", path, "' is in use by process ", inside.front()),
                    kPathPlace);
  }
  return directory;
}

// The directory that has the mark, and is asked for processes: v2, whose cgroup.kill is atomic,
// else the freezer's, else any.
template <class Directory>
const Directory* principal(const std::vector<Directory>& directories) {
  const auto rank = [](const Directory& directory) {
    return directory.unified ? 2 : directory.freezer ? 1 : 0;
  };
  const auto found = std::ranges::max_element(directories, {}, rank);
  return found == directories.end() ? nullptr : &*found;
}

bool is_refusal(const Error& error) {
  return error.errnum == EACCES || error.errnum == EPERM || error.errnum == EROFS;
}

// Making the directories, one by one, with what each version needs before its settings.
class Creation {
 public:
  Creation(const CgroupPlan& plan, std::string_view owner) : plan_(plan), owner_(owner) {}

  Result<Membership> run() {
    const Result<> made = make_all();
    if (!made) {
      undo();
      if (!is_refusal(made.error())) return made.error();
      if (plan_.optional) return Membership{};
      return refused(made.error());
    }
    return std::move(membership_);
  }

 private:
  Result<> make_all() {
    // First the one that is claimed, so that the others are nobody else's to remove or use.
    const CgroupDirectory* first = principal(plan_.directories);
    if (first != nullptr) TRY_AT(kPathPlace, make(*first));
    for (const CgroupDirectory& directory : plan_.directories) {
      if (&directory != first) TRY_AT(kPathPlace, make(directory));
    }
    return write_settings(plan_.directories, plan_.settings);
  }

  Result<> make(const CgroupDirectory& directory) {
    const std::string path = directory.mount_point + directory.path;
    const size_t count_before = made_.size();
    TRY(make_directory(directory.mount_point, directory.path, made_));
    if (!owner_.empty() && &directory == principal(plan_.directories)) {
      TRY(claim_directory(directory, path));
    }
    const bool just_made = made_.size() != count_before;
    if (directory.unified) return prepare_unified(directory, just_made);
    if (directory.cpuset) {
      TRY(legacy::fill_cpuset(directory.mount_point, directory.path, just_made));
    }
    membership_.tasks.push_back(TRY(legacy::open_tasks(path)));
    return {};
  }

  // Again when the removal of another container was quicker. With systemd the process is in the
  // unit before, whose name belongs to one container at a time.
  Result<> claim_directory(const CgroupDirectory& directory, const std::string& path) {
    constexpr int kRounds = 100;
    for (int round = 0; round < kRounds; round++) {
      membership_.claim = TRY(claim(path, owner_, !plan_.unit));
      if (membership_.claim) return {};
      TRY(make_directory(directory.mount_point, directory.path, made_));
    }
    return state_error("cgroup '", path, "' is removed again and again");
  }

  Result<> prepare_unified(const CgroupDirectory& directory, bool just_made) {
    const std::string path = directory.mount_point + directory.path;
    TRY(unified::enable_controllers(directory.mount_point, directory.path, plan_.controllers));
    membership_.unified = TRY(open_directory(AT_FDCWD, path));
    if (plan_.device_program) {
      // systemd's own program, which allows at least as much, stays beside ours.
      const bool keep_others = just_made || plan_.unit.has_value();
      TRY(attach_device_program(membership_.unified.get(), *plan_.device_program, keep_others));
    }
    if (plan_.owner) TRY(unified::delegate(path, *plan_.owner));
    return {};
  }

  // Named for what needs the cgroup.
  Error refused(Error error) const {
    // Rules for devices come by default; who does without a cgroup does without them.
    const auto limit = std::ranges::find_if(plan_.settings, [](const plan::CgroupSetting& setting) {
      return !setting.place.starts_with("linux.resources.devices");
    });
    const bool limited = limit != plan_.settings.end();
    if (limited) {
      error.place.clear();
      error.place.append(limit->place);
    }
    error.hint.clear();
    error.hint.append(error.errnum == EROFS
                          ? "cgroups are mounted read-only here: mount them writable"
                          : "delegate a cgroup to this user (systemd: Delegate=yes)");
    error.hint.append(
        limited ? ", or remove the limits from the configuration and use --cgroup-manager disabled"
                : ", or use --cgroup-manager disabled");
    return error;
  }

  void undo() {
    membership_ = {};
    // Nothing has been started in them, so that one attempt each is enough.
    for (auto path = made_.rbegin(); path != made_.rend(); ++path) {
      (void)sys::unlinkat(AT_FDCWD, path->c_str(), AT_REMOVEDIR);
    }
  }

  const CgroupPlan& plan_;
  const std::string_view owner_;
  std::vector<std::string> made_;
  Membership membership_;
};

bool is_of(Owner owner, const Group& group) {
  return owner == Owner::ours || owner == Owner::unknown ||
         (owner == Owner::nobody && group.complete);
}

// Whether the processes in it are the container's.
Result<bool> has_own_processes(const Group& group, const GroupDirectory& directory) {
  if (group.owner.empty()) return true;
  return is_of(TRY(owner_of(directory.full_path(), group.owner)), group);
}

// On a host with both versions, v1's: it is the one whose state engines read there.
Result<const GroupDirectory*> find_freezer(const Group& group) {
  const auto found = std::ranges::find_if(group.directories, &GroupDirectory::freezer);
  if (found != group.directories.end()) return &*found;
  const auto unified = std::ranges::find_if(group.directories, &GroupDirectory::unified);
  if (unified != group.directories.end()) return &*unified;
  return state_error("the container has no cgroup with a freezer");
}

// Where SIGKILL reaches a process that is frozen by v1, it waits for the thaw.
Result<> thaw_legacy(const Group& group) {
  for (const GroupDirectory& directory : group.directories) {
    if (directory.freezer) TRY(legacy::thaw(directory.full_path()));
  }
  return {};
}

Result<> kill_all(const Group& group, const GroupDirectory& directory) {
  if (directory.unified) {
    TRY(unified::kill(directory.full_path()));
    return thaw_legacy(group);
  }
  if (directory.freezer) return legacy::kill_frozen(directory.full_path());
  // Without a freezer: again until a walk finds nobody new to fork.
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; round++) {
    if (TRY(signal_below(directory.full_path(), SIGKILL)) == 0) break;
  }
  return {};
}

}  // namespace

Result<Group> check_unused(const CgroupPlan& plan) {
  Group group;
  for (const CgroupDirectory& planned : plan.directories) {
    GroupDirectory directory = TRY(check_directory(planned));
    if (plan.unit) {
      if (planned.managed && TRY_AT(kPathPlace, exists(directory.full_path())))
        return unit_exists(plan.unit->name);
      // Slices are systemd's to remove.
      directory.kept = static_cast<uint32_t>(parent_of(planned.path).size());
    }
    group.directories.push_back(std::move(directory));
  }
  return group;
}

Result<Membership> create(const CgroupPlan& plan, std::string_view owner) {
  return Creation(plan, owner).run();
}

Error unit_exists(const std::string& unit) {
  return with_hint(at_place(state_error("systemd unit '", unit, "' already exists"), kPathPlace),
                   "delete the container that it belongs to, or choose another name");
}

Result<> add_process(const CgroupPlan& plan, const Membership& membership, int pid) {
  const auto number = text<16>(pid);
  for (const UniqueFd& tasks : membership.tasks) {
    const long written = sys::write(tasks.get(), number.view().data(), number.view().size());
    if (written < 0) return at_place(system_error(written, "write", "tasks"), kPathPlace);
  }
  // systemd puts processes into scopes only. Where it has done so, a second time would only cost
  // the wait for an RCU grace period.
  if (!membership.unified || !plan.unit->is_slice()) return {};
  const long opened = sys::openat(membership.unified.get(), "cgroup.procs", O_WRONLY);
  if (opened < 0) return at_place(system_error(opened, "open", "cgroup.procs"), kPathPlace);
  const UniqueFd procs(opened);
  const long written = sys::write(procs.get(), number.view().data(), number.view().size());
  if (written < 0) return at_place(system_error(written, "write", "cgroup.procs"), kPathPlace);
  return {};
}

Result<Membership> open_group(const Group& group) {
  Membership membership;
  for (const GroupDirectory& directory : group.directories) {
    if (directory.unified) {
      membership.unified = TRY(open_directory(AT_FDCWD, directory.full_path()));
    } else {
      membership.tasks.push_back(TRY(legacy::open_tasks(directory.full_path())));
    }
  }
  return membership;
}

Result<> signal_all(const Group& group, int signal) {
  const GroupDirectory* directory = principal(group.directories);
  if (!directory) return state_error("the container has no cgroup: its processes are unknown");
  if (!TRY(has_own_processes(group, *directory))) return {};
  if (signal == SIGKILL) return kill_all(group, *directory);
  TRY(signal_below(directory->full_path(), signal));
  return {};
}

Result<std::vector<int>> processes(const Group& group) {
  const GroupDirectory* directory = principal(group.directories);
  if (!directory) return state_error("the container has no cgroup: its processes are unknown");
  if (!TRY(has_own_processes(group, *directory))) return std::vector<int>();
  return processes_below(directory->full_path());
}

Result<bool> frozen(const Group& group) {
  for (const GroupDirectory& directory : group.directories) {
    if (TRY(frozen_at(directory, directory.path))) return true;
  }
  return false;
}

Result<> freeze(const Group& group) {
  const GroupDirectory* directory = TRY(find_freezer(group));
  if (!directory->unified) return legacy::freeze(directory->full_path());
  const Result<> stopped = unified::set_frozen(directory->full_path(), true);
  if (!stopped) (void)unified::set_frozen(directory->full_path(), false);
  return stopped;
}

Result<> thaw(const Group& group) {
  const GroupDirectory* directory = TRY(find_freezer(group));
  if (!directory->unified) return legacy::thaw(directory->full_path());
  return unified::set_frozen(directory->full_path(), false);
}

namespace {

void remove_parents(const GroupDirectory& directory) {
  for (std::string parent = parent_of(directory.path); parent.size() > directory.kept;
       parent = parent_of(parent)) {
    const long removed =
        sys::unlinkat(AT_FDCWD, (directory.mount_point + parent).c_str(), AT_REMOVEDIR);
    if (removed != 0 && removed != -ENOENT)
      break;  // another container has come to use it, and may keep it
  }
}

// Of a create that was killed before it could mark it, so that nothing was started in it (systemd:
// but init, which ends by itself). Whoever is in it is not the container's.
Result<> remove_unmarked(const Group& group) {
  constexpr int64_t kPatience = 2'000'000, kPause = 10'000;  // microseconds
  for (const GroupDirectory& directory : group.directories) {
    const std::string path = directory.full_path();
    for (int64_t waited = 0;; waited += kPause) {
      const long result = sys::unlinkat(AT_FDCWD, path.c_str(), AT_REMOVEDIR);
      // On a read-only mount it fails for what is not there, too.
      if (result == 0 || result == -ENOENT || !TRY(exists(path))) break;
      if (result != -EBUSY && result != -ENOTEMPTY) return system_error(result, "rmdir", path);
      if (waited >= kPatience) {
        return with_hint(state_error("cgroup '", path, "' is in use, and not by this container"),
                         "end or move what is in it, or remove the container's state by hand");
      }
      sleep_microseconds(kPause);
    }
    remove_parents(directory);
  }
  return {};
}

Result<> remove_own(const Group& group, const GroupDirectory& first) {
  bool emptied = false;
  for (const GroupDirectory& directory : group.directories) {
    const std::string path = directory.full_path();
    const long result = sys::unlinkat(AT_FDCWD, path.c_str(), AT_REMOVEDIR);
    if (result == -EBUSY && !emptied && !TRY(processes_below(path)).empty()) {
      // At once: processes that fork and end outrun the walk from one to the next.
      TRY(kill_all(group, first));
      emptied = true;
    }
    if (result != 0 && result != -ENOENT && TRY(exists(path))) TRY(remove_directory(path));
    remove_parents(directory);
  }
  return {};
}

}  // namespace

Result<bool> remove(const Group& group) {
  const GroupDirectory* first = principal(group.directories);
  if (first == nullptr) return true;
  Held held{.owner = Owner::ours, .lock = {}};
  if (!group.owner.empty()) held = TRY(hold(first->full_path(), group.owner));
  if (held.owner == Owner::other) return false;
  TRY(is_of(held.owner, group) ? remove_own(group, *first) : remove_unmarked(group));
  return true;
}

}  // namespace onggi::cgroups
