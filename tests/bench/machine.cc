// SPDX-License-Identifier: Apache-2.0
#include "bench/machine.h"

#include "bench/scenario.h"

#include <sched.h>
#include <sys/utsname.h>

#include <ctime>
#include <sstream>

namespace bench {
namespace {

std::string processor_model() {
  std::istringstream lines(read_file("/proc/cpuinfo"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::string cgroup_layout() {
  if (is_host(Host::v2)) return "v2";
  return std::filesystem::exists("/sys/fs/cgroup/unified") ? "v1, with a v2 hierarchy" : "v1";
}

}  // namespace

Machine this_machine() {
  Machine machine;
  utsname names = {};
  (void)uname(&names);
  machine.kernel = std::string(names.sysname) + " " + names.release + " " + names.machine;
  machine.processor = processor_model();
  machine.cgroups = cgroup_layout();
  cpu_set_t processors;
  (void)sched_getaffinity(0, sizeof processors, &processors);
  machine.processors = CPU_COUNT(&processors);
  std::istringstream(read_file("/proc/loadavg")) >> machine.load;
  char text[32];
  const time_t now = time(nullptr);
  tm parts = {};
  (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
  machine.time = text;
  return machine;
}

}  // namespace bench
