// SPDX-License-Identifier: Apache-2.0
// Rules of config.md#process. A bundle without a process can be created, but not started, so its
// absence is no error.
#include "spec/checks.h"
#include "spec/number_list.h"

#include <linux/sched.h>

namespace onggi::spec {

Result<> check_program(const Spec& spec) {
  if (!spec.process) return {};
  if (!is_absolute(spec.process->cwd)) return broken("process.cwd", "must be an absolute path");
  if (spec.process->args.empty()) return broken("process.args", "must name a program");
  return check_environment(spec.process->env, "process.env");
}

Result<> check_user(const Spec& spec) {
  constexpr uint32_t kNoId =
      0xffffffff;  // (uid_t)-1: "leave it as it is" to setresuid(2), which would keep root
  if (!spec.process) return {};
  const User& user = spec.process->user;
  if (user.uid == kNoId) return broken("process.user.uid", kNoId, " is not a valid user id");
  if (user.gid == kNoId) return broken("process.user.gid", kNoId, " is not a valid group id");
  for (size_t i = 0; i < user.additional_gids.size(); ++i) {
    if (user.additional_gids[i] == kNoId) {
      return broken(place("process.user.additionalGids[", i, "]"), kNoId,
                    " is not a valid group id");
    }
  }
  if (user.umask.value_or(0) > 0777)
    return broken("process.user.umask", "must be at most 511 (0777)");
  return {};
}

// struct winsize of tty_ioctl(4) has 16 bits. Without a terminal the field is to be ignored.
Result<> check_console_size(const Spec& spec) {
  if (!spec.process || !spec.process->terminal || !spec.process->console_size) return {};
  if (spec.process->console_size->height > 0xffff) {
    return broken("process.consoleSize.height", "must be at most 65535");
  }
  if (spec.process->console_size->width > 0xffff) {
    return broken("process.consoleSize.width", "must be at most 65535");
  }
  return {};
}

Result<> check_rlimits(const Spec& spec) {
  if (!spec.process) return {};
  uint64_t seen = 0;
  for (size_t i = 0; i < spec.process->rlimits.size(); ++i) {
    const Rlimit& limit = spec.process->rlimits[i];
    const Place at = place("process.rlimits[", i, "]");
    const uint64_t bit = uint64_t{1} << limit.type;
    if ((seen & bit) != 0) return broken(at, "\"", limit.name, "\" is listed twice");
    seen |= bit;
    if (limit.soft > limit.hard) {
      return broken(at, "the soft limit ", limit.soft, " is above the hard limit ", limit.hard);
    }
  }
  return {};
}

Result<> check_oom_score(const Spec& spec) {
  const int32_t score = spec.process ? spec.process->oom_score_adj.value_or(0) : 0;
  if (score < -1000 || score > 1000) {
    return broken("process.oomScoreAdj", "must be an integer from -1000 to 1000");
  }
  return {};
}

// sched_setattr(2): 1024 ns <= runtime <= deadline <= period, where a period of 0 means the
// deadline.
static Result<> check_deadline(const Scheduler& scheduler) {
  const uint64_t runtime = scheduler.runtime.value_or(0), deadline = scheduler.deadline.value_or(0),
                 period = scheduler.period.value_or(0);
  if (scheduler.policy != SCHED_DEADLINE) {
    if ((runtime | deadline | period) == 0) return {};
    return broken("process.scheduler", "runtime, deadline and period require SCHED_DEADLINE");
  }
  if (runtime < 1024)
    return broken("process.scheduler.runtime", "must be at least 1024 nanoseconds");
  if (deadline < runtime) return broken("process.scheduler.deadline", "must not be below runtime");
  if (period != 0 && period < deadline) {
    return broken("process.scheduler.period", "must not be below deadline");
  }
  return {};
}

Result<> check_scheduler(const Spec& spec) {
  if (!spec.process || !spec.process->scheduler) return {};
  const Scheduler& scheduler = *spec.process->scheduler;
  const int32_t nice = scheduler.nice.value_or(0), priority = scheduler.priority.value_or(0);
  if (nice < -20 || nice > 19) {
    return broken("process.scheduler.nice", "must be an integer from -20 to 19");
  }
  const bool realtime = scheduler.policy == SCHED_FIFO || scheduler.policy == SCHED_RR;
  if (realtime && (priority < 1 || priority > 99)) {
    return broken("process.scheduler.priority", "must be an integer from 1 to 99");
  }
  if (!realtime && priority != 0) {
    return broken("process.scheduler.priority", "requires SCHED_FIFO or SCHED_RR");
  }
  return check_deadline(scheduler);
}

Result<> check_io_priority(const Spec& spec) {
  if (!spec.process || !spec.process->io_priority) return {};
  const int32_t priority = spec.process->io_priority->priority;
  if (priority < 0 || priority > 7) {
    return broken("process.ioPriority.priority", "must be an integer from 0 to 7");
  }
  return {};
}

Result<> check_exec_cpu_affinity(const Spec& spec) {
  if (!spec.process || !spec.process->exec_cpu_affinity) return {};
  const ExecCpuAffinity& affinity = *spec.process->exec_cpu_affinity;
  const std::pair<Text, Text> lists[] = {{"initial", affinity.initial}, {"final", affinity.final}};
  for (const auto& [field, list] : lists) {
    if (!list.empty() && !parse_number_list(list)) {
      return broken(place("process.execCPUAffinity.", field), "\"", list,
                    "\" is not a valid list of CPUs");
    }
  }
  return {};
}

}  // namespace onggi::spec
