// SPDX-License-Identifier: Apache-2.0
// `mounts`, in the document's order: a bind if the options say so, whatever the type; else a
// filesystem.
#include "base/path.h"
#include "plan/build_parts.h"
#include "spec/mount_options.h"

#include <linux/mount.h>

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
  const bool allowed = std::find(std::begin(kBindableInProc), std::end(kBindableInProc),
                                 destination) != std::end(kBindableInProc);
  const bool is_proc = destination == "/proc";
  if (!is_proc && !destination.starts_with("/proc/")) return {};
  if (bind ? (is_proc || allowed) : (is_proc && request.mount.type == "proc")) return {};
  return config_error(
      place_of(request.index, "destination"), "'", destination,
      "' is inside /proc, where only a proc filesystem and the files of lxcfs may be mounted");
}

Result<> add_bind(BuildContext& context, const MountRequest& request) {
  if (!request.mount.source)
    return config_error(place_of(request.index, "source"), "a bind mount needs one");
  Pool& pool = context.plan.pool;
  const spec::MountOptions& options = request.options;
  BindMount step;
  step.source = pool.text(join_path(context.options.bundle, *request.mount.source));
  step.destination = pool.text(request.destination);
  step.recursive = options.recursive_bind;
  step.over_proc = request.destination.starts_with("/proc/");  // the list above was asked
  step.proc_source = request.destination == "/proc";
  step.attributes = {options.attr_set, options.attr_clear, options.recursive_set,
                     options.recursive_clear};
  step.propagation = propagation_of(options, pool);
  context.plan.before_pivot.push_back({{"mounts", request.index}, step});
  return {};
}

List<FilesystemOption> filesystem_options(const spec::MountOptions& options, Pool& pool) {
  std::vector<FilesystemOption> list;
  for (std::string_view flag : options.filesystem_flags) list.push_back({pool.text(flag), {}});
  for (std::string_view option : options.data) {
    const size_t equals = option.find('=');
    const bool has_value = equals != std::string_view::npos;
    list.push_back({pool.text(option.substr(0, equals)),
                    has_value ? pool.text(option.substr(equals + 1)) : Text{}});
  }
  return pool.list(list);
}

bool has_mode(const spec::MountOptions& options) {
  return std::any_of(options.data.begin(), options.data.end(),
                     [](std::string_view option) { return option.starts_with("mode="); });
}

Result<> add_filesystem(BuildContext& context, const MountRequest& request) {
  const spec::Mount& mount = request.mount;
  if (!mount.type || mount.type->empty()) {
    return with_hint(config_error(place_of(request.index, "type"), "is not set"),
                     "a bind mount has \"bind\" or \"rbind\" in its options");
  }
  const std::string_view type = *mount.type;
  if (request.options.tmpcopyup && type != "tmpfs") {
    return config_error(place_of(request.index, "options"), "tmpcopyup is for tmpfs only");
  }
  const spec::MountOptions& options = request.options;
  Pool& pool = context.plan.pool;
  FilesystemMount step;
  step.type = pool.text(type);
  step.source = pool.text(mount.source.value_or(type));
  step.destination = pool.text(request.destination);
  step.options = filesystem_options(options, pool);
  step.attributes = options.attr_set | options.recursive_set;
  step.propagation = propagation_of(options, pool);
  step.ordinary_directory = type == "proc" || type == "sysfs";
  step.copy_up = options.tmpcopyup;
  step.inherit_mode = type == "tmpfs" && !has_mode(options);
  if (context.in_user_namespace()) {
    if (type == "sysfs") step.fallback_source = pool.text("/sys");
    if (type == "mqueue") step.fallback_source = pool.text("/dev/mqueue");
  }
  // Mount points and devices have yet to be made in it.
  const bool postponed = type == "tmpfs" && (step.attributes & MOUNT_ATTR_RDONLY) != 0;
  if (postponed) step.attributes &= ~uint64_t{MOUNT_ATTR_RDONLY};
  context.plan.before_pivot.push_back({{"mounts", request.index}, step});
  if (postponed)
    context.plan.after_pivot.push_back(
        {{"mounts", request.index}, RemountReadonly{step.destination}});
  return {};
}

Result<> add_mount(BuildContext& context, const spec::Mount& mount, int32_t index) {
  const std::string place = "mounts[" + std::to_string(index) + "]";
  MountRequest request{.mount = mount,
                       .options = TRY(spec::parse_mount_options(mount, place)),
                       .destination = clean_path(join_path("/", mount.destination)),
                       .index = index};
  if (!mount.destination.starts_with('/')) {
    context.warn(place + ".destination: relative paths are deprecated; taken as '" +
                 request.destination + "'");
  }
  const bool bind = request.options.bind || request.options.recursive_bind;
  TRY(check_proc_destination(request, bind));
  if (bind) return add_bind(context, request);
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

Result<> build_mounts(BuildContext& context) {
  for (size_t i = 0; i < context.spec.mounts.size(); i++) {
    TRY(add_mount(context, context.spec.mounts[i], static_cast<int32_t>(i)));
  }
  return {};
}

}  // namespace onggi::plan
