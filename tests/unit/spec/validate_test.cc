// SPDX-License-Identifier: Apache-2.0
// One case for each MUST of config.md and config-linux.md that needs no host.
#include "support.h"

#include <doctest/doctest.h>

using namespace onggi;
using namespace onggi::spec;

namespace {

void check_all(std::initializer_list<Case> cases) {
  for (const auto& [document, expected] : cases) {
    CAPTURE(document);
    CHECK(verdict(document) == expected);
  }
}

std::string version(std::string_view text) {
  return std::string(R"({"ociVersion": ")").append(text).append(R"(", "root": {"path": "r"}})");
}

// Members of linux, with these namespaces.
std::string with_namespaces(std::string_view types, std::string_view members) {
  std::string list;
  while (!types.empty()) {
    const size_t blank = types.find(' ');
    list.append(list.empty() ? "" : ", ")
        .append("{\"type\": \"")
        .append(types.substr(0, blank))
        .append("\"}");
    types = blank == types.npos ? "" : types.substr(blank + 1);
  }
  return linux_with("\"namespaces\": [" + list + "], " + std::string(members));
}

std::string sysctl(std::string_view types, std::string_view key) {
  return with_namespaces(types, std::string("\"sysctl\": {\"").append(key).append("\": \"1\"}"));
}

}  // namespace

TEST_CASE("ociVersion") {
  for (const char* good : {"1.0.0", "0.5.0-dev", "1.3.0", "1.99.0", "1.0.2-rc.1+build.007", "1.0",
                           "1", "v1.0.2", "v1"}) {
    CAPTURE(good);
    CHECK(verdict(version(good)) == "ok");
  }
  for (const char* bad : {"", "1x", "v", "1.", "vv1.0.0", "V1.0", "one", "01.0", "01.0.0", "1.0.0-",
                          "1.0.0-01", "1.0.0.0", "1.0.0-a..b", "1.0.0+ü"}) {
    CAPTURE(bad);
    CHECK(verdict(version(bad)) ==
          "ociVersion: \"" + std::string(bad) + "\" is not a semantic version");
  }
  CHECK(verdict(version("2.0.0")) == "ociVersion: version 2.0.0 is not supported, only 1.x");
  CHECK(verdict(version("10.0.0")) == "ociVersion: version 10.0.0 is not supported, only 1.x");
}

TEST_CASE("root, hostname, annotations, hooks") {
  const std::string uts = R"("linux": {"namespaces": [{"type": "uts"}]})";
  check_all({
      {R"({"ociVersion": "1.0.0"})", "root: is required"},
      {R"({"ociVersion": "1.0.0", "root": {"path": ""}})", "root.path: must not be empty"},
      {document_with(""), "ok"},
      {document_with(R"("hostname": "a")"),
       "hostname: requires a uts namespace in linux.namespaces"},
      {document_with(R"("domainname": "a")"),
       "domainname: requires a uts namespace in linux.namespaces"},
      {document_with(R"("hostname": "a", "domainname": "b", )" + uts), "ok"},
      {document_with("\"hostname\": \"" + std::string(64, 'a') + "\", " + uts), "ok"},
      {document_with("\"hostname\": \"" + std::string(65, 'a') + "\", " + uts),
       "hostname: must not be longer than 64 bytes"},
      {document_with(R"("annotations": {"": "x"})"), "annotations: a key must not be empty"},
      {document_with(R"("hooks": {"prestart": [{"path": "/x"}, {"path": "x"}]})"),
       "hooks.prestart[1].path: must be an absolute path"},
      {document_with(R"("hooks": {"createContainer": [{"path": "/x", "env": ["A"]}]})"),
       "hooks.createContainer[0].env[0]: must have the form NAME=value"},
  });
}

TEST_CASE("process") {
  check_all({
      {document_with(R"("process": {"cwd": "tmp", "args": ["sh"]})"),
       "process.cwd: must be an absolute path"},
      {document_with(R"("process": {"cwd": "/"})"), "process.args: must name a program"},
      {document_with(R"("process": {"cwd": "/", "args": []})"),
       "process.args: must name a program"},
      {process_with(R"("env": ["A=1", "SECRET"])"),
       "process.env[1]: must have the form NAME=value"},
      {process_with(R"("env": ["=1"])"), "process.env[0]: must have the form NAME=value"},
      {process_with(R"("env": ["A=", "A=b=c"])"), "ok"},
      {process_with(R"("user": {"uid": 4294967295})"),
       "process.user.uid: 4294967295 is not a valid user id"},
      {process_with(R"("user": {"gid": 4294967295})"),
       "process.user.gid: 4294967295 is not a valid group id"},
      {process_with(R"("user": {"additionalGids": [4294967295]})"),
       "process.user.additionalGids[0]: 4294967295 is not a valid group id"},
      {process_with(R"("user": {"umask": 512})"), "process.user.umask: must be at most 511 (0777)"},
      {process_with(R"("consoleSize": {"height": 70000, "width": 1})"), "ok"},
      {process_with(R"("terminal": true, "consoleSize": {"height": 70000, "width": 1})"),
       "process.consoleSize.height: must be at most 65535"},
      {process_with(
           R"("rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 1}, {"type": "RLIMIT_CORE", "soft": 1, "hard": 1},
              {"type": "RLIMIT_NOFILE", "soft": 1, "hard": 1}])"),
       "process.rlimits[2]: \"RLIMIT_NOFILE\" is listed twice"},
      {process_with(R"("rlimits": [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}])"),
       "process.rlimits[0]: the soft limit 2 is above the hard limit 1"},
      {process_with(R"("oomScoreAdj": -1001)"),
       "process.oomScoreAdj: must be an integer from -1000 to 1000"},
      {process_with(R"("oomScoreAdj": 1000)"), "ok"},
      {process_with(R"("ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 8})"),
       "process.ioPriority.priority: must be an integer from 0 to 7"},
      {process_with(R"("execCPUAffinity": {"initial": "0-3, 7", "final": ""})"), "ok"},
      {process_with(R"("execCPUAffinity": {"final": "3-1"})"),
       "process.execCPUAffinity.final: \"3-1\" is not a valid list of CPUs"},
      {process_with(R"("execCPUAffinity": {"initial": "1,"})"),
       "process.execCPUAffinity.initial: \"1,\" is not a valid list of CPUs"},
  });
}

TEST_CASE("scheduler") {
  const auto with = [](std::string_view members) {
    return process_with(std::string("\"scheduler\": {").append(members).append("}"));
  };
  check_all({
      {with(R"("policy": "SCHED_BATCH", "nice": 19)"), "ok"},
      {with(R"("policy": "SCHED_OTHER", "nice": 20)"),
       "process.scheduler.nice: must be an integer from -20 to 19"},
      {with(R"("policy": "SCHED_OTHER", "priority": 1)"),
       "process.scheduler.priority: requires SCHED_FIFO or SCHED_RR"},
      {with(R"("policy": "SCHED_FIFO")"),
       "process.scheduler.priority: must be an integer from 1 to 99"},
      {with(R"("policy": "SCHED_RR", "priority": 100)"),
       "process.scheduler.priority: must be an integer from 1 to 99"},
      {with(R"("policy": "SCHED_RR", "priority": 1, "runtime": 5)"),
       "process.scheduler: runtime, deadline and period require SCHED_DEADLINE"},
      {with(R"("policy": "SCHED_DEADLINE", "runtime": 1023, "deadline": 5000)"),
       "process.scheduler.runtime: must be at least 1024 nanoseconds"},
      {with(R"("policy": "SCHED_DEADLINE", "runtime": 2000)"),
       "process.scheduler.deadline: must not be below runtime"},
      {with(R"("policy": "SCHED_DEADLINE", "runtime": 2000, "deadline": 4000, "period": 3000)"),
       "process.scheduler.period: must not be below deadline"},
      {with(R"("policy": "SCHED_DEADLINE", "runtime": 2000, "deadline": 4000)"), "ok"},
  });
}

TEST_CASE("mounts") {
  check_all({
      {document_with(R"("mounts": [{"destination": ""}])"),
       "mounts[0].destination: must not be empty"},
      {document_with(R"("mounts": [{"destination": "relative", "type": "tmpfs"}])"), "ok"},
      {mount_with(R"("options": ["bind"])"), "mounts[0].source: is required for a bind mount"},
      {mount_with(R"("source": "x")"),
       "mounts[0].type: is required unless options contain bind or rbind"},
      {mount_with(R"("source": "x", "options": ["rbind", "size=1m"])"),
       "mounts[0].options[1]: \"size=1m\" is a filesystem option, which a bind mount does not "
       "support"},
      {mount_with(R"("type": "tmpfs", "options": ["", "size=1m"])"), "ok"},
      {mount_with(R"("type": "ext4", "options": ["tmpcopyup"])"),
       "mounts[0].options: tmpcopyup requires a tmpfs"},
      {mount_with(
           R"("source": "x", "options": ["bind"], "uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}])"),
       "mounts[0].gidMappings: is required: uidMappings and gidMappings must be set together"},
      {mount_with(
           R"("source": "x", "options": ["bind"], "gidMappings": [{"containerID": 0, "hostID": 0, "size": 1}])"),
       "mounts[0].uidMappings: is required: uidMappings and gidMappings must be set together"},
      {mount_with(R"("source": "x", "options": ["rbind", "ridmap"])"),
       "mounts[0]: idmap requires uidMappings and gidMappings, or a user namespace that has them"},
      {mount_with(R"("type": "tmpfs", "options": ["idmap"])"),
       "mounts[0]: only a new bind mount can have mapped ids"},
      {mount_with(R"("options": ["bind", "remount", "idmap"])"),
       "mounts[0]: only a new bind mount can have mapped ids"},
      {mount_with(R"("options": ["bind", "remount", "ro"])"), "ok"},
      {mount_with(R"("options": ["remount"])"), "ok"},
      {mount_with(R"("type": "tmpfs", "options": ["remount", "tmpcopyup"])"),
       "mounts[0].options: tmpcopyup requires a tmpfs"},
  });
}

TEST_CASE("namespaces and id mappings") {
  const std::string maps =
      R"("uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}], "gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}])";
  check_all({
      {linux_with(R"("namespaces": [{"type": "pid"}, {"type": "pid", "path": "/x"}])"),
       "linux.namespaces[1]: \"pid\" is listed twice"},
      {linux_with(R"("namespaces": [{"type": "network", "path": "run/netns/x"}])"),
       "linux.namespaces[0].path: must be an absolute path"},
      {linux_with(maps), "linux.uidMappings: requires a user namespace in linux.namespaces"},
      {with_namespaces("user", maps), "ok"},
      {linux_with(R"("namespaces": [{"type": "user"}])"),
       "linux.uidMappings: is required for a new user namespace"},
      {with_namespaces("user", R"("uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}])"),
       "linux.gidMappings: is required for a new user namespace"},
      {linux_with(R"("namespaces": [{"type": "user", "path": "/n"}])"), "ok"},
      {linux_with(R"("namespaces": [{"type": "user", "path": "/n"}], )" + maps), "ok"},
      {with_namespaces("user", R"("uidMappings": [{"containerID": 0, "hostID": 1, "size": 0}])"),
       "linux.uidMappings[0].size: must be at least 1"},
      {with_namespaces("user",
                       R"("uidMappings": [{"containerID": 0, "hostID": 4294967295, "size": 2}])"),
       "linux.uidMappings[0].size: exceeds the largest id, 4294967295"},
      {with_namespaces("pid", R"("timeOffsets": {"boottime": {"secs": 1}})"),
       "linux.timeOffsets: requires a time namespace in linux.namespaces"},
      {linux_with(
           R"("namespaces": [{"type": "time", "path": "/n"}], "timeOffsets": {"boottime": {"secs": 1}})"),
       "linux.timeOffsets: the offsets of an existing time namespace cannot be changed"},
      {with_namespaces("time", R"("timeOffsets": {"boottime": {"secs": 1}})"), "ok"},
  });
}

TEST_CASE("devices") {
  const auto with = [](std::string_view members) {
    return linux_with(
        std::string(R"("devices": [{"type": "c", "path": "/dev/a", "major": 1, "minor": 3}, {)")
            .append(members)
            .append("}]"));
  };
  check_all({
      {with(R"("type": "p", "path": "/run/p")"), "ok"},
      {with(R"("type": "p", "path": "run/p")"), "linux.devices[1].path: must be an absolute path"},
      {with(R"("type": "p", "path": "//")"), "linux.devices[1].path: must name a file"},
      {with(R"("type": "b", "path": "/b", "major": 4096, "minor": 0)"),
       "linux.devices[1].major: must be an integer from 0 to 4095"},
      {with(R"("type": "b", "path": "/b", "major": 1, "minor": -1)"),
       "linux.devices[1].minor: must be an integer from 0 to 1048575"},
      {with(R"("type": "u", "path": "/dev/a", "major": 1, "minor": 3)"), "ok"},
      {with(R"("type": "c", "path": "/dev/a", "major": 1, "minor": 5)"),
       "linux.devices[1].path: linux.devices[0] is a different device with the path /dev/a"},
      {linux_with(R"("maskedPaths": ["/a", "b"])"),
       "linux.maskedPaths[1]: must be an absolute path"},
      {linux_with(R"("readonlyPaths": [""])"), "linux.readonlyPaths[0]: must be an absolute path"},
  });
}

TEST_CASE("network devices") {
  const auto with = [](std::string_view members) {
    return linux_with(
        std::string(R"("namespaces": [{"type": "network"}], "netDevices": {)").append(members) +
        "}");
  };
  check_all({
      {linux_with(R"("netDevices": {"eth0": {}})"),
       "linux.netDevices: requires a network namespace in linux.namespaces"},
      {with(R"("eth0": {"name": "c0"}, "eth1": {"name": "eth%d"}, "eth2": {"name": "eth%d"})"),
       "ok"},
      {with(R"("a/b": {})"), "linux.netDevices: \"a/b\" is not a valid interface name"},
      {with(R"("eth0": {"name": "sixteen-bytes-ab"})"),
       "linux.netDevices.eth0.name: \"sixteen-bytes-ab\" is not a valid interface name"},
      {with(R"("eth0": {"name": "a:1"})"),
       "linux.netDevices.eth0.name: \"a:1\" is not a valid interface name"},
      {with(R"("eth0": {"name": "a 1"})"),
       "linux.netDevices.eth0.name: \"a 1\" is not a valid interface name"},
      {with(R"("eth0": {"name": ".."})"),
       "linux.netDevices.eth0.name: \"..\" is not a valid interface name"},
      {with(R"("eth0": {"name": "c"}, "eth1": {"name": "c"})"),
       "linux.netDevices.eth1: another interface would also be named c"},
      {with(R"("eth0": {"name": "eth1"}, "eth1": {})"),
       "linux.netDevices.eth1: another interface would also be named eth1"},
  });
}

TEST_CASE("sysctls belong to a namespace of the container") {
  const std::string foreign = "]: is not in a separate kernel namespace";
  const auto missing = [&](std::string_view key, std::string_view type) {
    return std::string("linux.sysctl[\"")
        .append(key)
        .append("\"")
        .append(foreign)
        .append(": linux.namespaces has no ")
        .append(type)
        .append(" namespace");
  };
  check_all({
      {sysctl("network", "net.ipv4.ip_forward"), "ok"},
      {sysctl("network", "net/ipv4/conf/eth0.100/forwarding"), "ok"},
      {sysctl("network", "net.ipv4.conf.eth0/100.forwarding"), "ok"},
      {sysctl("pid", "net.ipv4.ip_forward"), missing("net.ipv4.ip_forward", "network")},
      {sysctl("ipc", "kernel.sem"), "ok"},
      {sysctl("ipc", "fs.mqueue.msg_max"), "ok"},
      {sysctl("pid", "kernel.shm_rmid_forced"), missing("kernel.shm_rmid_forced", "ipc")},
      {sysctl("uts", "kernel.domainname"), "ok"},
      {sysctl("pid", "user.max_net_namespaces"), missing("user.max_net_namespaces", "user")},
      {sysctl("uts", "kernel.hostname"),
       "linux.sysctl[\"kernel.hostname\"]: must be set with the field hostname"},
      {sysctl("uts", "kernel/hostname"),
       "linux.sysctl[\"kernel/hostname\"]: must be set with the field hostname"},
      {sysctl("ipc network", "kernel.panic"), "linux.sysctl[\"kernel.panic\"" + foreign},
      {sysctl("ipc", "kernel.semaphore"), "linux.sysctl[\"kernel.semaphore\"" + foreign},
      {sysctl("network", "net"), "linux.sysctl[\"net\"" + foreign},
      {sysctl("network", "net/../kernel/panic"),
       "linux.sysctl[\"net/../kernel/panic\"]: is not a valid sysctl name"},
      {sysctl("network", "net.//.kernel.panic"),
       "linux.sysctl[\"net.//.kernel.panic\"]: is not a valid sysctl name"},
      {sysctl("network", "net..x"), "linux.sysctl[\"net..x\"]: is not a valid sysctl name"},
      {sysctl("network", ""), "linux.sysctl[\"\"]: is not a valid sysctl name"},
  });
}

TEST_CASE("intelRdt and memoryPolicy") {
  const auto rdt = [](std::string_view members) {
    return linux_with(std::string("\"intelRdt\": {").append(members).append("}"));
  };
  const auto policy = [](std::string_view members) {
    return linux_with(std::string("\"memoryPolicy\": {").append(members).append("}"));
  };
  check_all({
      {rdt(R"("closID": "/")"), "ok"},
      {rdt(R"("closID": "..")"), "linux.intelRdt.closID: \"..\" is not a valid class of service"},
      {rdt(R"("closID": "a/b")"), "linux.intelRdt.closID: \"a/b\" is not a valid class of service"},
      {rdt(R"("memBwSchema": "L3:0=f")"),
       "linux.intelRdt.memBwSchema: must be one line that begins with \"MB:\""},
      {rdt(R"("schemata": ["L3:0=f", "a\nb"])"), "linux.intelRdt.schemata[1]: must be one line"},
      {policy(R"("mode": "MPOL_DEFAULT", "nodes": "0")"),
       "linux.memoryPolicy.nodes: must be empty for this mode"},
      {policy(R"("mode": "MPOL_LOCAL", "flags": ["MPOL_F_STATIC_NODES"])"),
       "linux.memoryPolicy.flags: must be empty for this mode"},
      {policy(R"("mode": "MPOL_INTERLEAVE")"),
       "linux.memoryPolicy.nodes: is required for this mode"},
      {policy(R"("mode": "MPOL_PREFERRED")"), "ok"},
      {policy(R"("mode": "MPOL_BIND", "nodes": "x")"),
       "linux.memoryPolicy.nodes: \"x\" is not a valid list of nodes"},
      {policy(
           R"("mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"])"),
       "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES cannot be "
       "combined"},
      {policy(R"("mode": "MPOL_PREFERRED", "flags": ["MPOL_F_STATIC_NODES"])"),
       "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES require nodes"},
      {policy(R"("mode": "MPOL_INTERLEAVE", "nodes": "0", "flags": ["MPOL_F_NUMA_BALANCING"])"),
       "linux.memoryPolicy.flags: MPOL_F_NUMA_BALANCING requires MPOL_BIND or MPOL_PREFERRED_MANY"},
  });
}

TEST_CASE("resources") {
  const std::string hugepages = "linux.resources.hugepageLimits[0].pageSize: \"";
  const auto hugepage = [](std::string_view size) {
    return resources_with(std::string(R"("hugepageLimits": [{"limit": 1, "pageSize": ")")
                              .append(size)
                              .append("\"}]"));
  };
  check_all({
      {resources_with(R"("memory": {"limit": -2})"),
       "linux.resources.memory.limit: must be -1 (unlimited) or a number of bytes"},
      {resources_with(R"("memory": {"swap": 5})"),
       "linux.resources.memory.swap: requires a memory limit: swap limits memory plus swap"},
      {resources_with(R"("memory": {"limit": 6, "swap": 5})"),
       "linux.resources.memory.swap: must not be below the memory limit: swap limits memory plus "
       "swap"},
      {resources_with(R"("memory": {"swap": -1})"), "ok"},
      {resources_with(R"("memory": {"limit": -1, "swap": 5})"), "ok"},
      {resources_with(R"("memory": {"limit": 5, "swap": 0})"), "ok"},
      {resources_with(R"("memory": {"swappiness": 101})"),
       "linux.resources.memory.swappiness: must be an integer from 0 to 100"},
      {resources_with(R"("cpu": {"idle": 2})"), "linux.resources.cpu.idle: must be 0 or 1"},
      {resources_with(R"("blockIO": {"weight": 0})"), "ok"},
      {resources_with(R"("blockIO": {"weight": 9})"),
       "linux.resources.blockIO.weight: must be an integer from 10 to 1000"},
      {resources_with(
           R"("blockIO": {"weightDevice": [{"major": 1, "minor": 2, "leafWeight": 1001}]})"),
       "linux.resources.blockIO.weightDevice[0].leafWeight: must be an integer from 10 to 1000"},
      {resources_with(R"("blockIO": {"weightDevice": [{"major": 1, "minor": 2}]})"),
       "linux.resources.blockIO.weightDevice[0]: requires weight or leafWeight"},
      {hugepage("64KB"), "ok"},
      {hugepage("64kB"), hugepages + "64kB\" is not a valid page size, such as 64KB, 2MB or 1GB"},
      {hugepage("02MB"), hugepages + "02MB\" is not a valid page size, such as 64KB, 2MB or 1GB"},
      {hugepage("../2MB"),
       hugepages + "../2MB\" is not a valid page size, such as 64KB, 2MB or 1GB"},
      {hugepage("MB"), hugepages + "MB\" is not a valid page size, such as 64KB, 2MB or 1GB"},
      {resources_with(R"("devices": [{"allow": true, "access": "rx"}])"),
       "linux.resources.devices[0].access: must contain only the letters r, w and m"},
      {resources_with(R"("devices": [{"allow": true, "major": -2}])"),
       "linux.resources.devices[0].major: must be -1 (any) or a device number"},
      {resources_with(R"("network": {"priorities": [{"name": "a b", "priority": 1}]})"),
       "linux.resources.network.priorities[0].name: \"a b\" is not a valid interface name"},
      {resources_with(R"("rdma": {"": {}})"),
       "linux.resources.rdma: \"\" is not a valid device name"},
  });
}

TEST_CASE("unified: the name of a file that sets a resource, and a value") {
  const auto unified = [](std::string_view key, std::string_view value) {
    return resources_with(
        std::string(R"("unified": {")").append(key).append("\": \"").append(value).append("\"}"));
  };
  const auto place = [](std::string_view key) {
    return std::string("linux.resources.unified[\"").append(key).append("\"]: ");
  };
  for (const char* key : {"memory.high", "hugetlb.2MB.rsvd.max", "cpuset.cpus.partition",
                          "cgroup.max.depth", "cgroup.max.descendants", "cgroup.pressure"}) {
    check_all({{unified(key, "1"), "ok"},
               {unified(key, ""), place(key) + "must not be empty"},
               {unified(key, "\\n"), place(key) + "must not be empty"}});
  }
  for (const char* key : {"", ".", "..", "memory", ".hidden", "memory.", "../memory.max",
                          "a/memory.max", "memory.max/../../cgroup.procs", "memory .max"}) {
    check_all({{unified(key, "1"), place(key) + "is not the name of a cgroup file"}});
  }
  for (const char* key : {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "cgroup.type",
                          "cgroup.kill", "cgroup.freeze", "cgroup.events", "cgroup.new"}) {
    check_all({{unified(key, "1"), place(key) + "does not set a resource"}});
  }
  check_all({{unified("memory.max\\n", "1"),
              place("memory.max\n") + "is not the name of a cgroup file"}});
}

TEST_CASE("seccomp") {
  const auto rule = [](std::string_view members) {
    return seccomp_with(
        std::string(R"("syscalls": [{"names": ["a"], )").append(members).append("}]"));
  };
  const auto arg = [&](std::string_view members) {
    return rule(std::string(R"("action": "SCMP_ACT_LOG", "args": [{"value": 1, )")
                    .append(members)
                    .append("}]"));
  };
  check_all({
      {linux_with(R"("seccomp": {"defaultAction": "SCMP_ACT_NOTIFY"})"),
       "linux.seccomp.defaultAction: must not be SCMP_ACT_NOTIFY"},
      {seccomp_with(R"("defaultErrnoRet": 1)"),
       "linux.seccomp.defaultErrnoRet: requires SCMP_ACT_ERRNO or SCMP_ACT_TRACE"},
      {seccomp_with(R"("listenerMetadata": "m")"),
       "linux.seccomp.listenerMetadata: requires linux.seccomp.listenerPath"},
      {seccomp_with(R"("syscalls": [{"names": [], "action": "SCMP_ACT_LOG"}])"),
       "linux.seccomp.syscalls[0].names: must name a system call"},
      {seccomp_with(R"("syscalls": [{"names": ["a", ""], "action": "SCMP_ACT_LOG"}])"),
       "linux.seccomp.syscalls[0].names[1]: must not be empty"},
      {rule(R"("action": "SCMP_ACT_KILL", "errnoRet": 1)"),
       "linux.seccomp.syscalls[0].errnoRet: requires SCMP_ACT_ERRNO or SCMP_ACT_TRACE"},
      {rule(R"("action": "SCMP_ACT_ERRNO", "errnoRet": 4096)"),
       "linux.seccomp.syscalls[0].errnoRet: must be an integer from 0 to 4095"},
      {rule(R"("action": "SCMP_ACT_NOTIFY")"),
       "linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY requires linux.seccomp.listenerPath"},
      {arg(R"("index": 6, "op": "SCMP_CMP_EQ")"),
       "linux.seccomp.syscalls[0].args[0].index: must be an integer from 0 to 5"},
      {arg(R"("index": 0, "op": "SCMP_CMP_EQ", "valueTwo": 1)"),
       "linux.seccomp.syscalls[0].args[0].valueTwo: requires SCMP_CMP_MASKED_EQ"},
      {arg(R"("index": 0, "op": "SCMP_CMP_EQ", "valueTwo": 0)"), "ok"},
      {arg(R"("index": 5, "op": "SCMP_CMP_MASKED_EQ", "valueTwo": 1)"), "ok"},
  });
}
