// SPDX-License-Identifier: Apache-2.0
#include "bench/report.h"
#include "bench/statistics.h"

#include <algorithm>
#include <cstdio>

namespace bench {
namespace {

int name_width(const Result& result) {
  size_t width = 0;
  for (const Series& series : result.series) width = std::max(width, series.subject.size());
  return static_cast<int>(width);
}

// "of NAME", as wide as its column.
std::string ratio_heading(const Series& base) {
  const std::string text = "of " + base.subject;
  return std::string(text.size() < 8 ? 8 - text.size() : 0, ' ') + text;
}

void print_counts(const Series& series) {
  if (series.counted.empty()) {
    printf("  %8s  %6s", "-", "-");
  } else {
    printf("  %8.0f  %6.0f", median(series, &Counts::peak_kib), median(series, &Counts::calls));
  }
}

}  // namespace

std::string title_of(const Result& result) {
  std::string title = result.scenario->name;
  if (result.scenario->verbs.size() > 1) title += " " + result.verb;
  if (result.pause_ms <= 0) return title + ", back to back";
  return title + ", after " + std::to_string(static_cast<int>(result.pause_ms)) + " ms of idleness";
}

void print_machine(const Report& report) {
  const Machine& machine = report.machine;
  printf("%s, %d processors (%s), cgroup %s, load %.2f, %s\n", machine.kernel.c_str(),
         machine.processors, machine.processor.c_str(), machine.cgroups.c_str(), machine.load,
         machine.time.c_str());
  for (const Subject& subject : report.subjects) {
    printf("%s: %s%s%s\n", subject.name.c_str(), subject.program.c_str(),
           subject.version.empty() ? "" : ", ", subject.version.c_str());
  }
}

void print_table(const Result& result) {
  const int width = name_width(result);
  printf("\n== %s: %s\n", title_of(result).c_str(), result.scenario->summary);
  printf("%*s  %8s  %8s  %8s  %8s  %7s  %8s  %6s", width, "", "wall ms", "25 %", "75 %", "CPU ms",
         "faults", "peak KiB", "calls");
  if (result.scenario->at_once > 1) printf("  %9s", "runs/s");
  for (const Series& base : result.series) printf("  %s", ratio_heading(base).c_str());
  printf("\n");
  for (const Series& series : result.series) {
    const Quartiles wall = quartiles(series, &Usage::wall_ms);
    printf("%-*s  %8.2f  %8.2f  %8.2f  %8.2f  %7.0f", width, series.subject.c_str(), wall.median,
           wall.first, wall.third, quartiles(series, &Usage::cpu_ms).median,
           quartiles(series, &Usage::faults).median);
    print_counts(series);
    if (result.scenario->at_once > 1)
      printf("  %9.1f", result.scenario->at_once * 1e3 / wall.median);
    for (const Series& base : result.series) {
      printf("  %*.2f", static_cast<int>(ratio_heading(base).size()),
             ratios(series, base, &Usage::wall_ms).median);
    }
    printf("\n");
  }
  (void)fflush(stdout);
}

void print_table(const std::vector<Held>& held) {
  printf("\n== memory: held by a container's own runtime, without the container's program\n");
  printf("%-12s  %-20s  %9s  %8s  %8s\n", "", "", "processes", "PSS KiB", "RSS KiB");
  for (const Held& row : held) {
    printf("%-12s  %-20s  %9d  %8.0f  %8.0f\n", row.subject.c_str(), row.when.c_str(),
           row.processes, row.pss_kib, row.rss_kib);
  }
  (void)fflush(stdout);
}

}  // namespace bench
