// SPDX-License-Identifier: Apache-2.0
// A rule has conditions: all of `includes` must hold, and none of `excludes`. What is unknown among
// them is an error: a rule that is wrongly left out may be the one that forbids.
#include "bundle/seccomp_profile.h"

#include "base/json_writer.h"
#include "base/syscalls.h"
#include "base/text.h"
#include "model/json.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

namespace onggi::image {
namespace {

using Value = rapidjson::Value;

constexpr size_t kLimit = 4u << 20;
constexpr std::string_view kFiles[] = {"/etc/containers/seccomp.json",
                                       "/usr/share/containers/seccomp.json"};

struct Machine {
  std::string_view machine;  // of uname(2)
  std::string_view architecture, short_name;
};
constexpr Machine kMachines[] = {
    {"x86_64", "SCMP_ARCH_X86_64", "amd64"},     {"aarch64", "SCMP_ARCH_AARCH64", "arm64"},
    {"riscv64", "SCMP_ARCH_RISCV64", "riscv64"}, {"s390x", "SCMP_ARCH_S390X", "s390x"},
    {"ppc64le", "SCMP_ARCH_PPC64LE", "ppc64le"},
};

struct Conditions {
  std::span<const std::string_view> capabilities;
  const SeccompHost& host;
};

std::string_view text_of(const Value& value) {
  return value.IsString() ? std::string_view(value.GetString(), value.GetStringLength())
                          : std::string_view();
}

// Of an array: each of its texts.
template <class Function>
bool any_text(const Value& array, Function function) {
  return array.IsArray() && std::any_of(array.Begin(), array.End(),
                                        [&](const Value& each) { return function(text_of(each)); });
}

bool has_capability(const Value& names, const Conditions& conditions) {
  return any_text(names, [&](std::string_view name) {
    return std::ranges::find(conditions.capabilities, name) != conditions.capabilities.end();
  });
}

bool has_all_capabilities(const Value& names, const Conditions& conditions) {
  return !any_text(names, [&](std::string_view name) {
    return std::ranges::find(conditions.capabilities, name) == conditions.capabilities.end();
  });
}

bool is_architecture(const Value& names, const Conditions& conditions) {
  return any_text(names, [&](std::string_view name) { return name == conditions.host.short_name; });
}

// "4.8"
bool is_kernel(const Value& version, const Conditions& conditions) {
  const std::string_view text = text_of(version);
  const size_t dot = std::min(text.find('.'), text.size());
  const auto major = parse_decimal<unsigned>(text.substr(0, dot));
  const auto minor = parse_decimal<unsigned>(text.substr(std::min(dot + 1, text.size())));
  return std::pair(conditions.host.kernel_major, conditions.host.kernel_minor) >=
         std::pair(major.value_or(~0u), minor.value_or(0));
}

struct ConditionRow {
  std::string_view name;
  bool (*is_met)(const Value&, const Conditions&);  // of `includes`
  bool (*hits)(const Value&, const Conditions&);    // of `excludes`
};
constexpr ConditionRow kConditions[] = {
    {"caps", has_all_capabilities, has_capability},
    {"arches", is_architecture, is_architecture},
    {"minKernel", is_kernel, is_kernel},
};

bool is_empty(const Value& value) {
  return value.IsNull() || (value.IsArray() && value.Empty());
}

Result<bool> applies(const Value& rule, const Conditions& conditions) {
  bool applies = true;
  for (std::string_view kind : {"includes", "excludes"}) {
    const Value* all = member_of(rule, kind);
    if (all == nullptr || !all->IsObject()) continue;
    for (const auto& condition : all->GetObject()) {
      if (is_empty(condition.value)) continue;
      const auto* row =
          std::ranges::find(kConditions, text_of(condition.name), &ConditionRow::name);
      if (row == std::end(kConditions))
        return unsupported("", "the condition '", text_of(condition.name), "' of a rule");
      applies &= kind == "includes" ? row->is_met(condition.value, conditions)
                                    : !row->hits(condition.value, conditions);
    }
  }
  return applies;
}

void write_value(JsonWriter& json, const Value& value) {
  if (value.IsObject()) {
    json.begin_object();
    for (const auto& member : value.GetObject()) {
      json.key(text_of(member.name));
      write_value(json, member.value);
    }
    json.end_object();
  } else if (value.IsArray()) {
    json.begin_array();
    for (const auto& each : value.GetArray()) write_value(json, each);
    json.end_array();
  } else if (value.IsString()) {
    json.value(text_of(value));
  } else if (value.IsBool()) {
    json.value(value.GetBool());
  } else if (value.IsUint64()) {
    json.value(value.GetUint64());
  } else if (value.IsInt64()) {
    json.value(value.GetInt64());
  } else {
    json.value("");
  }
}

void copy_members(JsonWriter& json, const Value& from,
                  std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) {
    const Value* value = member_of(from, name);
    if (value == nullptr || is_empty(*value)) continue;
    json.key(name);
    write_value(json, *value);
  }
}

void write_architectures(JsonWriter& json, const Value& map, const SeccompHost& host) {
  json.key("architectures").begin_array();
  for (const auto& each : map.GetArray()) {
    if (text_member(each, "architecture") != host.architecture) continue;
    json.value(host.architecture);
    const Value* others = member_of(each, "subArchitectures");
    if (others == nullptr || !others->IsArray()) continue;
    for (const auto& other : others->GetArray()) json.value(text_of(other));
  }
  json.end_array();
}

}  // namespace

SeccompHost seccomp_host() {
  utsname name = {};
  (void)uname(&name);
  SeccompHost host;
  const auto* machine =
      std::ranges::find(kMachines, std::string_view(name.machine), &Machine::machine);
  if (machine != std::end(kMachines)) {
    host.architecture = machine->architecture;
    host.short_name = machine->short_name;
  }
  const std::string_view release = name.release;
  const size_t dot = std::min(release.find('.'), release.size());
  const size_t end = std::min(release.find_first_not_of("0123456789", dot + 1), release.size());
  host.kernel_major = parse_decimal<unsigned>(release.substr(0, dot)).value_or(0);
  if (dot < release.size())
    host.kernel_minor = parse_decimal<unsigned>(release.substr(dot + 1, end - dot - 1)).value_or(0);
  return host;
}

Result<std::string> seccomp_for(std::string_view text,
                                std::span<const std::string_view> capabilities,
                                const SeccompHost& host) {
  rapidjson::Document profile;
  TRY(parse_json_object(text, "the seccomp profile", kLimit, profile));
  const Value* map = member_of(profile, "archMap");
  if (map == nullptr) return std::string(text);
  const Value* rules = member_of(profile, "syscalls");
  if (!map->IsArray() || rules == nullptr || !rules->IsArray())
    return make_error(ErrorKind::invalid_config, "the seccomp profile contains no rules");
  JsonWriter json;
  json.begin_object();
  copy_members(json, profile, {"defaultAction", "defaultErrnoRet", "flags"});
  write_architectures(json, *map, host);
  json.key("syscalls").begin_array();
  for (const auto& rule : rules->GetArray()) {
    if (!rule.IsObject())
      return make_error(ErrorKind::invalid_config,
                        "a rule of the seccomp profile is not an object");
    if (!TRY(applies(rule, {capabilities, host}))) continue;
    json.begin_object();
    copy_members(json, rule, {"names", "action", "errnoRet", "args"});
    json.end_object();
  }
  json.end_array().end_object();
  return std::move(json).take();
}

std::string default_seccomp_file() {
  for (std::string_view file : kFiles) {
    if (access(std::string(file).c_str(), R_OK) == 0) return std::string(file);
  }
  return {};
}

}  // namespace onggi::image
