// SPDX-License-Identifier: Apache-2.0
// The main of the test programs: a private mount namespace, a subreaper, and a doctest listener
// that knows the running case and prints the skips and deviations before doctest's own summary.
#define DOCTEST_CONFIG_IMPLEMENT
#include "support/suite.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <sstream>

namespace onggi::test {
namespace {

struct Note {
  std::string test;
  std::string reason;
};
struct Record {
  const doctest::TestCaseData* current = nullptr;
  unsigned selected = 0;
  std::vector<Note> skips, deviations, citations;
};
Record& record() {
  static Record instance;
  return instance;
}

void print_notes(const char* title, const std::vector<Note>& notes) {
  if (notes.empty()) return;
  printf("%s: %zu\n", title, notes.size());
  for (const Note& note : notes) printf("  %s: %s\n", note.test.c_str(), note.reason.c_str());
}

struct Notes : doctest::IReporter {
  explicit Notes(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats& stats) override {
    record().selected = stats.numTestCasesPassingFilters;
    printf("runtime: %s (%s)\n", runtime_name().c_str(), runtime_path().c_str());
    print_notes("skipped", record().skips);
    print_notes("known deviations", record().deviations);
    fflush(stdout);
  }
  void test_case_start(const doctest::TestCaseData& data) override { record().current = &data; }
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
    // Its output is switched off with that of the expected failures.
    if ((stats.failure_flags & doctest::TestCaseFailureReason::ShouldHaveFailedButDidnt) != 0) {
      printf("UNEXPECTED PASS: %s: remove its DEVIATES for %s\n", current_test().c_str(),
             runtime_name().c_str());
    }
  }
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};

void add(std::vector<Note>& list, const char* label, const std::string& test,
         const std::string& reason) {
  for (const Note& note : list) {  // a case with subcases comes here more than once
    if (note.test == test && note.reason == reason) return;
  }
  list.push_back({test, reason});
  printf("%s: %s: %s\n", label, test.c_str(), reason.c_str());
  fflush(stdout);
}

bool file_exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

// "v1" hierarchies by controller; the empty name is the unified one.
std::string cgroup_mount(std::string_view controller) {
  for (const std::string& line : lines(read_file("/proc/self/mountinfo"))) {
    const size_t dash = line.find(" - ");
    std::istringstream before(line.substr(0, dash)), after(line.substr(dash + 3));
    std::string skip, point, type, source, options;
    before >> skip >> skip >> skip >> skip >> point;
    after >> type >> source >> options;
    const std::string wanted = "," + std::string(controller);
    if (controller.empty()
            ? type == "cgroup2"
            : type == "cgroup" && (options + ",").find(wanted + ",") != options.npos) {
      return point;
    }
  }
  return "";
}

std::string cgroup_path(pid_t pid, std::string_view controller) {
  for (const std::string& line : lines(read_file("/proc/" + std::to_string(pid) + "/cgroup"))) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool found = controller.empty()
                           ? controllers.empty()
                           : ("," + controllers + ",").find("," + std::string(controller) + ",") !=
                                 std::string::npos;
    if (found) return line.substr(second + 1);
  }
  return "";
}

bool is_unified_host() {
  return file_exists("/sys/fs/cgroup/cgroup.controllers");
}

}  // namespace

Need root() {
  return {geteuid() == 0, "needs root"};
}
Need cgroup_v1() {
  return {!is_unified_host() && !cgroup_mount("memory").empty(), "needs cgroup v1 controllers"};
}
Need cgroup_v2() {
  return {is_unified_host(), "needs cgroup v2 at /sys/fs/cgroup"};
}

Need cgroup_controller(std::string_view name) {
  // On v2 every group can be frozen; there is no controller for it.
  const bool v2 =
      (name == "freezer" && is_unified_host()) ||
      contains(" " + read_file("/sys/fs/cgroup/cgroup.controllers"), " " + std::string(name));
  return {v2 || !cgroup_mount(name).empty(), "needs the cgroup controller " + std::string(name)};
}

Need kernel(int major, int minor) {
  utsname names = {};
  uname(&names);
  int have_major = 0, have_minor = 0;
  sscanf(names.release, "%d.%d", &have_major, &have_minor);
  return {have_major > major || (have_major == major && have_minor >= minor),
          "needs kernel " + std::to_string(major) + "." + std::to_string(minor)};
}

Need capability(int number, std::string_view name) {
  const int held = prctl(PR_CAPBSET_READ, number, 0, 0, 0);
  return {held == 1, "needs " + std::string(name)};
}

Need user_namespaces() {
  return {file_exists("/proc/self/ns/user") &&
              atoi(read_file("/proc/sys/user/max_user_namespaces").c_str()) > 0,
          "needs user namespaces"};
}
Need file(const std::string& path) {
  return {file_exists(path), "needs " + path};
}
Need freestanding_init() {
#ifdef ONGGI_HOSTED_INIT
  return {!is_onggi(), "an init without a C library"};
#else
  return {true, ""};
#endif
}

Need seccomp() {
  return file("/proc/sys/kernel/seccomp/actions_avail");
}

Need apparmor() {
  return {read_file("/sys/module/apparmor/parameters/enabled").starts_with('Y'), "needs AppArmor"};
}
Need selinux() {
  return {file_exists("/sys/fs/selinux/enforce"), "needs SELinux"};
}

std::string current_test() {
  return record().current == nullptr ? "" : record().current->m_name;
}
void note_skip(const std::string& reason) {
  add(record().skips, "SKIP", current_test(), reason);
}

void expect_failure(const std::string& reason) {
  add(record().deviations, "DEVIATION", current_test(), reason);
  // doctest knows should_fail only as a static decorator; the case is a plain object of its
  // registry.
  auto* test_case = const_cast<doctest::TestCaseData*>(record().current);
  test_case->m_should_fail = true;
  test_case->m_no_output = true;
}

void note_deviation(const std::string& what, const std::string& reason) {
  add(record().deviations, "DEVIATION", current_test() + ": " + what, reason);
}

void cite(std::string sentence) {
  record().citations.push_back({current_test(), std::move(sentence)});
}

std::filesystem::path cgroup_directory(pid_t pid, std::string_view controller) {
  if (is_unified_host()) return "/sys/fs/cgroup" + cgroup_path(pid, "");
  return cgroup_mount(controller) + cgroup_path(pid, controller);
}

std::string cgroup_value(pid_t pid, std::string_view controller, std::string_view v1_file,
                         std::string_view v2_file) {
  const std::string text =
      read_file(cgroup_directory(pid, controller) / (is_unified_host() ? v2_file : v1_file));
  return text.substr(0, text.find_last_not_of('\n') + 1);
}

}  // namespace onggi::test

REGISTER_LISTENER("notes", 1, onggi::test::Notes);

int main(int argc, char** argv) {
  using namespace onggi::test;
  doctest::Context context(argc, argv);
  context.setOption("no-path-filenames", true);
  context.setOption("no-intro", true);
  if (context.shouldExit()) return context.run();
  bool cites = false;
  for (int i = 1; i < argc; i++) cites |= strcmp(argv[i], "--cite") == 0;
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  // Not possible without root; the tests that need root then skip, and the mount table is nobody
  // else's problem.
  if (unshare(CLONE_NEWNS) == 0) mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  if (runtime_name().empty()) {
    fprintf(stderr, "cannot run '%s --version'\n", runtime_path().c_str());
    return 1;
  }
  (void)state_root();
  const int status = context.run();
  if (cites) {
    for (const Note& note : record().citations)
      printf("CITE\t%s\t%s\n", note.test.c_str(), note.reason.c_str());
  }
  // A misspelt filter must not look like success.
  return record().selected == 0 ? 1 : status;
}
