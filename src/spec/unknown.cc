// SPDX-License-Identifier: Apache-2.0
// What a document says and no table knows: keys, and names out of closed sets.
#include "base/ascii.h"
#include "base/log.h"
#include "base/nearest.h"
#include "spec/reader.h"

namespace onggi::spec {

namespace {

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
    {"env", "process"},
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

// Words of other tools for a key of `process`; elsewhere they may be anything.
struct ForeignKey {
  Text word, key;
};
constexpr ForeignKey kForeignKeys[] = {
    {"cmd", "args"},        {"command", "args"}, {"entrypoint", "args"}, {"environment", "env"},
    {"ulimits", "rlimits"}, {"workdir", "cwd"},  {"workingdir", "cwd"},
};

// Objects of config.md for other systems: one document may describe a container for several.
constexpr Text kOtherPlatforms[] = {"freebsd", "solaris", "vm", "windows", "zos"};

}  // namespace

bool Cursor::is_of_other_platform(Text key) const {
  return parent_ == nullptr && source_.prefix.empty() &&
         std::ranges::find(kOtherPlatforms, key) != std::end(kOtherPlatforms);
}

void Cursor::note_unknown(Text key, std::span<const Text> known) const {
  const auto plain = text<320>(path().view(), ": unknown key \"", key, "\"");
  if (is_of_other_platform(key)) return log::debug(text<340>(plain.view(), ", ignoring").view());

  const auto* const place = std::ranges::find(kPlaces, key, &KeyPlace::key);
  const auto same = [key](const ForeignKey& each) {
    return std::ranges::equal(each.word, key, {}, {}, [](char c) { return lower_case(c); });
  };
  const auto* const foreign = std::ranges::find_if(kForeignKeys, same);
  const bool in_process = std::ranges::find(known, Text("cwd")) != known.end();
  const bool in_root = parent_ == nullptr && source_.prefix.empty();
  std::string line(plain.view());
  if (place != std::end(kPlaces)) {
    line.append(", which belongs in ").append(place->object);
  } else if (foreign != std::end(kForeignKeys) && (in_process || in_root)) {
    line.append(in_process ? ", did you mean \"" : ", which belongs in process as \"")
        .append(foreign->key)
        .append(in_process ? "\"?" : "\"");
  } else if (const Text meant = nearest(key, known); !meant.empty()) {
    line.append(", did you mean \"").append(meant).append("\"?");
  }
  if (source_.unknown_key.empty()) source_.unknown_key = line;
  if (line != plain.view()) {
    source_.ignored.push_back(line);
  } else {
    log::debug(line.append(", ignoring"));
  }
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

Error unknown_name(const Cursor& at, Text given, std::span<const Text> names, Text kind) {
  Error error = at.error("unknown ", kind, " \"", given, "\"");
  const Text meant = name_meant(given, names);
  if (!meant.empty()) {
    error.hint.append("did you mean \"", meant, "\"?");
    return error;
  }
  constexpr size_t kFew = 8;
  if (names.size() > kFew) return error;
  error.hint.append("one of: ");
  for (const Text& name : names) error.hint.append(&name == names.data() ? "" : ", ", name);
  return error;
}

}  // namespace onggi::spec
