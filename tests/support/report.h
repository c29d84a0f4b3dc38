// SPDX-License-Identifier: Apache-2.0
// What became of the cases of a run, and the forms in which it is told: TAP line by line, counts by
// the chapters of the specification, and a JSON document for whoever goes on with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace onggi::test {

// A fault of one runtime that a case knows of.
struct Deviation {
  std::string runtime;
  std::string reason;
  bool is_run;  // false: the case is not run on it, for the fault is a race or a hang
};

enum class Result { passed, failed, deviates, skipped, not_run };
std::string_view name_of(Result result);

struct CaseReport {
  std::string suite;
  std::string name;
  std::vector<std::string> citations;  // "config.md#root: A directory MUST exist ..."
  std::vector<std::string> needs;      // of the host; in a run: those that were not met
  std::vector<Deviation> deviations;   // of every runtime
  std::vector<std::string> reasons;    // of a result that is neither passed nor failed
  Result result = Result::passed;
};

struct RunReport {
  std::string runtime;  // "runc"
  std::string version;  // the first line of `--version`
  std::vector<CaseReport> cases;
};

// "config.md#root" and "config.md" of a citation; "" for a case without one.
std::string section_of(const CaseReport& report);
std::string chapter_of(const CaseReport& report);

// One line of the Test Anything Protocol; `number` counts from 1.
std::string tap_line(const CaseReport& report, size_t number);
// A table: cases, passed, failed, deviating, skipped and not run of each chapter.
std::string summary(const RunReport& run);

std::string to_json(const RunReport& run);
// Throws std::runtime_error for text that to_json has not written.
RunReport from_json(std::string_view text);

}  // namespace onggi::test
