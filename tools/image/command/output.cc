// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "command/output.h"

#include "base/utf8.h"

#include <algorithm>

namespace onggi::image {

std::string size_text(uint64_t bytes) {
  constexpr const char* kUnits[] = {" B", " kB", " MB", " GB", " TB", " PB", " EB"};
  size_t unit = 0;
  uint64_t divisor = 1;
  for (; bytes / divisor >= 1000; divisor *= 1000) ++unit;
  std::string text = std::to_string(bytes / divisor);
  if (unit > 0) text += "." + std::to_string(bytes % divisor / (divisor / 10));
  return text + kUnits[unit];
}

std::string table_text(const std::vector<TableRow>& rows) {
  std::vector<size_t> widths;
  std::vector<TableRow> shown;
  for (const TableRow& row : rows) {
    TableRow& cells = shown.emplace_back();
    for (const std::string& cell : row) cells.push_back(printable(cell));
    widths.resize(std::max(widths.size(), cells.size()));
    for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  }
  std::string text;
  for (const TableRow& row : shown) {
    for (size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - row[i].size() + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace onggi::image
