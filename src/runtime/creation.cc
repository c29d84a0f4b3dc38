// SPDX-License-Identifier: Apache-2.0
// The record is on disk before anything that it names exists: after a SIGKILL at any moment,
// `delete --force` finds what there is to clean. Init ends by itself as long as it has not been
// told otherwise.
#include "runtime/creation.h"

#include "base/log.h"
#include "base/memory_reserve.h"
#include "base/path.h"
#include "base/timing.h"
#include "base/utc.h"
#include "cgroups/out_of_memory.h"
#include "linux/process_status.h"
#include "linux/resctrl.h"
#include "linux/start_socket.h"
#include "runtime/announcement.h"
#include "runtime/container_hooks.h"
#include "runtime/crowd.h"
#include "runtime/seccomp_notify.h"

#include <algorithm>

namespace onggi {
namespace {

Record first_record(const Blueprint& blueprint) {
  Record record;
  record.id = blueprint.launch.id;
  record.bundle = blueprint.bundle;
  record.rootfs = join_path(blueprint.bundle, blueprint.spec.root->path);
  record.created = utc_now(Precision::nanoseconds);
  record.owner = std::to_string(sys::call(SYS_geteuid));
  record.private_pids = (blueprint.plan.namespaces.create & CLONE_NEWPID) != 0;
  record.new_keyring = !blueprint.launch.no_new_keyring;
  const spec::Hooks& hooks = blueprint.spec.hooks;
  record.listener = notifies(blueprint.spec);
  record.later_hooks = !hooks.poststart.empty() || !hooks.poststop.empty();
  for (const auto& [name, value] : blueprint.spec.annotations)
    record.annotations.emplace_back(name, value);
  return record;
}

plan::UnitRequest unit_request(const Blueprint& blueprint, const Init& init) {
  const plan::SystemdUnit& unit = *blueprint.plan.cgroup.unit;
  plan::UnitRequest request{.command = plan::UnitCommand::start,
                            .user = unit.user,
                            .unit = unit.name,
                            .properties = unit.properties};
  if (!unit.is_slice())
    request.properties.push_back({"PIDs", "au", {std::to_string(init.pid())}, ""});
  return request;
}

}  // namespace

Creation::Creation(Creation&& other) noexcept
    : spec_(other.spec_),
      signals_(other.signals_),
      directory_(std::exchange(other.directory_, std::nullopt)),
      record_(std::move(other.record_)),
      membership_(std::move(other.membership_)),
      claim_(std::move(other.claim_)),
      deleted_resctrl_(std::move(other.deleted_resctrl_)),
      net_devices_(std::move(other.net_devices_)),
      compilation_(std::move(other.compilation_)),
      seccomp_(std::move(other.seccomp_)),
      agent_(std::move(other.agent_)),
      init_(std::move(other.init_)),
      pid_file_(std::move(other.pid_file_)),
      wait_for_start_(other.wait_for_start_) {}

Creation::~Creation() {
  if (const Result<> removed = take_back(); !removed) log::warn(record_.id, removed.error());
}

Result<> Creation::take_back() {
  if (!directory_) return {};
  init_.reset();
  pid_file_.remove();
  membership_ = {};
  claim_.reset();
  net_devices_.reset();  // moves them back, unless they are the container's already
  const Result<bool> owned = cgroups::remove(record_.cgroup);
  Result<> failed = owned ? Result<>() : Result<>(owned.error());
  const auto note = [&failed](const Result<>& done) {
    if (failed && !done) failed = done;
  };
  if (record_.unit && (!owned || owned.value()))
    note(stop_unit(record_.unit->name, record_.unit->user, signals_));
  note(resctrl::remove(record_.resctrl));
  // runtime.md#lifecycle: also when the container was never started, once there was something to
  // stop. What could not be removed is left to `delete --force`, and the hooks with it.
  if (failed && record_.pid != 0 && !spec_.hooks.poststop.empty()) {
    note(directory_->begin_poststop());
    run_poststop_hooks(spec_, record_, signals_);
  }
  if (failed) note(directory_->remove());
  directory_.reset();
  if (failed) return {};
  Error error = failed.error();
  if (error.hint.empty()) error.hint.append("use delete --force to remove what is left");
  return error;
}

Result<Creation> Creation::begin(const RuntimeOptions& runtime, const Blueprint& blueprint,
                                 int signals) {
  Creation creation(blueprint.spec, signals, TRY(StateDir::make(runtime.root, blueprint.launch.id)),
                    first_record(blueprint));
  creation.record_.cgroup = TRY(cgroups::check_unused(blueprint.plan.cgroup));
  creation.record_.cgroup.owner = cgroup_owner(creation.record_);
  if (blueprint.plan.resctrl)
    creation.record_.resctrl = TRY(resctrl::check(*blueprint.plan.resctrl));
  // First of all that takes time; it leaves nothing behind.
  if (const auto& profile = blueprint.spec.linux.seccomp) {
    creation.compilation_.emplace(
        TRY(SeccompCompilation::start(creation.directory_->root(), *profile)));
  }
  timing::end_of("seccomp");
  // Only now: what is in the way is not ours to stop.
  if (const auto& unit = blueprint.plan.cgroup.unit)
    creation.record_.unit = UnitName{unit->name, unit->user};
  TRY(creation.directory_->save(creation.record_));
  TRY(creation.directory_->save_config(blueprint.document));
  if (!blueprint.plan.cgroup.unit) {  // which would be made around a process
    creation.membership_ =
        TRY(cgroups::create(blueprint.plan.cgroup, creation.record_.cgroup.owner));
    if (creation.membership_.empty()) creation.record_.cgroup = {};
  }
  if (blueprint.plan.resctrl) TRY(creation.make_resctrl(*blueprint.plan.resctrl));
  timing::end_of("state and cgroups");
  TRY(check_memory());
  return creation;
}

// What somebody else was quicker to make is not ours to remove.
Result<> Creation::make_resctrl(const plan::ResctrlPlan& plan) {
  Result<> made = resctrl::make(record_.resctrl);
  if (!made) record_.resctrl.clear();
  TRY(made);
  deleted_resctrl_ = resctrl::removed_with_container(plan, record_.resctrl);
  return resctrl::write_schemata(plan);
}

// In the network namespace that init has entered, before the sysctls that may be those of an
// interface.
Result<> Creation::move_net_devices(const plan::Plan& plan) {
  net_devices_.emplace(TRY(NetDeviceMove::run(plan.net_devices, init_->pid())));
  return {};
}

Result<> Creation::launch_init(const Blueprint& blueprint, const LaunchChoice& choice) {
  const Result<> launched = set_up(blueprint, choice);
  if (!launched)
    return cgroups::with_memory_use(launched.error(), record_.cgroup, cgroups::Use::first);
  return launched;
}

Result<> Creation::set_up(const Blueprint& blueprint, const LaunchChoice& choice) {
  wait_for_start_ = choice.wait_for_start;
  UniqueFd listener;
  if (choice.wait_for_start) listener = TRY(listen_for_start(directory_->fd()));
  const uint32_t inherited = blueprint.launch.listen_fds + blueprint.launch.preserve_fds;
  const UniqueFd empty_mounts =
      mounts_in_crowd(directory_->root(), blueprint.plan, blueprint.facts);
  const LaunchResources resources{
      .tasks = membership_.tasks,
      .unified_cgroup = membership_.unified ? membership_.unified.get() : -1,
      .start_listener = listener ? listener.get() : -1,
      .console = choice.console,
      .empty_mounts = empty_mounts ? empty_mounts.get() : -1,
      .first_process = {},
      .first_private = 3 + inherited,
      .signals = signals_};
  init_.emplace(TRY(launch(blueprint.plan, resources)));
  claim_ = std::move(membership_.claim);
  membership_ = {};
  timing::end_of("clone");
  if (blueprint.plan.resctrl) TRY(resctrl::add(*blueprint.plan.resctrl, init_->pid()));
  // While init mounts, and systemd makes the unit.
  std::optional<CompanionCall> unit;
  if (blueprint.plan.cgroup.unit) unit.emplace(TRY(ask_systemd(unit_request(blueprint, *init_))));
  TRY(record_process());
  for (;;) {
    const MessageKind reached = TRY(init_->wait(blueprint.plan, signals_));
    timing::end_of("init");
    // Before anything is done for init: hooks are not to run for a filter that cannot be made.
    TRY(finish_seccomp());
    if (reached == MessageKind::ready) return {};
    if (reached == MessageKind::entered) TRY(move_net_devices(blueprint.plan));
    if (reached == MessageKind::unplaced) TRY(enter_unit(*unit, blueprint.plan.cgroup));
    if (reached == MessageKind::mounted) TRY(run_create_hooks(spec_, record_, signals_));
    timing::end_of("for init");
    TRY(init_->proceed());
  }
}

Result<> Creation::finish_seccomp() {
  if (!compilation_) return {};
  seccomp_ = TRY(compilation_->wait(signals_));
  compilation_.reset();
  timing::end_of("seccomp wait");
  return {};
}

Result<> Creation::enter_unit(CompanionCall& call, const plan::CgroupPlan& plan) {
  const Result<std::string> cgroup = call.wait(signals_);
  if (!cgroup && cgroup.error().errnum == EEXIST) {
    record_.unit.reset();  // made by somebody else meanwhile
    record_.cgroup = {};
    return cgroups::unit_exists(plan.unit->name);
  }
  if (!cgroup) return at_place(cgroup.error(), "linux.cgroupsPath");
  const auto managed = std::ranges::find_if(plan.directories, &plan::CgroupDirectory::managed);
  if (managed != plan.directories.end() && managed->path != cgroup.value()) {
    return unsupported("linux.cgroupsPath", "systemd placed '", plan.unit->name, "' into cgroup '",
                       cgroup.value(), "', not into '", managed->path, "'");
  }
  cgroups::Membership membership = TRY(cgroups::create(plan, record_.cgroup.owner));
  TRY(cgroups::add_process(plan, membership, init_->pid()));
  claim_ = std::move(membership.claim);
  return {};
}

// While init is at work: whatever it does to itself, its start time stays.
Result<> Creation::record_process() {
  const std::optional<ProcessStatus> process = TRY(process_status(init_->pid()));
  if (!process) return init_died("before it could set up the container");
  record_.pid = init_->pid();
  record_.start_time = process->start_time;
  // What `delete --force` goes by when state.json cannot be understood: the cgroup, or this.
  if (record_.cgroup.directories.empty()) TRY(directory_->save(record_));
  return {};
}

Result<> Creation::commit(const CreateOptions& options, int pidfd_receiver) {
  // First: without its agent the container is not to be.
  if (!wait_for_start_)
    agent_ = TRY(connect_agent(spec_, record_, {record_.pid, Status::created}, signals_));
  Record record = record_;
  record.complete = record.cgroup.complete = true;
  record.resctrl = deleted_resctrl_;
  TRY(directory_->save(record));
  pid_file_ = TRY_AT("--pid-file", PidFile::write(options.pid_file, record.pid));
  TRY(send_pidfd(pidfd_receiver, init_->pidfd()));
  TRY(init_->commit(seccomp_ ? seccomp_.get() : -1, !wait_for_start_));
  record_ = std::move(record);
  claim_.reset();  // init is in the cgroup, which shows that it is in use
  if (net_devices_) net_devices_->keep();
  return {};
}

Result<UniqueFd> Creation::wait_started(const plan::Plan& plan) {
  Result<UniqueFd> started =
      init_->wait_started(plan, std::exchange(agent_, std::nullopt), signals_);
  if (!started)
    return cgroups::with_memory_use(started.error(), record_.cgroup, cgroups::Use::first);
  pid_file_ = {};
  return started;
}

}  // namespace onggi
