// SPDX-License-Identifier: Apache-2.0
// What a test case needs, and what it knows of the rivals. Skips and deviations are printed,
// counted and listed with their reasons at the end of the run; none of them is silent.
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
// Under the sanitizers init is a dynamic program: it needs the loader of the mount namespace that
// it is executed in.
Need freestanding_init();

// Prints and counts "SKIP: TEST: REASON".
void note_skip(const std::string& reason);
// Marks the running test case as one that this runtime is known to fail. It still runs: passing
// would be an error, so a deviation that a rival has mended is noticed.
void expect_failure(const std::string& reason);
// The same for one row of a table.
void note_deviation(const std::string& what, const std::string& reason);
std::string current_test();

// Cgroup files of a process, wherever the host has them; the v2 name is used on a unified host.
std::string cgroup_value(pid_t pid, std::string_view controller, std::string_view v1_file,
                         std::string_view v2_file);
std::filesystem::path cgroup_directory(pid_t pid, std::string_view controller);

}  // namespace onggi::test

// A test case that leaves nothing behind.
#define CASE(name) TEST_CASE_FIXTURE(::onggi::test::Clean, name)

#define REQUIRES(need)                              \
  do {                                              \
    const ::onggi::test::Need requires_need = need; \
    if (!requires_need.met) {                       \
      ::onggi::test::note_skip(requires_need.name); \
      return;                                       \
    }                                               \
  } while (false)

#define DEVIATES(runtime, reason)                                                          \
  do {                                                                                     \
    if (::onggi::test::runtime_name() == (runtime)) ::onggi::test::expect_failure(reason); \
  } while (false)

// For races and hangs, where a rival fails only at times or at the price of the whole time limit:
// counted, not run.
#define EXCLUDES(runtime, reason)                       \
  do {                                                  \
    if (::onggi::test::runtime_name() == (runtime)) {   \
      ::onggi::test::note_deviation("not run", reason); \
      return;                                           \
    }                                                   \
  } while (false)

// The sentence of the runtime specification that a case checks: "config.md#root: A directory MUST
// exist ...".
#define CITE(sentence) ::onggi::test::cite(sentence)

namespace onggi::test {
void cite(std::string sentence);
}
