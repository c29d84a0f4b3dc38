// SPDX-License-Identifier: Apache-2.0
// config.json → Spec → Plan, and the checks that need this process rather than the host.
#include "runtime/blueprint.h"

#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/timing.h"
#include "cgroups/probe.h"
#include "linux/init/same_device.h"
#include "linux/notify_relay.h"
#include "linux/probe.h"
#include "linux/seccomp_support.h"
#include "linux/terminal_relay.h"
#include "linux/unit_call.h"
#include "linux/user_namespace.h"
#include "runtime/seccomp_notify.h"
#include "spec/parse.h"
#include "spec/validate.h"

#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cstdlib>

namespace onggi {
namespace {

constexpr int kFirstExtraFd = 3;

Result<std::string> absolute(const std::string& path) {
  char resolved[4096];
  const long opened = sys::openat(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY);
  if (opened == -ENOTDIR)
    return with_hint(system_error(opened, "open", path),
                     "pass the directory that config.json is in");
  if (opened < 0) return system_error(opened, "open", path);
  const UniqueFd directory(opened);
  const std::string link = "/proc/self/fd/" + std::to_string(directory.get());
  const long size = sys::readlinkat(AT_FDCWD, link.c_str(), resolved, sizeof resolved);
  if (size < 0) return system_error(size, "readlink", link);
  return std::string(resolved, static_cast<size_t>(size));
}

// LISTEN_FDS counts only for the process that it was meant for (sd_listen_fds(3)).
uint32_t inherited_listen_fds() {
  const char* count = getenv("LISTEN_FDS");
  const char* pid = getenv("LISTEN_PID");
  if (count == nullptr || pid == nullptr || parse_decimal<long>(pid) != sys::getpid()) return 0;
  return parse_decimal<uint32_t>(count).value_or(0);
}

Result<> check_root(const Blueprint& blueprint) {
  const std::string path = join_path(blueprint.bundle, blueprint.spec.root->path);
  const long opened = sys::openat(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY);
  if (opened < 0) return at_place(system_error(opened, "open", path), "root.path");
  const UniqueFd closed(opened);
  return {};
}

// What libseccomp and the kernel cannot do, and an agent that is not there.
Result<> check_filter(const Blueprint& blueprint) {
  if (!blueprint.spec.linux.seccomp) return {};
  TRY(check_seccomp_support(*blueprint.spec.linux.seccomp));
  return check_agent(blueprint.spec, blueprint.bundle);
}

// A hard limit above our own takes CAP_SYS_RESOURCE (setrlimit(2)); better refused now than at
// `start`.
Result<> check_limits(const Blueprint& blueprint) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  (void)sys::call(SYS_capget, &header, &data[0]);
  // The capability of a user namespace does not count.
  if (!blueprint.facts.in_user_namespace && (data[0].effective >> CAP_SYS_RESOURCE & 1) != 0)
    return {};
  const plan::PoolView pool = blueprint.plan.pool.view();
  for (const plan::Limit& limit : pool(blueprint.plan.handoff.limits)) {
    uint64_t current[2] = {};
    if (sys::prlimit64(0, static_cast<int>(limit.resource), nullptr, current) < 0) continue;
    if (limit.hard <= current[1]) continue;
    const auto place = text<64>("process.rlimits[", limit.place_index, "].hard");
    Error error =
        config_error(place.view(), limit.hard, " exceeds onggi's own hard limit of ", current[1]);
    error.errnum = EPERM;
    return with_hint(error, "raising it requires CAP_SYS_RESOURCE");
  }
  return {};
}

Result<std::optional<plan::UserNamespaceFacts>> probe_joined_user(const spec::Spec& spec) {
  std::optional<plan::UserNamespaceFacts> facts;
  const auto& namespaces = spec.linux.namespaces;
  for (size_t i = 0; i < namespaces.size(); i++) {
    if (namespaces[i].type != spec::NamespaceType::user || namespaces[i].path.empty()) continue;
    const auto place = text<64>("linux.namespaces[", i, "].path");
    facts = TRY(probe_user_namespace(std::string(namespaces[i].path), place.view()));
  }
  return facts;
}

// How far an ordinary user may go down only the kernel knows (oom_score_adj_min), so it is asked,
// about ourselves, and the answer is taken back.
Result<> check_oom_score(const Blueprint& blueprint) {
  if (!blueprint.plan.oom_score_adj || blueprint.facts.euid == 0) return {};
  constexpr const char* kFile = "/proc/self/oom_score_adj";
  const std::string before = TRY(read_file(AT_FDCWD, kFile, 16));
  const Result<> written =
      write_existing(AT_FDCWD, kFile, std::to_string(*blueprint.plan.oom_score_adj));
  if (!written) {
    return at_place(with_hint(written.error(), "rootless users can only raise it"),
                    "process.oomScoreAdj");
  }
  return write_existing(AT_FDCWD, kFile, before);
}

// Where mknod(2) is not to be had, the host's node is bound, so it must be there.
Result<> check_bound_devices(const Blueprint& blueprint) {
  const plan::PoolView pool = blueprint.plan.pool.view();
  for (const plan::Step& step : blueprint.plan.before_pivot) {
    const auto* device = std::get_if<plan::MakeDevice>(&step.action);
    if (device == nullptr || !device->bind) continue;
    const char* path = pool(device->path);
    struct statx info = {};
    const long found = sys::statx(AT_FDCWD, path, 0, STATX_TYPE, &info);
    if (found < 0) {
      return at_place(
          with_hint(system_error(found, "statx", path),
                    "in a user namespace, devices are bind mounts of the host's device nodes"),
          plan::render(step.origin));
    }
    if (same_device(info, *device)) continue;
    return config_error(
        plan::render(step.origin), "the host's '", path,
        "' is a different device, and device nodes cannot be created in a user namespace");
  }
  return {};
}

Result<> check_terminal(const Blueprint& blueprint, const std::string& console_socket,
                        bool foreground) {
  const bool terminal = blueprint.spec.process && blueprint.spec.process->terminal;
  if (terminal && !foreground && console_socket.empty()) {
    return with_hint(config_error("process.terminal", "requires a console socket"),
                     "pass --console-socket");
  }
  // Its input would be over before the program could read of the end.
  if (terminal && console_socket.empty() && !has_terminal()) {
    return with_hint(
        config_error("process.terminal",
                     "is true, but standard input, output and error are not terminals"),
        "run it in a terminal, pass --console-socket, or set process.terminal to false");
  }
  if (!terminal && !console_socket.empty()) {
    return with_hint(make_error(ErrorKind::invalid_config, "--console-socket requires a terminal"),
                     "set process.terminal to true");
  }
  return {};
}

// A named pipe would keep the runtime until somebody writes into it. One without a name is a
// shell's
// <(...), whose writer is there.
Result<std::string> read_config(const std::string& path) {
  constexpr long kPipefs = 0x50495045;
  const UniqueFd file(sys::openat(AT_FDCWD, path.c_str(), O_PATH));
  struct statx info = {};
  struct statfs filesystem = {};
  if (file && sys::statx(file.get(), "", AT_EMPTY_PATH, STATX_TYPE, &info) == 0 &&
      S_ISFIFO(info.stx_mode) && sys::fstatfs(file.get(), &filesystem) == 0 &&
      filesystem.f_type != kPipefs)
    return make_error(ErrorKind::invalid_config, "'", path, "' is not a regular file");
  Result<std::string> document = read_file(AT_FDCWD, path, spec::kMaxDocumentSize);
  if (document || document.error().errnum != ENOENT) return document;
  return with_hint(document.error(),
                   "write one with 'onggi spec', or name the bundle with --bundle");
}

// --strict. Keys that mean nothing to anybody are ignored without a word otherwise: config.md,
// "Extensibility".
Result<> check_strict(const Blueprint& blueprint) {
  if (!blueprint.plan.ignored.empty()) {
    return with_hint(make_error(ErrorKind::invalid_config, blueprint.plan.ignored.front()),
                     "without --strict this is a warning");
  }
  const auto& mounts = blueprint.spec.mounts;
  const auto relative = std::ranges::find_if(
      mounts, [](const spec::Mount& mount) { return !mount.destination.starts_with('/'); });
  if (relative != mounts.end()) {
    return with_hint(
        config_error(text<128>("mounts[", relative - mounts.begin(), "].destination").view(),
                     "relative paths are deprecated"),
        text<160>("write \"/", relative->destination, "\"").view());
  }
  if (blueprint.spec.unknown_key.empty()) return {};
  return with_hint(make_error(ErrorKind::invalid_config, blueprint.spec.unknown_key),
                   "remove it, or omit --strict, which allows no unknown key");
}

}  // namespace

Result<Blueprint> read_blueprint(const RuntimeOptions& runtime, const CreateOptions& options) {
  Blueprint blueprint;
  blueprint.bundle = TRY(absolute(options.bundle));
  blueprint.document = TRY(read_config(join_path(blueprint.bundle, options.config)));
  blueprint.spec = TRY(spec::parse(blueprint.document));
  TRY(spec::validate(blueprint.spec));
  timing::end_of("config");
  plan::HostFacts& facts = blueprint.facts;
  TRY(probe_host(facts));
  TRY(cgroups::probe(facts));
  if (blueprint.spec.linux.intel_rdt) TRY(probe_resctrl(facts));
  facts.joined_user = TRY(probe_joined_user(blueprint.spec));
  if (runtime.cgroup_manager == CgroupManager::systemd) {
    facts.systemd = probe_systemd(facts.euid != 0 || facts.in_user_namespace);
    cgroups::probe_systemd_cgroup(facts);
  }
  if (log::shows_debug()) log::debug(plan::print_facts(facts));
  timing::end_of("host");
  blueprint.launch = {.id = options.id,
                      .bundle = blueprint.bundle,
                      .cgroup = static_cast<plan::CgroupRequest>(runtime.cgroup_manager),
                      .preserve_fds = options.preserve_fds,
                      .listen_fds = inherited_listen_fds(),
                      .rootless = static_cast<plan::Rootless>(runtime.rootless),
                      .no_pivot = options.no_pivot,
                      .no_new_keyring = options.no_new_keyring,
                      .notify = notify_requested()};
  blueprint.plan = TRY(plan::build(blueprint.spec, facts, blueprint.launch));
  if (options.strict) TRY(check_strict(blueprint));
  timing::end_of("plan");
  return blueprint;
}

Result<> check_descriptors(uint32_t listen_fds, uint32_t preserve_fds) {
  const uint64_t count = uint64_t{listen_fds} + preserve_fds;
  for (uint64_t i = 0; i < count; i++) {
    const int fd = kFirstExtraFd + static_cast<int>(i);
    if (sys::fcntl(fd, F_GETFD) >= 0) continue;
    return make_error(ErrorKind::invalid_config, i < listen_fds ? "LISTEN_FDS" : "--preserve-fds",
                      ": descriptor ", fd, " is not open");
  }
  return {};
}

Result<> check_program_feasible(const Blueprint& blueprint, const std::string& console_socket,
                                bool foreground) {
  if (!blueprint.plan.refused.empty()) return blueprint.plan.refused.front();
  for (const std::string& warning : blueprint.plan.ignored) log::warn(warning, log::Show::always);
  for (const std::string& warning : blueprint.plan.warnings) log::warn(warning);
  TRY(check_filter(blueprint));
  TRY(check_terminal(blueprint, console_socket, foreground));
  TRY(check_oom_score(blueprint));
  return check_limits(blueprint);
}

Result<> check_feasible(const Blueprint& blueprint, const CreateOptions& options, bool foreground) {
  TRY(check_program_feasible(blueprint, options.console_socket, foreground));
  TRY(check_descriptors(blueprint.launch.listen_fds, blueprint.launch.preserve_fds));
  TRY(check_bound_devices(blueprint));
  return check_root(blueprint);
}

Result<std::string> describe_plan(const RuntimeOptions& runtime, const CreateOptions& options) {
  const Blueprint blueprint = TRY(read_blueprint(runtime, options));
  for (const std::string& warning : blueprint.plan.ignored) log::warn(warning);
  for (const std::string& warning : blueprint.plan.warnings) log::warn(warning);
  return plan::print(blueprint.plan);
}

}  // namespace onggi
