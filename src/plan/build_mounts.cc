// SPDX-License-Identifier: Apache-2.0
// `mounts`, in the document's order: a change of what is there already (remount), a bind if the
// options say so, whatever the type, or else a filesystem.
#include "base/path.h"
#include "base/text.h"
#include "plan/build_parts.h"
#include "spec/mount_options.h"

#include <linux/mount.h>
#include <linux/sched.h>

#include <algorithm>
#include <string_view>

namespace onggi::plan {
namespace {

// What lxcfs serves. Anything else below /proc could stand in for the files that labels and limits
// are written to, or that are masked.
constexpr std::string_view kBindableInProc[] = {
    "/proc/cpuinfo",
    "/proc/crypto/fips_enabled",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/net/dev",
    "/proc/slabinfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sys/crypto/fips_enabled",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/uptime",
};

// Filesystems without a label of their own making: SELinux has rules for what the kernel shows in
// them, and mqueue takes no option.
constexpr std::string_view kUnlabelled[] = {"proc", "sysfs", "mqueue"};
// mount(8): given by the user for one mount, they take the place of linux.mountLabel.
constexpr std::string_view kLabelOptions[] = {"context", "fscontext", "defcontext", "rootcontext"};

// One filesystem for the whole system, whose options each mount sets anew.
constexpr std::string_view kSharedWithHost[] = {"debugfs", "devtmpfs", "pstore", "tracefs"};

template <size_t N>
bool is_one_of(const std::string_view (&list)[N], std::string_view text) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

struct MountRequest {
  const spec::Mount& mount;
  spec::MountOptions options;
  std::string destination;  // cleaned
  int32_t index;
};

std::string place_of(int32_t index, const char* field) {
  return "mounts[" + std::to_string(index) + "]." + field;
}

Result<> check_proc_destination(const MountRequest& request, bool bind) {
  const std::string& destination = request.destination;
  const bool allowed = is_one_of(kBindableInProc, destination);
  const bool is_proc = destination == "/proc";
  if (!is_proc && !destination.starts_with("/proc/")) return {};
  if (bind ? (is_proc || allowed) : (is_proc && request.mount.type == "proc")) return {};
  return config_error(
      place_of(request.index, "destination"), "'", destination,
      "' is inside /proc, where only proc filesystems and lxcfs files may be mounted");
}

// config.md#linux-mount-options, idmap: own mappings, or those of the container's user namespace
// (an empty entry). Mappings alone are taken for idmap, as in version 1.1 of the specification.
int32_t id_map_of(const MountRequest& request, std::vector<IdMap>& maps) {
  const spec::Mount& mount = request.mount;
  if (!request.options.idmap && !request.options.ridmap && mount.uid_mappings.empty()) return -1;
  const IdMap wanted{mount.uid_mappings, mount.gid_mappings};
  const auto found = std::find(maps.begin(), maps.end(), wanted);
  const auto index = static_cast<int32_t>(found - maps.begin());
  if (found == maps.end()) maps.push_back(wanted);
  return index;
}

// What mount(2) with MS_REMOUNT | MS_BIND clears beside what it is told to set; the access time
// settings only together, when one of them is named. So do runc and crun.
uint64_t unnamed_flags(const spec::MountOptions& options) {
  constexpr uint64_t kFlags = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                              MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;
  constexpr uint64_t kAccessTime = MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME;
  const uint64_t named = options.attr_set | options.attr_clear;
  const bool names_time = (options.attr_clear & MOUNT_ATTR__ATIME) != 0 ||
                          (options.attr_set & MOUNT_ATTR_NODIRATIME) != 0;
  return (kFlags | (names_time ? kAccessTime : 0)) & ~named;
}

// A bind mount without any flag among its options is like its source; one with a flag has no other.
// A change of a filesystem (`remount` alone) leaves the flags of the mount that it does not name.
MountAttributes attributes_of(const spec::MountOptions& options) {
  const bool replaces = options.bind && (options.names_flag || options.remount);
  return {.set = options.attr_set,
          .clear = options.attr_clear,
          .implied_clear = replaces ? unnamed_flags(options) : 0,
          .recursive_set = options.recursive_set,
          .recursive_clear = options.recursive_clear};
}

Result<> add_bind(BuildContext& context, const MountRequest& request) {
  if (!request.mount.source)
    return config_error(place_of(request.index, "source"), "a bind mount requires a source");
  Pool& pool = context.plan.pool;
  const spec::MountOptions& options = request.options;
  BindMount step;
  step.source = pool.text(join_path(context.options.bundle, *request.mount.source));
  step.destination = pool.text(request.destination);
  step.recursive = options.recursive_bind;
  step.over_proc = request.destination.starts_with("/proc/");  // the list above was asked
  step.proc_source = request.destination == "/proc";
  step.ask_when_refused =
      context.creates(BuildContext::kNewUser) || context.joins(spec::NamespaceType::user);
  step.recursive_id_map = options.ridmap;
  step.id_map = id_map_of(request, context.plan.id_maps);
  step.attributes = attributes_of(options);
  step.propagation = propagation_of(options, pool);
  context.plan.before_pivot.push_back({{"mounts", request.index}, step});
  return {};
}

// Quotes keep the commas of a label together on a command line; fsconfig(2) takes values as they
// are.
std::string_view unquoted(std::string_view key, std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted && is_one_of(kLabelOptions, key) ? value.substr(1, value.size() - 2) : value;
}

std::vector<FilesystemOption> filesystem_options(const spec::MountOptions& options, Pool& pool) {
  std::vector<FilesystemOption> list;
  for (std::string_view flag : options.filesystem_flags) list.push_back({pool.text(flag), {}});
  for (std::string_view option : options.data) {
    const size_t equals = option.find('=');
    const std::string_view key = option.substr(0, equals);
    const bool has_value = equals != std::string_view::npos;
    list.push_back(
        {pool.text(key), has_value ? pool.text(unquoted(key, option.substr(equals + 1))) : Text{}});
  }
  return list;
}

bool has_key(const spec::MountOptions& options, std::string_view key) {
  return std::any_of(options.data.begin(), options.data.end(), [key](std::string_view option) {
    return option.substr(0, option.find('=')) == key;
  });
}

void add_label(const BuildContext& context, const MountRequest& request, FilesystemMount& step,
               std::vector<FilesystemOption>& options) {
  const std::string_view type = *request.mount.type;
  for (std::string_view key : kLabelOptions) {
    if (has_key(request.options, key)) return;
  }
  if (type == "mqueue") step.root_label = mount_label(context);
  if (is_one_of(kUnlabelled, type)) return;
  if (const Text label = mount_label(context))
    options.push_back({context.plan.pool.text("context"), label});
}

// Takes the read-only attribute out of `attributes` and sets it after the pivot.
void postpone_readonly(BuildContext& context, const MountRequest& request, Text destination,
                       uint64_t& attributes) {
  if ((attributes & MOUNT_ATTR_RDONLY) == 0 ||
      !stays_uncovered(context, request.index, request.destination))
    return;
  attributes &= ~uint64_t{MOUNT_ATTR_RDONLY};
  context.plan.after_pivot.push_back({{"mounts", request.index}, RemountReadonly{destination}});
}

// The last entry before this one that made the mount on its destination: is it a filesystem that
// the container has for itself?
bool is_own_filesystem(const BuildContext& context, const MountRequest& request) {
  for (auto i = static_cast<size_t>(request.index); i-- > 0;) {
    const spec::Mount& earlier = context.spec.mounts[i];
    if (std::find(earlier.options.begin(), earlier.options.end(), "remount") !=
            earlier.options.end() ||
        clean_path(join_path("/", earlier.destination)) != request.destination) {
      continue;
    }
    return !is_bind(earlier) && earlier.type && !earlier.type->starts_with("cgroup");
  }
  return false;
}

// Source and type have no meaning for a remount (mount(2)).
Result<> add_remount(BuildContext& context, const MountRequest& request) {
  const spec::MountOptions& options = request.options;
  Pool& pool = context.plan.pool;
  const std::vector<FilesystemOption> settings = filesystem_options(options, pool);
  if (!settings.empty() && !is_own_filesystem(context, request)) {
    return with_hint(
        config_error(place_of(request.index, "options"), "'", pool.view()(settings.front().key),
                     "' would change a filesystem that the container does not own"),
        "only mount flags, such as ro and nosuid, can be changed");
  }
  Remount step;
  step.destination = pool.text(request.destination);
  step.options = pool.list(settings);
  step.attributes = attributes_of(options);
  step.propagation = propagation_of(options, pool);
  postpone_readonly(context, request, step.destination, step.attributes.set);
  context.plan.before_pivot.push_back({{"mounts", request.index}, step});
  return {};
}

Result<> check_type(const MountRequest& request, std::string_view type) {
  const std::string place = place_of(request.index, "options");
  if (type == "bind" || type == "rbind" || type == "none") {
    return with_hint(config_error(place_of(request.index, "type"), "type \"", type,
                                  "\" alone makes no bind mount"),
                     text<96>("add \"bind\" or \"rbind\" to ", place).view());
  }
  if (is_one_of(kSharedWithHost, type) && !request.options.data.empty()) {
    return with_hint(
        config_error(place, "'", request.options.data.front(), "' would change the host's ", type),
        "flags such as ro and nosuid can be set: they are of the mount");
  }
  return {};
}

Result<> add_filesystem(BuildContext& context, const MountRequest& request) {
  const spec::Mount& mount = request.mount;
  if (!mount.type || mount.type->empty()) {
    return with_hint(config_error(place_of(request.index, "type"), "is not set"),
                     "for a bind mount, add \"bind\" or \"rbind\" to its options");
  }
  const std::string_view type = *mount.type;
  const spec::MountOptions& options = request.options;
  TRY(check_type(request, type));
  Pool& pool = context.plan.pool;
  FilesystemMount step;
  step.type = pool.text(type);
  step.source = pool.text(mount.source.value_or(type));
  step.destination = pool.text(request.destination);
  std::vector<FilesystemOption> settings = filesystem_options(options, pool);
  add_label(context, request, step, settings);
  step.options = pool.list(settings);
  step.attributes = options.attr_set | options.recursive_set;
  step.propagation = propagation_of(options, pool);
  step.ordinary_directory = type == "proc" || type == "sysfs";
  step.copy_up = options.tmpcopyup;
  step.inherit_mode = type == "tmpfs" && !has_key(options, "mode");
  if (context.in_user_namespace()) {
    if (type == "sysfs") step.fallback_source = pool.text("/sys");
    // Of the host's processes, which are the container's then.
    if (type == "proc" && !context.creates(CLONE_NEWPID)) step.fallback_source = pool.text("/proc");
    if (type == "mqueue") step.fallback_source = pool.text("/dev/mqueue");
  }
  if (type == "tmpfs") postpone_readonly(context, request, step.destination, step.attributes);
  context.plan.before_pivot.push_back({{"mounts", request.index}, step});
  return {};
}

Result<> add_mount(BuildContext& context, const spec::Mount& mount, int32_t index) {
  const std::string place = "mounts[" + std::to_string(index) + "]";
  MountRequest request{.mount = mount,
                       .options = TRY(spec::parse_mount_options(mount, place)),
                       .destination = clean_path(join_path("/", mount.destination)),
                       .index = index};
  if (!mount.destination.starts_with('/')) {
    context.warn(place + ".destination: relative paths are deprecated; using '" +
                 request.destination + "'");
  }
  if (request.options.remount) return add_remount(context, request);
  TRY(check_proc_destination(request, request.options.bind));
  if (request.options.bind) return add_bind(context, request);
  if (mount.type && (*mount.type == "cgroup" || *mount.type == "cgroup2")) {
    return build_cgroup_mount(context, mount, request.options, index);
  }
  return add_filesystem(context, request);
}

}  // namespace

List<Propagation> propagation_of(const spec::MountOptions& options, Pool& pool) {
  std::vector<Propagation> list;
  for (const auto& entry : options.propagation) {
    list.push_back({entry.type, entry.recursive ? 1U : 0U});
  }
  return pool.list(list);
}

bool stays_uncovered(const BuildContext& context, int32_t index, std::string_view destination) {
  const auto& mounts = context.spec.mounts;
  return std::none_of(mounts.begin() + index + 1, mounts.end(), [&](const spec::Mount& later) {
    const std::string over = clean_path(join_path("/", later.destination));
    return over == "/" || over == destination ||
           (destination.starts_with(over) && destination[over.size()] == '/');
  });
}

Text mount_label(const BuildContext& context) {
  return context.facts.selinux ? context.plan.pool.text(context.spec.linux.mount_label) : Text{};
}

bool is_bind(const spec::Mount& mount) {
  return std::any_of(mount.options.begin(), mount.options.end(),
                     [](std::string_view option) { return option == "bind" || option == "rbind"; });
}

Result<> build_mounts(BuildContext& context) {
  for (size_t i = 0; i < context.spec.mounts.size(); i++) {
    TRY(add_mount(context, context.spec.mounts[i], static_cast<int32_t>(i)));
  }
  return {};
}

}  // namespace onggi::plan
