// SPDX-License-Identifier: Apache-2.0
#include "bench/report.h"
#include "bench/statistics.h"

#include <rapidjson/prettywriter.h>

namespace bench {
namespace {

class Writer : public rapidjson::PrettyWriter<rapidjson::StringBuffer> {
 public:
  explicit Writer(rapidjson::StringBuffer& buffer) : PrettyWriter(buffer) {
    SetIndent(' ', 2);
    SetFormatOptions(rapidjson::kFormatSingleLineArray);
    SetMaxDecimalPlaces(4);
  }
  void member(const char* name, const std::string& value) {
    Key(name);
    String(value.c_str(), static_cast<rapidjson::SizeType>(value.size()));
  }
  void member(const char* name, int value) {
    Key(name);
    Int(value);
  }
  void member(const char* name, double value) {
    Key(name);
    Double(value);
  }
  void member(const char* name, const Quartiles& value) {
    Key(name);
    StartArray();
    for (const double part : {value.first, value.median, value.third}) Double(part);
    EndArray();
  }
};

struct UsageFigure {
  const char* name;
  Figure figure;
};
constexpr UsageFigure kUsage[] = {
    {"wall_ms", &Usage::wall_ms}, {"cpu_ms", &Usage::cpu_ms}, {"page_faults", &Usage::faults}};

struct CountsFigure {
  const char* name;
  long Counts::*figure;
};
constexpr CountsFigure kCounts[] = {{"system_calls", &Counts::calls},
                                    {"processes_and_threads", &Counts::processes},
                                    {"peak_kib", &Counts::peak_kib},
                                    {"largest_process_kib", &Counts::largest_kib}};

void write_machine(Writer& writer, const Machine& machine) {
  writer.Key("machine");
  writer.StartObject();
  writer.member("kernel", machine.kernel);
  writer.member("processor", machine.processor);
  writer.member("processors", machine.processors);
  writer.member("cgroups", machine.cgroups);
  writer.member("load", machine.load);
  writer.member("time", machine.time);
  writer.EndObject();
}

void write_subjects(Writer& writer, const std::vector<Subject>& subjects) {
  writer.Key("subjects");
  writer.StartArray();
  for (const Subject& subject : subjects) {
    writer.StartObject();
    writer.member("name", subject.name);
    writer.member("program", subject.program);
    writer.member("version", subject.version);
    writer.EndObject();
  }
  writer.EndArray();
}

void write_series(Writer& writer, const Result& result, const Series& series) {
  writer.StartObject();
  writer.member("name", series.subject);
  for (const UsageFigure& row : kUsage) writer.member(row.name, quartiles(series, row.figure));
  if (!series.counted.empty()) {
    for (const CountsFigure& row : kCounts) writer.member(row.name, median(series, row.figure));
  }
  for (const auto& [name, figure] : {kUsage[0], kUsage[1]}) {
    writer.Key((std::string(name) + "_of").c_str());
    writer.StartObject();
    for (const Series& base : result.series) {
      writer.member(base.subject.c_str(), ratios(series, base, figure));
    }
    writer.EndObject();
  }
  writer.Key("wall_ms_of_rounds");
  writer.StartArray();
  for (const Usage& usage : series.rounds) writer.Double(usage.wall_ms);
  writer.EndArray();
  writer.EndObject();
}

void write_result(Writer& writer, const Result& result) {
  writer.StartObject();
  writer.member("scenario", result.scenario->name);
  writer.member("summary", result.scenario->summary);
  writer.member("command", result.verb);
  writer.member("pause_ms", result.pause_ms);
  writer.member("at_once", result.scenario->at_once);
  writer.Key("subjects");
  writer.StartArray();
  for (const Series& series : result.series) write_series(writer, result, series);
  writer.EndArray();
  writer.EndObject();
}

void write_held(Writer& writer, const Held& held) {
  writer.StartObject();
  writer.member("name", held.subject);
  writer.member("when", held.when);
  writer.member("processes", held.processes);
  writer.member("pss_kib", held.pss_kib);
  writer.member("rss_kib", held.rss_kib);
  writer.EndObject();
}

}  // namespace

std::string to_json(const Report& report) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  write_machine(writer, report.machine);
  write_subjects(writer, report.subjects);
  writer.member("rounds", report.plan.rounds);
  writer.Key("results");
  writer.StartArray();
  for (const Result& result : report.results) write_result(writer, result);
  writer.EndArray();
  writer.Key("memory");
  writer.StartArray();
  for (const Held& held : report.held) write_held(writer, held);
  writer.EndArray();
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace bench
