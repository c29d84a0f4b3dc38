// SPDX-License-Identifier: Apache-2.0
// The names that systemd accepts (systemd.unit(5)) and the tree that it makes of slices.
#include "plan/systemd_unit.h"

#include "base/ascii.h"

namespace onggi::plan {
namespace {

constexpr std::string_view kPlace = "linux.cgroupsPath";
constexpr std::string_view kSlice = ".slice";
constexpr size_t kLongestName = 255;

bool is_allowed(char c) {
  return is_alphanumeric(c) || c == ':' || c == '-' || c == '_' || c == '.' || c == '\\' ||
         c == '@';
}

// A container's id may have a "+", which a unit's name may not (systemd-escape(1)).
std::string escape(std::string_view id) {
  std::string escaped;
  for (const char c : id) {
    if (is_allowed(c)) {
      escaped += c;
      continue;
    }
    escaped += FixedText<8>("\\x").append_padded(static_cast<unsigned char>(c), 2, 16).view();
  }
  return escaped;
}

Result<> check_name(std::string_view name) {
  const auto refuse = [name](const auto&... why) {
    return config_error(kPlace, "'", name, "' cannot be the name of a systemd unit: ", why...);
  };
  if (name.size() > kLongestName)
    return refuse("it must not be longer than ", kLongestName, " bytes");
  for (const char c : name) {
    if (!is_allowed(c)) return refuse("it may contain only letters, digits and :-_.\\@");
  }
  return {};
}

// Each dash is a step down, so none may be at an end or beside another.
Result<> check_slice(std::string_view slice) {
  TRY(check_name(slice));
  const std::string_view stem = slice.substr(0, slice.size() - kSlice.size());
  if (stem == "-") return {};
  if (stem.empty() || stem.starts_with('-') || stem.ends_with('-') ||
      stem.find("--") != std::string_view::npos) {
    return config_error(kPlace, "'", slice, "' is not a valid slice name");
  }
  return {};
}

Result<std::string> slice_of(std::string_view given, bool user) {
  if (given.empty()) return std::string(user ? "user.slice" : "system.slice");
  if (given == "-") return std::string("-.slice");
  if (!given.ends_with(kSlice)) {
    return config_error(kPlace, "'", given, "' is not a valid slice name: it must end in .slice");
  }
  TRY(check_slice(given));
  return std::string(given);
}

// "a-b.slice" → "/a.slice/a-b.slice"
std::string expand(std::string_view slice) {
  if (slice == "-.slice") return "";
  std::string path;
  const std::string_view stem = slice.substr(0, slice.size() - kSlice.size());
  for (size_t dash = stem.find('-');; dash = stem.find('-', dash + 1)) {
    path.append("/").append(stem.substr(0, dash)).append(kSlice);
    if (dash == std::string_view::npos) return path;
  }
}

}  // namespace

Result<UnitPath> parse_unit_path(std::string_view path, std::string_view id, bool user) {
  if (path.empty()) {
    const std::string unit = "onggi-" + escape(id) + ".scope";
    TRY(check_name(unit));
    return UnitPath{TRY(slice_of("", user)), unit};
  }
  const size_t first = path.find(':');
  const size_t second = first == std::string_view::npos ? first : path.find(':', first + 1);
  if (second == std::string_view::npos || path.find(':', second + 1) != std::string_view::npos) {
    return config_error(kPlace, "'", path,
                        "' must have the form slice:prefix:name with the systemd cgroup manager");
  }
  const std::string_view prefix = path.substr(first + 1, second - first - 1);
  const std::string_view name = path.substr(second + 1);
  if (name.empty()) return config_error(kPlace, "'", path, "' has an empty name");
  UnitPath result{TRY(slice_of(path.substr(0, first), user)), std::string(name)};
  if (name.ends_with(kSlice)) {
    if (name == "-.slice")
      return config_error(kPlace, "the root slice cannot be used for a container");
    TRY(check_slice(name));
    return result;
  }
  if (!prefix.empty()) result.unit = std::string(prefix) + "-" + std::string(name);
  result.unit += ".scope";
  TRY(check_name(result.unit));
  return result;
}

std::string cgroup_of(const UnitPath& path) {
  // A slice's place follows from its own name, whatever it is wanted by.
  if (path.unit.ends_with(kSlice)) return expand(path.unit);
  return expand(path.slice) + "/" + path.unit;
}

}  // namespace onggi::plan
