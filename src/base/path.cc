// SPDX-License-Identifier: Apache-2.0
// Lexical path arithmetic.
#include "base/path.h"

namespace onggi {

std::string clean_path(std::string_view path) {
  std::string cleaned = path.starts_with('/') ? "/" : "";
  const size_t top = cleaned.size();
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view component = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (component.empty() || component == ".") continue;
    if (component == "..") {
      const size_t slash = cleaned.rfind('/');
      cleaned.resize(slash == std::string::npos ? 0 : std::max(slash, top));
      continue;
    }
    if (cleaned.size() > top) cleaned += '/';
    cleaned += component;
  }
  return cleaned;
}

std::string join_path(std::string_view base, std::string_view path) {
  if (path.starts_with('/') || base.empty()) return std::string(path);
  std::string joined(base);
  if (!joined.ends_with('/')) joined += '/';
  return joined.append(path);
}

}  // namespace onggi
