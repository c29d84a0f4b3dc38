// SPDX-License-Identifier: Apache-2.0
// Docker's default capabilities, because images are made for them. Labels become annotations, but
// never those that a runtime obeys: an image must not choose its runtime's options
// (CVE-2026-53488).
#include "bundle/bundle_config.h"

#include "base/log.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "spec/default_spec.h"

#include <rapidjson/document.h>
#include <rapidjson/pointer.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>
#include <span>

namespace onggi::image {
namespace {

using Json = rapidjson::Document;
using Value = rapidjson::Value;

constexpr std::string_view kCapabilities[] = {
    "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
    "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_SETGID",           "CAP_SETUID",
    "CAP_SETFCAP", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
    "CAP_KILL",    "CAP_AUDIT_WRITE"};
constexpr std::string_view kReserved[] = {"run.oci.", "io.onggi.", "org.systemd.property.",
                                          "org.criu."};
constexpr std::string_view kRuntimesOwn[] = {"/proc", "/sys", "/dev"};
constexpr int64_t kCpuPeriod = 100'000;
constexpr std::string_view kPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Value string_value(std::string_view text, Json& json) {
  return {text.data(), static_cast<rapidjson::SizeType>(text.size()), json.GetAllocator()};
}

template <class Texts>
Value string_array(const Texts& texts, Json& json) {
  Value array(rapidjson::kArrayType);
  for (const auto& each : texts) array.PushBack(string_value(each, json), json.GetAllocator());
  return array;
}

template <class T>
void set(Json& json, const char* pointer, T&& value) {
  rapidjson::Pointer(pointer).Set(json, std::forward<T>(value));
}

std::string_view variable_name(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

void add_default(Strings& environment, std::string_view variable) {
  const bool there = std::ranges::any_of(environment, [&](const std::string& each) {
    return variable_name(each) == variable_name(variable);
  });
  if (!there) environment.emplace_back(variable);
}

// The image's own variables in their order, of several with one name the last value.
Strings environment_of(const ImageConfig& image, const ContainerUser& user,
                       const BundleOptions& options) {
  Strings environment;
  for (const std::string& variable : image.config.env) {
    const std::string_view name = variable_name(variable);
    if (name.empty() || name.size() == variable.size()) {
      log::warn("config.Env: '" + variable + "' must have the form NAME=VALUE, ignoring");
      continue;
    }
    const auto same = std::ranges::find(
        environment, name, [](const std::string& each) { return variable_name(each); });
    if (same == environment.end()) {
      environment.push_back(variable);
    } else {
      *same = variable;
    }
  }
  add_default(environment, kPath);
  add_default(environment, "HOME=" + user.home);
  if (!options.hostname.empty()) add_default(environment, "HOSTNAME=" + options.hostname);
  if (options.terminal) add_default(environment, "TERM=xterm");
  return environment;
}

Strings arguments_of(const ImageConfig& image) {
  Strings arguments = image.config.entrypoint;
  arguments.insert(arguments.end(), image.config.cmd.begin(), image.config.cmd.end());
  return arguments;
}

std::string joined_ports(const KeySet& ports) {
  Strings sorted;
  for (const std::string& port : ports.keys)
    sorted.push_back(port.find('/') == std::string::npos ? port + "/tcp" : port);
  std::ranges::sort(sorted);
  std::string text;
  for (const std::string& port : sorted) text.append(text.empty() ? "" : ",").append(port);
  return text;
}

bool is_reserved(std::string_view key) {
  return std::ranges::any_of(kReserved,
                             [&](std::string_view prefix) { return key.starts_with(prefix); });
}

// What the config says about itself, and over it the labels.
void add_annotations(const ImageConfig& image, Json& json) {
  const std::pair<std::string_view, std::string> known[] = {
      {"os", image.os},
      {"architecture", image.architecture},
      {"variant", image.variant},
      {"os.version", image.os_version},
      {"author", image.author},
      {"created", image.created},
      {"stopSignal", image.config.stop_signal},
      {"exposedPorts", joined_ports(image.config.exposed_ports)},
  };
  Value annotations(rapidjson::kObjectType);
  const auto put = [&](std::string_view key, std::string_view value) {
    const Value name = string_value(key, json);
    annotations.RemoveMember(name);
    annotations.AddMember(string_value(key, json), string_value(value, json), json.GetAllocator());
  };
  for (const auto& [key, value] : known) {
    if (!value.empty()) put("org.opencontainers.image." + std::string(key), value);
  }
  for (const auto& [key, value] : image.config.labels.entries) {
    if (key.empty()) continue;
    if (is_reserved(key)) {
      log::warn("config.Labels: '" + key + "' is reserved for the runtime, ignoring");
      continue;
    }
    put(key, value);
  }
  set(json, "/annotations", annotations);
}

void set_user(const ContainerUser& user, Json& json) {
  set(json, "/process/user/uid", user.uid);
  set(json, "/process/user/gid", user.gid);
  Value groups(rapidjson::kArrayType);
  for (uint32_t gid : user.groups) groups.PushBack(gid, json.GetAllocator());
  set(json, "/process/user/additionalGids", groups);
  // Another user gets them only from set-id programs, as with Docker. Inheritable and ambient ones
  // stay empty (CVE-2022-27649).
  const auto all = std::span<const std::string_view>(kCapabilities);
  const auto held = user.uid == 0 ? all : all.first(0);
  set(json, "/process/capabilities/bounding", string_array(all, json));
  set(json, "/process/capabilities/effective", string_array(held, json));
  set(json, "/process/capabilities/permitted", string_array(held, json));
}

// Its own namespace is what the document has. The host's goes without the sysfs of a namespace.
void set_network(const BundleOptions& options, Json& json) {
  if (options.network == NetworkKind::none || options.mappings) return;
  Value& namespaces = *rapidjson::Pointer("/linux/namespaces").Get(json);
  for (auto each = namespaces.Begin(); each != namespaces.End(); ++each) {
    if ((*each)["type"] != "network") continue;
    if (options.network == NetworkKind::joined) {
      each->AddMember("path", string_value(options.network_path, json), json.GetAllocator());
    } else {
      namespaces.Erase(each);
    }
    break;
  }
}

void set_mappings(const BundleOptions& options, Json& json) {
  if (!options.mappings) return;
  auto& allocator = json.GetAllocator();
  for (const auto& [pointer, mappings] :
       {std::pair("/linux/uidMappings", &options.mappings->uids),
        std::pair("/linux/gidMappings", &options.mappings->gids)}) {
    Value array(rapidjson::kArrayType);
    for (const IdMapping& mapping : *mappings) {
      Value entry(rapidjson::kObjectType);
      entry.AddMember("containerID", mapping.inside, allocator);
      entry.AddMember("hostID", mapping.outside, allocator);
      entry.AddMember("size", mapping.count, allocator);
      array.PushBack(entry, allocator);
    }
    set(json, pointer, array);
  }
  // setgroups(2) is denied where one id is mapped.
  if (options.mappings->gids.size() == 1)
    rapidjson::Pointer("/process/user/additionalGids").Erase(json);
}

void add_mounts(const BundleOptions& options, Json& json) {
  Value& mounts = *rapidjson::Pointer("/mounts").Get(json);
  for (const BundleMount& mount : options.mounts) {
    Value entry(rapidjson::kObjectType);
    auto& allocator = json.GetAllocator();
    entry.AddMember("destination", string_value(mount.destination, json), allocator);
    entry.AddMember("type", "bind", allocator);
    entry.AddMember("source", string_value(mount.source, json), allocator);
    entry.AddMember("options", string_array(mount.options, json), allocator);
    mounts.PushBack(entry, allocator);
  }
}

void set_limits(const BundleOptions& options, Json& json) {
  if (options.memory != 0) set(json, "/linux/resources/memory/limit", options.memory);
  if (options.pids != 0) set(json, "/linux/resources/pids/limit", options.pids);
  if (options.cpu_quota == 0) return;
  set(json, "/linux/resources/cpu/quota", options.cpu_quota);
  set(json, "/linux/resources/cpu/period", kCpuPeriod);
}

}  // namespace

std::span<const std::string_view> default_capabilities() {
  return kCapabilities;
}

Result<> check_mount_point(const std::string& path, std::string_view what) {
  const std::string clean = clean_path(path);
  bool right = path.starts_with('/') && clean == path.substr(0, clean.size()) && clean != "/" &&
               path.find("..") == std::string::npos;
  for (std::string_view own : kRuntimesOwn) {
    right = right && clean != own && !clean.starts_with(std::string(own) + "/");
  }
  if (right) return {};
  return config_error(what, "'", path,
                      "' must be an absolute path below /, outside /proc, /sys and /dev");
}

Result<> check_runnable(const ImageConfig& image) {
  if (image.os != "linux") return unsupported("os", "\"", image.os, "\" cannot run here");
  if (arguments_of(image).empty()) {
    return with_hint(
        make_error(ErrorKind::invalid_config, "the image does not set a program to run"),
        "give one after the image");
  }
  for (const std::string& volume : image.config.volumes.keys)
    TRY(check_mount_point(volume, "config.Volumes"));
  return {};
}

std::string bundle_config(const ImageConfig& image, const ContainerUser& user,
                          const BundleOptions& options) {
  const std::string base =
      options.mappings ? spec::default_rootless_spec(0, 0) : spec::default_spec();
  Json json;
  json.Parse(base.data(), base.size());
  // No field here is newer, and older runtimes refuse a version that they do not know.
  set(json, "/ociVersion", "1.0.2");
  set(json, "/process/terminal", options.terminal);
  set(json, "/process/noNewPrivileges", options.no_new_privileges);
  // The caller's limits: images are made for more than 1,024 files.
  rapidjson::Pointer("/process/rlimits").Erase(json);
  set(json, "/process/args", string_array(arguments_of(image), json));
  set(json, "/process/env", string_array(environment_of(image, user, options), json));
  set(json, "/process/cwd", string_value(clean_path("/" + image.config.working_dir), json));
  set(json, "/root/readonly", options.read_only);
  if (!options.hostname.empty()) set(json, "/hostname", string_value(options.hostname, json));
  set_user(user, json);
  set_mappings(options, json);
  if (!options.seccomp.empty()) {
    Json seccomp(&json.GetAllocator());
    seccomp.Parse(options.seccomp.data(), options.seccomp.size());
    set(json, "/linux/seccomp", seccomp);
  }
  set_network(options, json);
  set_limits(options, json);
  add_mounts(options, json);
  add_annotations(image, json);
  rapidjson::StringBuffer text;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(text);
  writer.SetIndent('\t', 1);
  json.Accept(writer);
  return std::string(text.GetString(), text.GetSize()) + "\n";
}

}  // namespace onggi::image
