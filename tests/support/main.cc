// SPDX-License-Identifier: Apache-2.0
// The main of the test programs: a private mount namespace, a subreaper, and a doctest listener
// that keeps what the running case says of itself and reports it in the end. Beside the options of
// doctest:
//   --tap        the Test Anything Protocol instead of doctest's text
//   --json FILE  writes the results
//   --list       prints, in the form of --json, what the cases say of themselves, without a runtime
//   --cite       prints the sentences that the run's cases check
#define DOCTEST_CONFIG_IMPLEMENT
#include "support/report.h"
#include "support/suite.h"

#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <sstream>

namespace onggi::test {
namespace {

enum class Mode { text, tap, list };

struct Session {
  Mode mode = Mode::text;
  unsigned selected = 0;
  const doctest::TestCaseData* current = nullptr;
  RunReport run;
  std::ostringstream doctest_text;  // of the other modes
};
Session& session() {
  static Session instance;
  return instance;
}

// Nothing before the first case: the harness itself asks the runtime for its version.
CaseReport& current_case() {
  static CaseReport none;
  return session().run.cases.empty() ? none : session().run.cases.back();
}

bool has_failed() {
  const auto& cases = session().run.cases;
  return std::any_of(cases.begin(), cases.end(),
                     [](const CaseReport& report) { return report.result == Result::failed; });
}

// After a failure the reasons are counted only, so that what failed is not lost among them.
void print_reasons(const char* title, Result result) {
  std::string text;
  size_t count = 0;
  std::map<std::string, size_t> by_reason;
  for (const CaseReport& report : session().run.cases) {
    if (report.result != result) continue;
    count++;
    for (const std::string& reason : report.reasons) {
      text += "  " + report.name + ": " + reason + "\n";
      by_reason[reason]++;
    }
  }
  if (count == 0) return;
  printf("%s: %zu", title, count);
  if (!has_failed()) {
    printf("\n%s", text.c_str());
    return;
  }
  const char* between = " (";
  for (const auto& [reason, cases] : by_reason) {
    if (cases == 1) continue;
    printf("%s%zu %s", between, cases, reason.c_str());
    between = ", ";
  }
  printf("%s\n", *between == ',' ? ")" : "");
}

void print_failed() {
  if (!has_failed()) return;
  printf("failed:\n");
  for (const CaseReport& report : session().run.cases) {
    if (report.result == Result::failed)
      printf("  %s: %s\n", report.suite.c_str(), report.name.c_str());
  }
}

// doctest knows should_fail only as a static decorator; the case is a plain object of its registry.
doctest::TestCaseData& editable(const doctest::TestCaseData* test_case) {
  return *const_cast<doctest::TestCaseData*>(test_case);
}

struct Listener : doctest::IReporter {
  explicit Listener(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats& stats) override {
    session().selected = stats.numTestCasesPassingFilters;
    if (session().mode != Mode::text) return;
    printf("runtime: %s (%s)\n", runtime_name().c_str(), runtime_path().c_str());
    print_reasons("skipped", Result::skipped);
    print_reasons("known deviations", Result::deviates);
    print_reasons("not run", Result::not_run);
    bool cites = false;
    for (const CaseReport& report : session().run.cases) cites |= !report.citations.empty();
    if (cites) printf("chapters:\n%s", summary(session().run).c_str());
    print_failed();
    fflush(stdout);
  }
  void test_case_start(const doctest::TestCaseData& data) override {
    session().current = &data;
    last_failed_process().reset();
    CaseReport report;
    report.suite = data.m_test_suite;
    report.name = data.m_name;
    session().run.cases.push_back(std::move(report));
    if (session().mode == Mode::list) editable(&data).m_no_output = true;
  }
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
    CaseReport& report = current_case();
    if (!stats.testCaseSuccess) {
      report.result = Result::failed;
      say_what_failed();
    }
    // Its output is switched off with that of the expected failures.
    if ((stats.failure_flags & doctest::TestCaseFailureReason::ShouldHaveFailedButDidnt) != 0)
      say("UNEXPECTED PASS", "remove its DEVIATES for " + runtime_name());
    if (session().mode == Mode::tap) print_tap(report);
  }
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}

  static void print_tap(const CaseReport& report) {
    fputs(tap_line(report, session().run.cases.size()).c_str(), stdout);
    for (const std::string& line : lines(session().doctest_text.str()))
      printf("# %s\n", line.c_str());
    session().doctest_text.str("");
    fflush(stdout);
  }
  // Where the failure cannot be repeated, this is all there is to go by.
  static void say_what_failed() {
    const std::optional<FailedProcess>& failed = last_failed_process();
    if (!failed.has_value()) return;
    const Outcome& outcome = failed->outcome;
    say("LAST FAILED PROCESS", "status " + std::to_string(outcome.status) + ": " + failed->command);
    for (const std::string& line : lines(outcome.out)) print("  stdout: " + line);
    for (const std::string& line : lines(outcome.err)) print("  stderr: " + line);
  }
  static void say(const char* label, const std::string& reason) {
    print(std::string(label) + ": " + current_case().name + ": " + reason);
  }
  static void print(const std::string& line) {
    if (session().mode == Mode::list) return;
    printf("%s%s\n", session().mode == Mode::tap ? "# " : "", line.c_str());
    fflush(stdout);
  }
};

// A case with subcases comes here more than once.
void add_reason(Result result, const char* label, const std::string& reason) {
  CaseReport& report = current_case();
  report.result = result;
  if (std::find(report.reasons.begin(), report.reasons.end(), reason) != report.reasons.end())
    return;
  report.reasons.push_back(reason);
  // doctest's text has them all together at the end.
  if (session().mode == Mode::tap) Listener::say(label, reason);
}

void add_deviation(const Deviation& deviation) {
  for (const Deviation& known : current_case().deviations) {
    if (known.runtime == deviation.runtime && known.reason == deviation.reason) return;
  }
  current_case().deviations.push_back(deviation);
}

}  // namespace

bool is_listing() {
  return session().mode == Mode::list;
}

void stop_listing() {
  struct Stop {};
  if (is_listing() && session().current != nullptr) throw Stop();
}

bool meets(const Need& need) {
  if (!need.met || is_listing()) current_case().needs.push_back(need.name);
  if (need.met || is_listing()) return true;
  add_reason(Result::skipped, "SKIP", need.name);
  return false;
}

void deviates(const std::string& runtime, const std::string& reason) {
  add_deviation({runtime, reason, true});
  if (is_listing() || runtime_name() != runtime) return;
  add_reason(Result::deviates, "DEVIATION", reason);
  editable(session().current).m_should_fail = true;
  editable(session().current).m_no_output = true;
}

bool excludes(const std::string& runtime, const std::string& reason) {
  add_deviation({runtime, reason, false});
  if (is_listing() || runtime_name() != runtime) return false;
  add_reason(Result::not_run, "NOT RUN", reason);
  return true;
}

void note_deviation(const std::string& what, const std::string& reason) {
  add_reason(Result::deviates, "DEVIATION", what + ": " + reason);
}

void cite(std::string sentence) {
  Strings& citations = current_case().citations;
  if (std::find(citations.begin(), citations.end(), sentence) == citations.end())
    citations.push_back(std::move(sentence));
}

namespace {

struct Options {
  bool cites = false;
  std::string json;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--tap") == 0) session().mode = Mode::tap;
    if (strcmp(argv[i], "--list") == 0) session().mode = Mode::list;
    if (strcmp(argv[i], "--cite") == 0) options.cites = true;
    if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) options.json = argv[i + 1];
  }
  return options;
}

void print_citations() {
  for (const CaseReport& report : session().run.cases) {
    for (const std::string& citation : report.citations)
      printf("CITE\t%s\t%s\n", report.name.c_str(), citation.c_str());
  }
}

// A listed case goes on to its first scratch directory or process; what it does to the host before
// must not be done.
bool drop_rights() {
  constexpr id_t kNobody = 65534;
  return geteuid() != 0 ||
         (setgroups(0, nullptr) == 0 && setresgid(kNobody, kNobody, kNobody) == 0 &&
          setresuid(kNobody, kNobody, kNobody) == 0);
}

int list(doctest::Context& context) {
  if (!drop_rights()) {
    perror("--list");
    return 1;
  }
  context.setCout(&session().doctest_text);
  (void)context.run();
  for (CaseReport& report : session().run.cases) report.result = Result::passed;
  fputs(to_json(session().run).c_str(), stdout);
  return session().selected == 0 ? 1 : 0;
}

int run_cases(doctest::Context& context, const Options& options) {
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  // Not possible without root; the tests that need root then skip, and the mount table is nobody
  // else's problem.
  if (unshare(CLONE_NEWNS) == 0) mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  if (runtime_name().empty()) {
    fprintf(stderr, "cannot run '%s --version'\n", runtime_path().c_str());
    return 1;
  }
  (void)state_root();
  session().run.runtime = runtime_name();
  session().run.version = runtime_version();
  if (session().mode == Mode::tap) {
    puts("TAP version 13");
    context.setCout(&session().doctest_text);
  }
  const int status = context.run();
  if (session().mode == Mode::tap) printf("1..%zu\n", session().run.cases.size());
  if (options.cites) print_citations();
  if (!options.json.empty()) write_file(options.json, to_json(session().run));
  // A misspelt filter must not look like success.
  return session().selected == 0 ? 1 : status;
}

}  // namespace
}  // namespace onggi::test

REGISTER_LISTENER("notes", 1, onggi::test::Listener);

int main(int argc, char** argv) {
  using namespace onggi::test;
  const Options options = parse(argc, argv);
  doctest::Context context(argc, argv);
  context.setOption("no-path-filenames", true);
  context.setOption("no-intro", true);
  if (context.shouldExit()) return context.run();
  return session().mode == Mode::list ? list(context) : run_cases(context, options);
}
