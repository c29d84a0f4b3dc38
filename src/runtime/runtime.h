// SPDX-License-Identifier: Apache-2.0
// The life cycle of containers: what the command line calls, one function a command. Every function
// takes the state root and options as values; errors carry the place in config.json where there is
// one.
#pragma once

#include "base/result.h"
#include "cgroups/further_process.h"
#include "spec/spec.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onggi {

enum class CgroupManager : uint8_t { cgroupfs, systemd, disabled };

// May a container go without a cgroup when the host refuses one and no limit asks for it?
// automatic: unless we are root of the host.
enum class Rootless : uint8_t { automatic, on, off };

struct RuntimeOptions {
  std::string root;  // state root, absolute; see default_root()
  CgroupManager cgroup_manager = CgroupManager::cgroupfs;
  Rootless rootless = Rootless::automatic;
};

struct CreateOptions {
  std::string id;
  std::string bundle = ".";
  std::string config = "config.json";  // a path; relative to the bundle
  std::string console_socket;  // path of a listening stream socket that receives the pty master
  std::string pidfd_socket;    // the same for a descriptor of the first process (pidfd_open(2))
  std::string pid_file;        // relative to the caller's working directory
  uint32_t preserve_fds =
      0;                // descriptors 3 .. 3+N-1 (after LISTEN_FDS) stay open in the container
  bool strict = false;  // what would be ignored with a warning is an error
  bool no_pivot = false;
  bool no_new_keyring = false;
  bool detach = false;        // run only: return after the start
  bool keep = false;          // run only: do not delete the stopped container
  bool no_subreaper = false;  // run only
};

struct ExecOptions {
  std::string id;
  // What is to run: `document` (spec::parse_process), with the container's capabilities, labels
  // and OOM score where it names none; or else the program that the container was
  // created with, but for what follows; empty is unchanged.
  std::optional<spec::Spec> document;
  std::vector<std::string> args;
  std::vector<std::string> env;  // more of it
  std::string cwd, selinux_label, apparmor_profile;
  std::optional<uint32_t> uid, gid;
  std::vector<uint32_t> additional_gids;  // more of them
  // More of them: bounding, permitted, effective, and ambient where they are inheritable already.
  uint64_t capabilities = 0;
  std::optional<bool> no_new_privileges;
  bool terminal = false;  // with a document: also when that has none

  std::string console_socket, pidfd_socket, pid_file;  // as of CreateOptions
  std::vector<cgroups::Subgroup> cgroups;              // empty: the container's own
  uint32_t preserve_fds = 0;
  bool detach = false;
  bool ignore_paused = false;
};

enum class Status : uint8_t { creating, created, running, paused, stopped };
std::string_view status_name(Status status);

struct ContainerSummary {
  std::string id, bundle, rootfs, created, owner;  // created: RFC 3339, UTC, nanoseconds
  std::vector<std::pair<std::string, std::string>> annotations;
  Status status = Status::stopped;
  int pid = 0;           // 0 unless alive
  bool damaged = false;  // nothing but its id is known
};

// /run/onggi; $XDG_RUNTIME_DIR/onggi for an ordinary user, to whom its lack is an error, and for
// root of a user namespace, as which engines call us for an ordinary user.
Result<std::string> default_root();

// Letters, digits, "_+-." ; not "." or ".."; at most 255 bytes (NAME_MAX).
Result<> check_id(std::string_view id);

Result<> create_container(const RuntimeOptions& runtime, const CreateOptions& options);

// The exit status of the container's program, 128 + signal if one killed it; 0 at once with
// `detach`.
Result<int> run_container(const RuntimeOptions& runtime, const CreateOptions& options);

// The exit status of the program, 128 + signal if one killed it; 0 at once with `detach`.
Result<int> exec_in_container(const RuntimeOptions& runtime, const ExecOptions& options);

Result<> start_container(const RuntimeOptions& runtime, std::string_view id);

// The state document (runtime.md#state), pretty-printed, with a newline at its end.
Result<std::string> container_state(const RuntimeOptions& runtime, std::string_view id);

// `all`: every process of the container's cgroup rather than init alone.
Result<> kill_container(const RuntimeOptions& runtime, std::string_view id, int signal, bool all);

// `force`: stop it first; an unknown id is then no error.
Result<> delete_container(const RuntimeOptions& runtime, std::string_view id, bool force);

// Also one that is created and not started.
Result<> pause_container(const RuntimeOptions& runtime, std::string_view id);
Result<> resume_container(const RuntimeOptions& runtime, std::string_view id);

// Host pids of all processes of the container's cgroup and those below it; none when it has
// stopped.
Result<std::vector<int>> container_processes(const RuntimeOptions& runtime, std::string_view id);

// `change` has linux.resources (spec::parse_update), the schemata of linux.intelRdt for the
// container's class of service, or both, and nothing else. After an error the cgroup is as it was.
Result<> update_container(const RuntimeOptions& runtime, std::string_view id, spec::Spec& change);

// In the order of the ids. A missing root is an empty list; an empty directory is no container. Why
// one is damaged is logged.
Result<std::vector<ContainerSummary>> list_containers(const RuntimeOptions& runtime);

// What `create` would do, as text for people and golden tests; no side effects.
Result<std::string> describe_plan(const RuntimeOptions& runtime, const CreateOptions& options);

}  // namespace onggi
