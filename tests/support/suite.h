// SPDX-License-Identifier: Apache-2.0
// What a test case needs, and what it knows of the rivals. Skips and deviations are printed,
// counted and listed with their reasons at the end of the run; none of them is silent. A case
// states all of it before it acts, so that `--list` can tell it without a runtime.
#pragma once

#include "support/bundle.h"
#include "support/console.h"
#include "support/leaks.h"
#include "support/run.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace onggi::test {

// Something that the host must have: `name` is printed as the reason for a skip.
struct Need {
  bool met;
  std::string name;
};
Need root();
Need cgroup_v1();
Need cgroup_v2();
Need cgroup_controller(std::string_view name);
Need kernel(int major, int minor);
Need capability(int number, std::string_view name);
Need user_namespaces();
Need file(const std::string& path);
Need seccomp();
Need apparmor();  // in force, not merely built in
Need selinux();
Need systemd();  // as the manager of this host
Need no_systemd();
// A driver for which linux.cgroupsPath is a path.
Need cgroups_by_path();
Need disk();
// For a case about what this runtime alone promises.
Need onggi_only();
// Under the sanitizers init is a dynamic program: it needs the loader of the mount namespace that
// it is executed in.
Need freestanding_init();
// How often to repeat something: a tenth of `native` for a sanitized runtime, which is ten times
// slower.
int rounds(int native);

// Whether the running case may go on: if not, it is skipped, with the name of the need as reason.
bool meets(const Need& need);
// Marks the running case as one that this runtime is known to fail. It still runs: passing would be
// an error, so a deviation that a rival has mended is noticed.
void deviates(const std::string& runtime, const std::string& reason);
// Whether the running case is not to be run on this runtime.
bool excludes(const std::string& runtime, const std::string& reason);
void cite(std::string sentence);
// A deviation in one row of a table, found while the case runs.
void note_deviation(const std::string& what, const std::string& reason);

// With `--list` a case ends where it would begin to act: the constructors of processes and of
// scratch directories call the second, which then throws.
bool is_listing();
void stop_listing();

// Which hierarchies have a controller: v1 and v2 may share them out.
bool in_cgroup_v1(std::string_view controller);
bool in_cgroup_v2(std::string_view controller);
// The cgroup of a process in the hierarchy of its own that a controller has, else in v2.
std::filesystem::path cgroup_directory(pid_t pid, std::string_view controller);
// Without the last newline.
std::string cgroup_file(const std::filesystem::path& cgroup, std::string_view name);
// A file of a process's cgroup, by its v2 name on a unified host.
std::string cgroup_value(pid_t pid, std::string_view controller, std::string_view v1_file,
                         std::string_view v2_file);
// Which of four devices a process of the cgroup can open: zero and tun by default, kmsg by a rule,
// fuse not at all.
std::string openable_in(const std::filesystem::path& cgroup);

// "254:0" of a disk (not of a partition, a loop or a memory device, which come and go); empty:
// none.
std::string disk_number();

}  // namespace onggi::test

// A test case that leaves nothing behind.
#define CASE(name) TEST_CASE_FIXTURE(::onggi::test::Clean, name)

#define REQUIRES(need)                       \
  do {                                       \
    if (!::onggi::test::meets(need)) return; \
  } while (false)

#define DEVIATES(runtime, reason) ::onggi::test::deviates(runtime, reason)

// For races and hangs, where a rival fails only at times or at the price of the whole time limit:
// counted, not run.
#define EXCLUDES(runtime, reason)                         \
  do {                                                    \
    if (::onggi::test::excludes(runtime, reason)) return; \
  } while (false)

// The sentence of the runtime specification that a case checks, without its Markdown:
// "config.md#root: A directory MUST exist at the path declared by the field."
#define CITE(sentence) ::onggi::test::cite(sentence)
