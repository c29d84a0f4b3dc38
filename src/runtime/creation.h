// SPDX-License-Identifier: Apache-2.0
// What `create` and `run` have in common: from a blueprint to a container that waits to be started.
#pragma once

#include "linux/launch.h"
#include "linux/net_devices.h"
#include "linux/seccomp_cache.h"
#include "linux/unit_call.h"
#include "runtime/announcement.h"
#include "runtime/blueprint.h"
#include "runtime/state_dir.h"

namespace onggi {

// A container being made. Destroyed before release(), it takes everything back: the process, the
// cgroup, the state.
class Creation {
 public:
  // Records what is going to be made, then makes the cgroup.
  // `signals`: of block_signals(), borrowed: one that would have ended us ends each wait with an
  // error.
  static Result<Creation> begin(const RuntimeOptions& runtime, const Blueprint& blueprint,
                                int signals);
  Creation(Creation&& other) noexcept;
  Creation& operator=(Creation&&) = delete;
  ~Creation();

  struct LaunchChoice {
    int console = -1;            // connected socket for the pty master
    bool wait_for_start = true;  // listen for `start`; else commit() starts the program
  };
  // Starts init and waits until it has set everything up but the program.
  Result<> launch_init(const Blueprint& blueprint, const LaunchChoice& choice);

  // Records the container as created, writes the pid file, sends the pidfd to `pidfd_receiver`
  // (-1: nobody) and lets init go on without us.
  Result<> commit(const CreateOptions& options, int pidfd_receiver);

  // After a commit that starts the program, until it runs: its notify socket, if it has one.
  Result<UniqueFd> wait_started(const plan::Plan& plan);

  Init& init() { return *init_; }
  StateDir& directory() { return *directory_; }
  const Record& record() const { return record_; }

  // The same as the destructor, with an answer. Where something could not be removed, the state
  // stays for `delete --force`.
  Result<> take_back();
  // The container is to stay.
  void release() {
    init_->detach();
    directory_.reset();
  }

 private:
  Result<> set_up(const Blueprint& blueprint, const LaunchChoice& choice);
  Creation(const spec::Spec& spec, int signals, StateDir directory, Record record)
      : spec_(spec),
        signals_(signals),
        directory_(std::move(directory)),
        record_(std::move(record)) {}
  Result<> record_process();
  Result<> make_resctrl(const plan::ResctrlPlan& plan);
  Result<> move_net_devices(const plan::Plan& plan);
  Result<> finish_seccomp();
  Result<> enter_unit(CompanionCall& call, const plan::CgroupPlan& plan);

  const spec::Spec& spec_;  // of the blueprint, which outlives us
  int signals_;
  std::optional<StateDir> directory_;
  Record record_;
  cgroups::Membership membership_;
  UniqueFd claim_;                            // on the cgroup, until the record is whole
  std::vector<std::string> deleted_resctrl_;  // what `delete` removes; a failed `create`: all
  std::optional<NetDeviceMove> net_devices_;
  std::optional<SeccompCompilation> compilation_;
  UniqueFd seccomp_;
  std::optional<SeccompAgent> agent_;
  std::optional<Init> init_;
  PidFile pid_file_;  // until the program runs
  bool wait_for_start_ = true;
};

}  // namespace onggi
