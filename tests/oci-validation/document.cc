// SPDX-License-Identifier: Apache-2.0
// Writes docs/conformance.md from the list of the cases, the results of runs and the hand-written
// part, and checks that a document still tells the cases as they are. What depends on the host is
// in marked blocks and in the last columns of the cases' tables; the check passes over it.
//   document LIST CHOICES RESULTS...       prints the document
//   document --check DOCUMENT LIST CHOICES
#include "support/report.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>

namespace {

using namespace onggi::test;
using Strings = std::vector<std::string>;

constexpr const char* kBegin = "<!-- results -->\n";
constexpr const char* kEnd = "<!-- end of results -->\n";
constexpr const char* kCases = "## Cases\n";
constexpr size_t kDeclaredColumns = 2;

std::string read(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + path);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::string cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  return text;
}

std::string row(const Strings& cells) {
  std::string line = "|";
  for (const std::string& text : cells) line += " " + cell(text) + " |";
  return line + "\n";
}

std::string heading(const Strings& titles) {
  return "\n" + row(titles) + row(Strings(titles.size(), "---"));
}

size_t count(const RunReport& run, Result result, const std::string& chapter = "") {
  return static_cast<size_t>(
      std::count_if(run.cases.begin(), run.cases.end(), [&](const CaseReport& report) {
        return report.result == result && (chapter.empty() || chapter_of(report) == chapter);
      }));
}

std::string counts(const RunReport& run, const std::string& chapter = "") {
  std::string text;
  for (const Result result :
       {Result::passed, Result::deviates, Result::skipped, Result::not_run, Result::failed}) {
    const size_t number = count(run, result, chapter);
    if (number == 0) continue;
    text +=
        (text.empty() ? "" : ", ") + std::to_string(number) + " " + std::string(name_of(result));
  }
  return text;
}

class Document {
 public:
  Document(const RunReport& list, std::span<const RunReport> runs) : list_(list), runs_(runs) {
    for (const CaseReport& report : list.cases) by_section_[section_of(report)].push_back(&report);
  }

  std::string text(const std::string& choices) const {
    return introduction() + results() + "\n" + choices + deviations() + needs() + cases();
  }

 private:
  std::string introduction() const {
    std::set<std::string> sentences, chapters;
    for (const CaseReport& report : list_.cases) {
      sentences.insert(report.citations.begin(), report.citations.end());
      chapters.insert(chapter_of(report));
    }
    return "# Conformance to the OCI runtime specification 1.3.0\n\n"
           "Written by `tests/oci-validation/report`; edit the cases and "
           "`tests/oci-validation/choices.md` instead.\n\n" +
           std::to_string(list_.cases.size()) + " cases check " + std::to_string(sentences.size()) +
           " sentences of " + std::to_string(chapters.size()) +
           " documents of the specification. They drive a runtime by its command line and look at "
           "what the kernel shows, so they run on any runtime with the commands of runc: "
           "`tests/oci-validation/run --runtime PATH`. A *deviation* is a fault of one version of "
           "a "
           "runtime that a case knows of: the case runs and must fail. *Not run* are deviations "
           "that are races or hangs. *Skipped* means that the host lacks what the case needs.\n";
  }

  std::string results() const {
    std::string text = std::string("\n") + kBegin;
    Strings titles = {"runtime", "version", "cases"};
    text += heading(titles);
    for (const RunReport& run : runs_) text += row({run.runtime, run.version, counts(run)});
    titles = {"chapter"};
    for (const RunReport& run : runs_) titles.push_back(run.runtime);
    text += heading(titles);
    std::set<std::string> chapters;
    for (const CaseReport& report : list_.cases) chapters.insert(chapter_of(report));
    for (const std::string& chapter : chapters) {
      Strings cells = {chapter};
      for (const RunReport& run : runs_) cells.push_back(counts(run, chapter));
      text += row(cells);
    }
    return text + "\n" + skips() + kEnd;
  }

  std::string skips() const {
    std::string text;
    for (const RunReport& run : runs_) {
      for (const CaseReport& report : run.cases) {
        if (report.result != Result::skipped && report.result != Result::failed) continue;
        std::string reasons;
        for (const std::string& reason : report.reasons) reasons += ": " + reason;
        text += "- " + run.runtime + " " + std::string(name_of(report.result)) + ": " +
                report.name + reasons + "\n";
      }
    }
    return text.empty() ? "No case was skipped, and none failed.\n"
                        : "Skipped or failed on the host of this document:\n\n" + text;
  }

  std::string deviations() const {
    std::string text = "\n## Known deviations\n";
    text += heading({"runtime", "case", "reason"});
    for (const std::string runtime : {"onggi", "runc", "crun"}) {
      for (const CaseReport& report : list_.cases) {
        for (const Deviation& deviation : report.deviations) {
          if (deviation.runtime != runtime) continue;
          text +=
              row({runtime, report.name, (deviation.is_run ? "" : "not run: ") + deviation.reason});
        }
      }
    }
    return text;
  }

  std::string needs() const {
    std::map<std::string, size_t> by_need;
    for (const CaseReport& report : list_.cases) {
      for (const std::string& need : report.needs) by_need[need]++;
    }
    std::string text = "\n## What cases need of the host\n";
    text += heading({"need", "cases"});
    for (const auto& [need, number] : by_need) text += row({need, std::to_string(number)});
    return text;
  }

  std::string cases() const {
    std::string text = std::string("\n") + kCases;
    Strings titles = {"sentence", "case"};
    for (const RunReport& run : runs_) titles.push_back(run.runtime);
    for (const auto& [section, reports] : by_section_) {
      text +=
          "\n### " + (section.empty() ? "Without a sentence" : section) + "\n" + heading(titles);
      for (const CaseReport* report : reports) {
        Strings cells = {sentences(*report, section), report->name};
        for (const RunReport& run : runs_) cells.push_back(result(run, *report));
        text += row(cells);
      }
    }
    return text;
  }

  static std::string sentences(const CaseReport& report, const std::string& section) {
    std::string text;
    for (const std::string& citation : report.citations) {
      const bool is_of_section = citation.starts_with(section + ": ");
      text += (text.empty() ? "" : " — ") +
              (is_of_section ? citation.substr(section.size() + 2) : citation);
    }
    return text;
  }

  static std::string result(const RunReport& run, const CaseReport& wanted) {
    for (const CaseReport& report : run.cases) {
      if (report.name == wanted.name && report.suite == wanted.suite)
        return std::string(name_of(report.result));
    }
    return "";
  }

  const RunReport& list_;
  std::span<const RunReport> runs_;
  std::map<std::string, std::vector<const CaseReport*>> by_section_;
};

// Without what depends on the host.
Strings declared(const std::string& document) {
  Strings kept;
  std::istringstream stream(document);
  bool is_results = false, is_cases = false;
  for (std::string line; std::getline(stream, line);) {
    if (line + "\n" == kBegin) is_results = true;
    if (line + "\n" == kCases) is_cases = true;
    if (is_cases && line.starts_with("| ")) {
      size_t end = 0;
      for (size_t column = 0; column < kDeclaredColumns; column++) end = line.find(" |", end + 1);
      line = line.substr(0, end);
    }
    if (!is_results) kept.push_back(line);
    if (line + "\n" == kEnd) is_results = false;
  }
  return kept;
}

int check(const std::string& path, const RunReport& list, const std::string& choices) {
  const Strings has = declared(read(path));
  const Strings wants = declared(Document(list, {}).text(choices));
  const auto [is, should] = std::mismatch(has.begin(), has.end(), wants.begin(), wants.end());
  if (is == has.end() && should == wants.end()) return 0;
  printf(
      "%s does not tell the cases as they are; the first difference:\n  is:     %s\n  should: %s\n"
      "Run tests/oci-validation/report.\n",
      path.c_str(), is == has.end() ? "" : is->c_str(),
      should == wants.end() ? "" : should->c_str());
  return 1;
}

int complain(const RunReport& list) {
  std::set<std::string> names;
  int status = 0;
  for (const CaseReport& report : list.cases) {
    if (report.citations.empty()) {
      printf("%s: no sentence of the specification\n", report.name.c_str());
      status = 1;
    }
    if (!names.insert(report.suite + ": " + report.name).second) {
      printf("%s: two cases of this name\n", report.name.c_str());
      status = 1;
    }
  }
  return status;
}

int work(const Strings& words) {
  const bool is_check = !words.empty() && words[0] == "--check";
  if (words.size() < (is_check ? 4 : 2)) throw std::runtime_error("too few arguments");
  const size_t first = is_check ? 2 : 0;
  const RunReport list = from_json(read(words[first]));
  const std::string choices = read(words[first + 1]);
  if (is_check) return check(words[1], list, choices) | complain(list);
  std::vector<RunReport> runs;
  for (size_t i = first + 2; i < words.size(); i++) runs.push_back(from_json(read(words[i])));
  fputs(Document(list, runs).text(choices).c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return work(Strings(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    fprintf(stderr, "document: %s\n", error.what());
    return 2;
  }
}
