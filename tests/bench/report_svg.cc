// SPDX-License-Identifier: Apache-2.0
// One panel for each table: a bar from the first to the third quartile of wall time for each
// subject, a line at the median, and the median in figures. Panels have scales of their own, from
// 0.
#include "bench/report.h"
#include "bench/statistics.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace bench {
namespace {

constexpr double kWidth = 900, kNames = 130, kFigures = 90, kRow = 18, kTitle = 34;
constexpr double kScale = kWidth - kNames - kFigures;
constexpr const char* kColours[] = {"#888888", "#1b6ca8", "#e07b39", "#3a8f4b",
                                    "#8e4a9e", "#b5473c", "#6b6b2a", "#2a8a8a"};

[[gnu::format(printf, 2, 3)]] void add(std::string& svg, const char* format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  svg += line;
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

double height_of(const Result& result) {
  return kTitle + kRow * static_cast<double>(result.series.size());
}

// The same colour in every panel, also for the twin of a subject.
const char* colour_of(const Report& report, const std::string& name) {
  for (size_t i = 0; i < report.subjects.size(); i++) {
    const std::string& subject = report.subjects[i].name;
    if (name == subject || name == subject + kColdSuffix) return kColours[i % std::size(kColours)];
  }
  return kColours[0];
}

void add_series(std::string& svg, const Series& series, double top, double scale,
                const char* colour) {
  const Quartiles wall = quartiles(series, &Usage::wall_ms);
  const double left = kNames + wall.first * scale, median = kNames + wall.median * scale;
  const double width = std::max(1.0, (wall.third - wall.first) * scale);
  add(svg, "<text x='%.0f' y='%.1f' text-anchor='end'>%s</text>\n", kNames - 8, top + 12,
      escaped(series.subject).c_str());
  add(svg, "<line x1='%.0f' x2='%.1f' y1='%.1f' y2='%.1f' stroke='%s' opacity='0.4'/>\n", kNames,
      left, top + 8, top + 8, colour);
  add(svg, "<rect x='%.1f' y='%.1f' width='%.1f' height='12' fill='%s' opacity='0.6'/>\n", left,
      top + 2, width, colour);
  add(svg, "<rect x='%.1f' y='%.1f' width='2' height='14' fill='%s'/>\n", median - 1, top + 1,
      colour);
  add(svg, "<text x='%.1f' y='%.1f'>%.2f ms</text>\n", kNames + wall.third * scale + 8, top + 12,
      wall.median);
}

void add_panel(std::string& svg, const Report& report, const Result& result, double top) {
  double most = 1e-9;
  for (const Series& series : result.series) {
    most = std::max(most, quartiles(series, &Usage::wall_ms).third);
  }
  add(svg, "<text x='8' y='%.1f' font-weight='bold'>%s</text>\n", top + 22,
      escaped(title_of(result)).c_str());
  for (size_t i = 0; i < result.series.size(); i++) {
    const Series& series = result.series[i];
    add_series(svg, series, top + kTitle + kRow * static_cast<double>(i), kScale / most,
               colour_of(report, series.subject));
  }
}

}  // namespace

std::string to_svg(const Report& report) {
  double height = kTitle;
  for (const Result& result : report.results) height += height_of(result);
  std::string svg;
  add(svg,
      "<svg xmlns='http://www.w3.org/2000/svg' width='%.0f' height='%.0f' font-family='sans-serif' "
      "font-size='12'>\n<rect width='100%%' height='100%%' fill='white'/>\n",
      kWidth, height);
  add(svg, "<text x='8' y='20'>wall time, quartiles of %d rounds; %s, %s</text>\n",
      report.plan.rounds, escaped(report.machine.kernel).c_str(), report.machine.time.c_str());
  double top = kTitle;
  for (const Result& result : report.results) {
    add_panel(svg, report, result, top);
    top += height_of(result);
  }
  return svg + "</svg>\n";
}

}  // namespace bench
