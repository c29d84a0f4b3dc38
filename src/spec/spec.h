// SPDX-License-Identifier: Apache-2.0
// config.json of runtime-spec 1.3 for Linux as plain values. Structs and fields are named like the
// schema's objects (snake_case); std::optional and an empty container mean "absent". All text
// points into the buffer that the Spec owns, is NUL-terminated there, and holds no NUL inside. A
// Spec is never changed after spec::parse.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onggi::spec {

using Text = std::string_view;
using TextList = std::vector<Text>;
using TextMap = std::vector<std::pair<Text, Text>>;  // in the document's order; keys are unique

struct IdMapping {
  uint32_t container_id = 0, host_id = 0, size = 0;
  bool operator==(const IdMapping&) const = default;
};

// ── config.md ──
struct Root {
  Text path;
  bool readonly = false;
};

struct Mount {
  Text destination;
  std::optional<Text> type, source;
  TextList options;
  std::vector<IdMapping> uid_mappings, gid_mappings;
};

struct ConsoleSize {
  uint64_t height = 0, width = 0;
};

struct User {
  uint32_t uid = 0, gid = 0;
  std::optional<uint32_t> umask;
  std::vector<uint32_t> additional_gids;
};

// Each set is a bit mask by capability number (capabilities(7)). Names unknown to this build are
// kept as text: the specification wants a warning, not an error, for what cannot be granted.
struct Capabilities {
  uint64_t bounding = 0, effective = 0, inheritable = 0, permitted = 0, ambient = 0;
  TextList unknown;
};

struct Rlimit {
  int type = 0;  // RLIMIT_*, see getrlimit(2)
  Text name;     // as written, "RLIMIT_NOFILE"
  uint64_t soft = 0, hard = 0;
};

struct IoPriority {
  int io_class = 0;  // IOPRIO_CLASS_*: 1 RT, 2 BE, 3 IDLE
  int32_t priority = 0;
};

struct Scheduler {
  int policy = 0;  // SCHED_*, see sched(7)
  std::optional<int32_t> nice, priority;
  uint64_t flags = 0;                                 // SCHED_FLAG_*
  std::optional<uint64_t> runtime, deadline, period;  // nanoseconds
};

struct ExecCpuAffinity {
  Text initial, final;  // CPU lists such as "0-3,7"
};

struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size;
  User user;
  TextList args, env;
  Text cwd;
  std::optional<Capabilities> capabilities;
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  Text apparmor_profile, selinux_label;
  std::optional<int32_t> oom_score_adj;
  std::optional<IoPriority> io_priority;
  std::optional<Scheduler> scheduler;
  std::optional<ExecCpuAffinity> exec_cpu_affinity;
};

struct Hook {
  Text path;
  TextList args;
  std::optional<TextList> env;
  std::optional<uint32_t> timeout;  // seconds, at least 1
};

struct Hooks {
  std::vector<Hook> prestart, create_runtime, create_container, start_container, poststart,
      poststop;
};

// ── config-linux.md ──
enum class NamespaceType : uint8_t { mount, pid, network, uts, ipc, user, cgroup, time };
inline constexpr size_t kNamespaceTypes = 8;

struct Namespace {
  NamespaceType type = NamespaceType::mount;
  Text path;  // empty: a new namespace
};

struct TimeOffset {
  int64_t secs = 0;
  uint32_t nanosecs = 0;
};

struct Device {
  char type = 'c';  // c, b, u (= c) or p
  Text path;
  int64_t major = 0, minor = 0;
  std::optional<uint32_t> file_mode, uid, gid;
};

struct NetDevice {
  Text host_name;
  Text name;  // empty: keep the name
};

struct DeviceRule {
  bool allow = false;
  char type = 'a';                      // a (all), b or c
  std::optional<int64_t> major, minor;  // absent or -1: any
  Text access;                          // of "rwm"; empty: all
};

struct Memory {
  std::optional<int64_t> limit, reservation, swap, kernel, kernel_tcp;  // bytes; -1 = unlimited
  std::optional<uint64_t> swappiness;
  std::optional<bool> disable_oom_killer, use_hierarchy, check_before_update;
};

struct Cpu {
  std::optional<uint64_t> shares, burst, period, realtime_period;
  std::optional<int64_t> quota, realtime_runtime, idle;
  Text cpus, mems;
};

struct WeightDevice {
  int64_t major = 0, minor = 0;
  std::optional<uint16_t> weight, leaf_weight;
};

struct ThrottleDevice {
  int64_t major = 0, minor = 0;
  uint64_t rate = 0;  // bytes or operations a second
};

struct BlockIo {
  std::optional<uint16_t> weight, leaf_weight;
  std::vector<WeightDevice> weight_device;
  std::vector<ThrottleDevice> throttle_read_bps, throttle_write_bps, throttle_read_iops,
      throttle_write_iops;
};

struct HugepageLimit {
  Text page_size;  // "2MB"
  uint64_t limit = 0;
};

struct InterfacePriority {
  Text name;
  uint32_t priority = 0;
};

struct Network {
  std::optional<uint32_t> class_id;
  std::vector<InterfacePriority> priorities;
};

struct Rdma {
  Text device;
  std::optional<uint32_t> hca_handles, hca_objects;
};

struct Resources {
  std::vector<DeviceRule> devices;
  std::optional<Memory> memory;
  std::optional<Cpu> cpu;
  std::optional<int64_t> pids_limit;
  std::optional<BlockIo> block_io;
  std::vector<HugepageLimit> hugepage_limits;
  std::optional<Network> network;
  std::vector<Rdma> rdma;
  TextMap unified;
};

struct SeccompArg {
  uint32_t index = 0;
  uint64_t value = 0, value_two = 0;
  uint8_t op = 0;  // libseccomp's scmp_compare: 1 NE, 2 LT, 3 LE, 4 EQ, 5 GE, 6 GT, 7 MASKED_EQ
};

enum class SeccompAction : uint8_t {
  kill_process,
  kill_thread,
  trap,
  errno_,
  trace,
  allow,
  log,
  notify
};

struct SeccompSyscall {
  TextList names;
  SeccompAction action = SeccompAction::allow;
  std::optional<uint32_t> errno_ret;
  std::vector<SeccompArg> args;
};

struct Seccomp {
  SeccompAction default_action = SeccompAction::allow;
  std::optional<uint32_t> default_errno_ret;
  TextList architectures;         // "SCMP_ARCH_X86_64", known to the schema
  std::optional<uint32_t> flags;  // SECCOMP_FILTER_FLAG_*; absent is not the same as an empty list
  Text listener_path, listener_metadata;
  std::vector<SeccompSyscall> syscalls;
};

// Does a rule ask the agent at listener_path?
inline bool notifies(const Seccomp& seccomp) {
  for (const SeccompSyscall& syscall : seccomp.syscalls) {
    if (syscall.action == SeccompAction::notify) return true;
  }
  return false;
}

struct IntelRdt {
  Text clos_id, l3_cache_schema, mem_bw_schema;
  TextList schemata;
  bool enable_monitoring = false;
};

struct MemoryPolicy {
  int mode = 0;        // MPOL_*, see set_mempolicy(2)
  uint32_t flags = 0;  // MPOL_F_*
  Text nodes;          // "0-3"
};

enum class RootfsPropagation : uint8_t { unset, shared, slave, private_, unbindable };

struct Linux {
  std::vector<Namespace> namespaces;
  std::vector<IdMapping> uid_mappings, gid_mappings;
  std::optional<TimeOffset> monotonic, boottime;
  std::vector<Device> devices;
  std::vector<NetDevice> net_devices;
  Text cgroups_path;
  std::optional<Resources> resources;
  RootfsPropagation rootfs_propagation = RootfsPropagation::unset;
  std::optional<Seccomp> seccomp;
  TextMap sysctl;
  TextList masked_paths, readonly_paths;
  Text mount_label;
  std::optional<IntelRdt> intel_rdt;
  std::optional<MemoryPolicy> memory_policy;
  std::optional<uint32_t> personality;  // PER_*, see personality(2)
};

struct Spec {
  Text oci_version;
  std::optional<Root> root;
  std::optional<Process> process;
  Text hostname, domainname;
  std::vector<Mount> mounts;
  Hooks hooks;
  TextMap annotations;
  Linux linux;

  std::unique_ptr<char[]> text;      // what every Text above points into
  std::vector<std::string> ignored;  // "process: unknown key \"Args\", did you mean \"args\"?"
  std::string unknown_key;           // the first one, in the same words, for --strict; or empty
};

}  // namespace onggi::spec
