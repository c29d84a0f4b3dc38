// SPDX-License-Identifier: Apache-2.0
// Typed reads of the JSON leaves, and the path text of a cursor.
#include "spec/reader.h"

#include "base/ascii.h"
#include "base/log.h"
#include "base/nearest.h"

#include <algorithm>

namespace onggi::spec {

namespace {

bool is_plain(char c) {
  return is_alphanumeric(c) || c == '_' || c == '-';
}

Error not_in_range(const Cursor& at, auto least, auto most) {
  return at.error("must be an integer from ", least, " to ", most);
}

// Keys that are easily put into the wrong object, where a limit or a protection would be absent for
// it. Only names that have one place.
struct KeyPlace {
  Text key, object;
};
constexpr KeyPlace kPlaces[] = {
    {"additionalGids", "process.user"},
    {"apparmorProfile", "process"},
    {"args", "process"},
    {"blockIO", "linux.resources"},
    {"capabilities", "process"},
    {"cgroupsPath", "linux"},
    {"cpu", "linux.resources"},
    {"cpus", "linux.resources.cpu"},
    {"cwd", "process"},
    {"hooks", "config.json itself"},
    {"hostname", "config.json itself"},
    {"hugepageLimits", "linux.resources"},
    {"intelRdt", "linux"},
    {"ioPriority", "process"},
    {"maskedPaths", "linux"},
    {"memory", "linux.resources"},
    {"mountLabel", "linux"},
    {"mounts", "config.json itself"},
    {"namespaces", "linux"},
    {"noNewPrivileges", "process"},
    {"oomScoreAdj", "process"},
    {"personality", "linux"},
    {"pids", "linux.resources"},
    {"quota", "linux.resources.cpu"},
    {"readonlyPaths", "linux"},
    {"resources", "linux"},
    {"rlimits", "process"},
    {"rootfsPropagation", "linux"},
    {"scheduler", "process"},
    {"seccomp", "linux"},
    {"selinuxLabel", "process"},
    {"shares", "linux.resources.cpu"},
    {"swap", "linux.resources.memory"},
    {"sysctl", "linux"},
    {"terminal", "process"},
    {"umask", "process.user"},
    {"unified", "linux.resources"},
};

}  // namespace

FixedText<128> Cursor::path() const {
  FixedText<128> path;
  if (parent_ == nullptr) return path.append("config.json");
  append_path(path);
  return path;
}

void Cursor::append_path(FixedText<128>& path) const {
  if (parent_ == nullptr) return;
  parent_->append_path(path);
  if (key_.data() == nullptr) {
    path.append("[", index_, "]");
  } else if (!key_.empty() && std::ranges::all_of(key_, is_plain)) {
    if (!path.empty()) path.append('.');
    path.append(key_);
  } else {
    path.append("[\"", key_, "\"]");
  }
}

void Cursor::note_unknown(Text key, std::span<const Text> known) const {
  const auto place = std::ranges::find(kPlaces, key, &KeyPlace::key);
  if (place != std::end(kPlaces))
    return note_ignored("unknown key \"", key, "\", which belongs in ", place->object);
  const Text meant = nearest(key, known);
  if (!meant.empty())
    return note_ignored("unknown key \"", key, "\", did you mean \"", meant, "\"?");
  log::debug(text<320>(path().view(), ": unknown key \"", key, "\", ignoring").view());
}

Error Cursor::missing(Text key) const {
  const Error error = error_below(key, "is required");
  if (!json_.IsObject()) return error;
  for (const auto& member : json_.GetObject()) {
    const Text given = text_of(member.name);
    if (given != key && nearest(given, {&key, 1}) == key)
      return with_hint(error, text<160>("rename \"", given, "\"").view());
  }
  return error;
}

Result<> read(const Cursor& at, bool& to) {
  if (!at.json().IsBool()) return at.error("must be true or false");
  to = at.json().GetBool();
  return {};
}

Result<> read(const Cursor& at, Text& to) {
  if (!at.json().IsString()) return at.error("must be a string");
  to = text_of(at.json());
  return {};
}

Result<> read(const Cursor& at, std::string& to) {
  Text text;
  TRY(read(at, text));
  if (text.find('\0') != Text::npos) return at.error("must not contain a NUL character");
  to = text;
  return {};
}

Result<> read(const Cursor& at, TextList& to) {
  if (!at.json().IsArray()) return at.error("must be an array of strings");
  to.reserve(at.json().Size());
  uint32_t index = 0;
  for (const Json& element : at.json().GetArray()) {
    TRY(read(Cursor(at, index++, element), to.emplace_back()));
  }
  return {};
}

Result<> read(const Cursor& at, TextMap& to) {
  if (!at.json().IsObject()) return at.error("must be an object of strings");
  to.reserve(at.json().MemberCount());
  for (const auto& member : at.json().GetObject()) {
    auto& [key, value] = to.emplace_back();
    key = text_of(member.name);
    TRY(read(Cursor(at, key, member.value), value));
  }
  return {};
}

Result<uint64_t> read_unsigned(const Cursor& at, uint64_t least, uint64_t most) {
  if (!at.json().IsUint64()) return not_in_range(at, least, most);
  const uint64_t value = at.json().GetUint64();
  if (value < least || value > most) return not_in_range(at, least, most);
  return value;
}

Result<int64_t> read_signed(const Cursor& at, int64_t least, int64_t most) {
  if (!at.json().IsInt64()) return not_in_range(at, least, most);
  const int64_t value = at.json().GetInt64();
  if (value < least || value > most) return not_in_range(at, least, most);
  return value;
}

}  // namespace onggi::spec
