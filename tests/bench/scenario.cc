// SPDX-License-Identifier: Apache-2.0
#include "bench/scenario.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

namespace bench {
namespace {

constexpr Verb kVersion[] = {Verb::version};
constexpr Verb kRun[] = {Verb::run};
constexpr Verb kExec[] = {Verb::exec};
constexpr Verb kLife[] = {Verb::create, Verb::start, Verb::state, Verb::kill, Verb::remove};

constexpr Scenario kScenarios[] = {
    {.name = "version", .summary = "start of the program: --version", .verbs = kVersion},
    {.name = "run",
     .summary = "run of /bin/true, bundle of `runc spec`",
     .verbs = kRun,
     .floor = Kind::floor},
    {.name = "engine",
     .summary = "run of /bin/true, bundle like podman's: seccomp, limits, volumes",
     .verbs = kRun,
     .shape = Shape::engine,
     .cold = true},
    {.name = "lifecycle",
     .summary = "create, start, state, kill, delete, one by one as engines call them",
     .verbs = kLife},
    {.name = "engine-lifecycle",
     .summary = "the same with the bundle like podman's",
     .verbs = kLife,
     .shape = Shape::engine},
    {.name = "exec",
     .summary = "exec of /bin/true in a running container",
     .verbs = kExec,
     .floor = Kind::floor,
     .inside = true},
    {.name = "hooks",
     .summary = "run with one hook of each of the six kinds",
     .verbs = kRun,
     .shape = Shape::hooks},
    {.name = "binds", .summary = "run with 30 bind mounts", .verbs = kRun, .shape = Shape::binds},
    {.name = "user-namespace",
     .summary = "run with a user namespace",
     .verbs = kRun,
     .shape = Shape::user_namespace},
    {.name = "cgroup-v1",
     .summary = "run with limits of memory, CPU and processes",
     .verbs = kRun,
     .shape = Shape::limits,
     .host = Host::v1},
    {.name = "cgroup-v2",
     .summary = "run with limits of memory, CPU and processes",
     .verbs = kRun,
     .shape = Shape::limits,
     .host = Host::v2},
    {.name = "systemd",
     .summary = "create, start, state, kill, delete with --systemd-cgroup",
     .verbs = kLife,
     .host = Host::systemd,
     .floor = Kind::unit},
    {.name = "parallel",
     .summary = "16 runs at a time, on two processors",
     .verbs = kRun,
     .floor = Kind::floor,
     .at_once = 16},
    {.name = "others-0",
     .summary = "run, no other container alive",
     .verbs = kRun,
     .floor = Kind::floor},
    {.name = "others-200",
     .summary = "run, 200 other containers and their mounts alive",
     .verbs = kRun,
     .floor = Kind::floor,
     .others = 200},
    {.name = "others-1000",
     .summary = "run, 1,000 other containers and their mounts alive",
     .verbs = kRun,
     .floor = Kind::floor,
     .others = 1000},
    {.name = "memory", .summary = "memory held by a container's own runtime", .verbs = {}},
};

bool is_v2_alone() {
  struct statfs info = {};
  return statfs("/sys/fs/cgroup", &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

bool has_systemd() {
  struct stat info = {};
  return stat("/run/systemd/private", &info) == 0;
}

struct Row {
  Host host;
  const char* name;
  bool (*is)();
};
constexpr Row kHosts[] = {
    {Host::any, "any host", [] { return true; }},
    {Host::v1, "cgroup v1", [] { return !is_v2_alone(); }},
    {Host::v2, "cgroup v2", is_v2_alone},
    {Host::systemd, "systemd", has_systemd},
};

const Row& row_of(Host host) {
  for (const Row& row : kHosts) {
    if (row.host == host) return row;
  }
  throw Failure("a host without a row");
}

}  // namespace

std::span<const Scenario> scenarios() {
  return kScenarios;
}

const Scenario* find_scenario(const std::string& name) {
  for (const Scenario& scenario : kScenarios) {
    if (scenario.name == name) return &scenario;
  }
  return nullptr;
}

bool is_host(Host host) {
  return row_of(host).is();
}

const char* name_of(Host host) {
  return row_of(host).name;
}

}  // namespace bench
