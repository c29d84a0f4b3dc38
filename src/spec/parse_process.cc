// SPDX-License-Identifier: Apache-2.0
// config.md#process.
#include "spec/capabilities.h"
#include "spec/reader.h"

#include <algorithm>

namespace onggi::spec {

static Result<> read(const Cursor& at, ConsoleSize& to) {
  static constexpr Field<ConsoleSize> kFields[] = {
      {"height", into<&ConsoleSize::height>, kRequired},
      {"width", into<&ConsoleSize::width>, kRequired},
  };
  return read_object(at, kFields, to);
}

// On Linux it would leave the user at 0 (config.md, "User": for Windows).
static Result<> ignore_user_name(const Cursor& at, User&) {
  Text name;
  TRY(read(at, name));
  if (!name.empty()) at.note_ignored("has no effect on Linux; set uid and gid");
  return {};
}

static Result<> read(const Cursor& at, User& to) {
  static constexpr Field<User> kFields[] = {
      {"uid", into<&User::uid>},      {"gid", into<&User::gid>},
      {"umask", into<&User::umask>},  {"additionalGids", into<&User::additional_gids>},
      {"username", ignore_user_name},
  };
  return read_object(at, kFields, to);
}

// config.md wants a warning, not an error. Once for each name: it is mostly in several sets.
static void note_unknown_capability(const Cursor& at, Text name) {
  const std::string meant = capability_meant(name);
  if (meant.empty()) return at.note_ignored("unknown capability \"", name, "\"");
  at.note_ignored("unknown capability \"", name, "\", did you mean \"", meant, "\"?");
}

template <uint64_t Capabilities::*kSet>
static Result<> read_set(const Cursor& at, Capabilities& to) {
  TextList names;
  TRY(read(at, names));
  for (uint32_t i = 0; i < names.size(); ++i) {
    if (const auto number = capability_number(names[i])) {
      to.*kSet |= uint64_t{1} << *number;
    } else if (std::ranges::find(to.unknown, names[i]) == to.unknown.end()) {
      to.unknown.push_back(names[i]);
      note_unknown_capability(Cursor(at, i, at.json()), names[i]);
    }
  }
  return {};
}

static Result<> read(const Cursor& at, Capabilities& to) {
  static constexpr Field<Capabilities> kFields[] = {
      {"bounding", read_set<&Capabilities::bounding>},
      {"effective", read_set<&Capabilities::effective>},
      {"inheritable", read_set<&Capabilities::inheritable>},
      {"permitted", read_set<&Capabilities::permitted>},
      {"ambient", read_set<&Capabilities::ambient>},
  };
  return read_object(at, kFields, to);
}

static Result<> read_rlimit_type(const Cursor& at, Rlimit& to) {
  to.type = TRY(read_name(at, kRlimitNames, "resource limit"));
  to.name = text_of(at.json());
  return {};
}

static Result<> read(const Cursor& at, Rlimit& to) {
  static constexpr Field<Rlimit> kFields[] = {
      {"type", read_rlimit_type, kRequired},
      {"soft", into<&Rlimit::soft>, kRequired},
      {"hard", into<&Rlimit::hard>, kRequired},
  };
  return read_object(at, kFields, to);
}

static Result<> read_io_class(const Cursor& at, IoPriority& to) {
  to.io_class = TRY(read_name(at, kIoPriorityClassNames, "I/O priority class"));
  return {};
}

static Result<> read(const Cursor& at, IoPriority& to) {
  static constexpr Field<IoPriority> kFields[] = {
      {"class", read_io_class, kRequired},
      {"priority", into<&IoPriority::priority>},
  };
  return read_object(at, kFields, to);
}

static Result<> read_policy(const Cursor& at, Scheduler& to) {
  to.policy = TRY(read_name(at, kSchedulerPolicyNames, "scheduler policy"));
  return {};
}

static Result<> read_scheduler_flags(const Cursor& at, Scheduler& to) {
  to.flags = TRY(read_flags(at, kSchedulerFlagNames, "scheduler flag"));
  return {};
}

static Result<> read(const Cursor& at, Scheduler& to) {
  static constexpr Field<Scheduler> kFields[] = {
      {"policy", read_policy, kRequired},       {"nice", into<&Scheduler::nice>},
      {"priority", into<&Scheduler::priority>}, {"flags", read_scheduler_flags},
      {"runtime", into<&Scheduler::runtime>},   {"deadline", into<&Scheduler::deadline>},
      {"period", into<&Scheduler::period>},
  };
  return read_object(at, kFields, to);
}

static Result<> read(const Cursor& at, ExecCpuAffinity& to) {
  static constexpr Field<ExecCpuAffinity> kFields[] = {
      {"initial", into<&ExecCpuAffinity::initial>},
      {"final", into<&ExecCpuAffinity::final>},
  };
  return read_object(at, kFields, to);
}

Result<> read(const Cursor& at, Process& to) {
  static constexpr Field<Process> kFields[] = {
      {"terminal", into<&Process::terminal>},
      {"consoleSize", into<&Process::console_size>},
      {"user", into<&Process::user>},
      {"args", into<&Process::args>},
      {"env", into<&Process::env>},
      {"cwd", into<&Process::cwd>, kRequired},
      {"capabilities", into<&Process::capabilities>},
      {"rlimits", into<&Process::rlimits>},
      {"noNewPrivileges", into<&Process::no_new_privileges>},
      {"apparmorProfile", into<&Process::apparmor_profile>},
      {"selinuxLabel", into<&Process::selinux_label>},
      {"oomScoreAdj", into<&Process::oom_score_adj>},
      {"ioPriority", into<&Process::io_priority>},
      {"scheduler", into<&Process::scheduler>},
      {"execCPUAffinity", into<&Process::exec_cpu_affinity>},
  };
  return read_object(at, kFields, to);
}

}  // namespace onggi::spec
