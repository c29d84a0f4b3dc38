// SPDX-License-Identifier: Apache-2.0
// The Plan: everything that `create` is going to do, decided before anything is done. A value
// without descriptors, pids or times; equal inputs give equal plans on any machine.
#pragma once

#include "base/result.h"
#include "plan/build_cgroup.h"
#include "plan/host_facts.h"
#include "plan/steps.h"
#include "spec/spec.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::plan {

// The pool, being filled. Offset 0 holds the empty text.
class Pool {
 public:
  Text text(std::string_view text);
  List<Text> texts(const spec::TextList& list);
  template <class T>
  List<T> list(std::span<const T> records) {
    static_assert(alignof(T) <= 8 && std::is_trivially_copyable_v<T>);
    if (records.empty()) return {};
    bytes_.resize((bytes_.size() + 7) / 8 * 8);
    const List<T> list{static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(records.size())};
    bytes_.append(reinterpret_cast<const char*>(records.data()), records.size_bytes());
    return list;
  }
  template <class T>
  List<T> list(const std::vector<T>& records) {
    return list(std::span<const T>(records));
  }
  std::string_view bytes() const { return bytes_; }
  PoolView view() const { return PoolView(bytes_.data()); }

 private:
  std::string bytes_ = std::string(1, '\0');
};

struct Step {
  Origin origin;
  Action action;
};

// "mounts[3]"
std::string render(const Origin& origin);

struct JoinedNamespace {
  spec::NamespaceType type = spec::NamespaceType::mount;
  std::string path;
  std::string place;  // "linux.namespaces[2].path"
  std::string
      setting;  // what the config sets in it, "hostname"; it must not be the runtime's own then
};

// Who writes uid_map and gid_map (user_namespaces(7)).
enum class MapWriter : uint8_t {
  runtime,   // with CAP_SETUID and CAP_SETGID over the ids
  own_id,    // an ordinary user, who may map his own ids, each alone, once setgroups(2) is denied
  programs,  // newuidmap(1) and newgidmap(1), which know the ids that an ordinary user was given
};

struct NamespacePlan {
  uint64_t create = 0;  // CLONE_NEW* of the namespaces made for the container, all of them
  std::vector<JoinedNamespace> joined;
  std::vector<spec::IdMapping> uid_mappings, gid_mappings;
  MapWriter map_writer = MapWriter::runtime;
  std::string time_offsets;  // what to write to /proc/self/timens_offsets
  // A short-lived process must go between: pid and time namespaces take effect for children only,
  // and a namespace of the host must be joined before a new user namespace takes the right to.
  bool bridge = false;
  // `exec`: instead of all above, those that the container's first process is in.
  bool of_container = false;
  // And its root directory, because it is not that of its mount namespace.
  bool root_of_container = false;
};

// What the ids of a mount become: those of the files (container_id) to those that the host sees
// (host_id). Two empty lists: the mappings of the container's user namespace.
struct IdMap {
  std::vector<spec::IdMapping> uids, gids;
  bool operator==(const IdMap&) const = default;
};

// An interface of the runtime's network namespace that moves into the container's.
struct NetDevice {
  std::string host_name;
  std::string name;   // in the container; "eth%d": with the next free number
  std::string place;  // "linux.netDevices.eth0"

  bool is_template() const { return name.find('%') != std::string::npos; }
};

struct Schema {
  std::string place;
  std::string text;  // "L3:0=7f0;1=1f"
};

// The container's directories in resctrl (config-linux.md#intelrdt).
struct ResctrlPlan {
  std::string mount_point;
  std::string group;    // class of service: a directory below the mount point; empty: the default
  std::string monitor;  // of the MON group below it; empty: none
  std::vector<Schema> schemata;  // in the order of writing
  bool create = false;           // make `group` where it is missing, else it has to be there
  bool remove = false;           // if made, it goes with the container
};

struct Plan {
  NamespacePlan namespaces;
  // The id that process.user.uid of a user namespace has outside of it: standard streams become
  // his.
  std::optional<uint32_t> stream_owner;
  std::vector<IdMap> id_maps;  // referred to by BindMount::id_map; each is there once
  CgroupPlan cgroup;
  std::vector<NetDevice> net_devices;
  std::optional<ResctrlPlan> resctrl;
  std::vector<Step> before_pivot,
      after_pivot;  // onggi-init's; the pivot is the first of after_pivot
  Handoff handoff;
  std::optional<int32_t>
      oom_score_adj;  // of init, set from outside: a user namespace may not lower it
  std::vector<uint64_t> initial_cpus;  // affinity before the cgroup is joined; empty: unchanged
  std::vector<std::string> warnings;   // what the specification wants said, but not refused
  std::vector<std::string> ignored;    // what the author asks for and does not get
  std::vector<Error>
      refused;  // what this version or this host cannot do: `create` fails with the first
  Pool pool;
};

// --rootless: may a container go without a cgroup when the host refuses one?
enum class Rootless : uint8_t { automatic, on, off };

struct LaunchOptions {
  std::string id;
  std::string bundle;  // absolute
  CgroupRequest cgroup = CgroupRequest::cgroupfs;
  uint32_t preserve_fds = 0;
  uint32_t listen_fds = 0;  // of systemd's socket activation, passed on before preserve_fds
  Rootless rootless = Rootless::automatic;
  bool no_pivot = false;
  bool no_new_keyring = false;
  bool notify = false;  // a socket for sd_notify(3) is to be in the container
};

// Pure. An error names the place in config.json.
Result<Plan> build(const spec::Spec& spec, const HostFacts& facts, const LaunchOptions& options);

// A further process in a container: `spec` is the container's, with the process to be executed in
// the place of its own. Namespaces and cgroup are joined and nothing is mounted, so all that the
// options say is their id and no_new_keyring.
Plan build_exec(const spec::Spec& spec, const HostFacts& facts, const LaunchOptions& options);

// For people and golden tests: one line a step.
std::string print(const Plan& plan);
// One line without its end: the step at `index` of before_pivot and after_pivot together, or "".
std::string print_step(const Plan& plan, size_t index);
// One line without its end, for a debug log.
std::string print_facts(const HostFacts& facts);

}  // namespace onggi::plan
