// SPDX-License-Identifier: Apache-2.0
// The lists come from the parser's own tables, so they cannot differ from what is accepted.
#include "spec/features.h"

#include "base/json_writer.h"
#include "spec/mount_options.h"
#include "spec/names.h"
#include "spec/version.h"

namespace onggi::spec {

// apparmor, selinux: whether they are compiled in, not whether the kernel has them
// (features-linux.md).
constexpr std::string_view kHooks[] = {"prestart",       "createRuntime", "createContainer",
                                       "startContainer", "poststart",     "poststop"};

#ifdef ONGGI_SYSTEMD
constexpr bool kSystemd = true;
#else
constexpr bool kSystemd = false;
#endif

constexpr BuildFeatures kBuildFeatures = {
    .hooks = kHooks,
    .idmapped_mounts = true,
    .tmpcopyup = true,
    .remount = true,
    .seccomp_notify = true,
    .cgroup_v1 = true,
    .cgroup_v2 = true,
    .cgroup_systemd = kSystemd,
    .cgroup_systemd_user = kSystemd,
    .cgroup_rdma = true,
    .apparmor = true,
    .selinux = true,
    .intel_rdt = true,
    .memory_policy = true,
    .net_devices = true,
};

namespace {

template <class T, size_t N>
std::vector<Text> texts_of(const Name<T> (&names)[N]) {
  std::vector<Text> texts;
  texts.reserve(N);
  for (const auto& name : names) texts.push_back(name.text);
  return texts;
}

void write_switch(JsonWriter& json, std::string_view name, bool enabled) {
  json.key(name).begin_object().field("enabled", enabled).end_object();
}

// idmap and ridmap are announced by mountExtensions, not here, as runc does it.
std::vector<Text> mount_options(const BuildFeatures& build) {
  std::vector<Text> options;
  for (const Text option : known_mount_options()) {
    if (option == "idmap" || option == "ridmap") continue;
    if (option == "tmpcopyup" && !build.tmpcopyup) continue;
    if (option == "remount" && !build.remount) continue;
    options.push_back(option);
  }
  return options;
}

void write_cgroup(JsonWriter& json, const BuildFeatures& build) {
  json.key("cgroup").begin_object();
  json.field("v1", build.cgroup_v1).field("v2", build.cgroup_v2);
  json.field("systemd", build.cgroup_systemd).field("systemdUser", build.cgroup_systemd_user);
  json.field("rdma", build.cgroup_rdma).end_object();
}

void write_seccomp(JsonWriter& json, const HostFeatures& host, const BuildFeatures& build) {
  const bool enabled = !host.libseccomp_version.empty();
  json.key("seccomp").begin_object().field("enabled", enabled);
  if (enabled) {
    json.key("actions").begin_array();
    for (const auto& action : kSeccompActionNames) {
      if (action.value != SeccompAction::notify || build.seccomp_notify) json.value(action.text);
    }
    json.end_array();
    json.field("operators", texts_of(kSeccompOperatorNames));
    json.field("archs", host.seccomp_architectures);
    json.field("knownFlags", texts_of(kSeccompFlagNames));
    json.field("supportedFlags", host.seccomp_supported_flags);
  }
  json.end_object();
}

void write_linux(JsonWriter& json, const HostFeatures& host, const BuildFeatures& build) {
  json.key("linux").begin_object();
  json.field("namespaces", texts_of(kNamespaceNames));
  json.field("capabilities", host.capabilities);
  write_cgroup(json, build);
  write_seccomp(json, host, build);
  write_switch(json, "apparmor", build.apparmor);
  write_switch(json, "selinux", build.selinux);
  json.key("intelRdt").begin_object().field("enabled", build.intel_rdt);
  json.field("schemata", build.intel_rdt).field("monitoring", build.intel_rdt).end_object();
  if (build.memory_policy) {
    json.key("memoryPolicy").begin_object().field("modes", texts_of(kMemoryPolicyModeNames));
    json.field("flags", texts_of(kMemoryPolicyFlagNames)).end_object();
  }
  json.key("mountExtensions").begin_object();
  write_switch(json, "idmap", build.idmapped_mounts);
  json.end_object();
  write_switch(json, "netDevices", build.net_devices);
  json.end_object();
}

// containerd and CRI tools look for runc's key of the checkpoint feature, whatever the runtime.
void write_annotations(JsonWriter& json, const HostFeatures& host, const BuildFeatures& build) {
  json.key("annotations").begin_object();
  if (!host.libseccomp_version.empty()) {
    json.field("io.github.seccomp.libseccomp.version", host.libseccomp_version);
  }
  json.field("org.opencontainers.runc.checkpoint.enabled", build.checkpoint ? "true" : "false");
  if (!host.commit.empty()) json.field("org.onggi.commit", host.commit);
  json.field("org.onggi.version", host.version).end_object();
}

}  // namespace

std::string features_document(const HostFeatures& host, const BuildFeatures& build) {
  JsonWriter json(JsonWriter::Style::two_spaces);
  json.begin_object();
  json.field("ociVersionMin", "1.0.0").field("ociVersionMax", kVersion);
  json.field("hooks", build.hooks);
  json.field("mountOptions", mount_options(build));
  write_linux(json, host, build);
  write_annotations(json, host, build);
  json.key("potentiallyUnsafeConfigAnnotations").begin_array();
  if (build.cgroup_systemd) json.value("org.systemd.property.");
  if (build.checkpoint) json.value("org.criu.config");
  json.end_array().end_object();
  return std::move(json).take() + "\n";
}

}  // namespace onggi::spec
