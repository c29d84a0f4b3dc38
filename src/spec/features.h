// SPDX-License-Identifier: Apache-2.0
// The document of `onggi features` (features.md and features-linux.md of the runtime
// specification): what this build does, with what this host adds to it. Engines decide by it, so
// nothing may be listed that is not done.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::spec {

// What onggi itself can do. A field is turned on in kBuildFeatures when its feature lands.
struct BuildFeatures {
  std::span<const std::string_view> hooks;  // in the order of the life cycle
  bool idmapped_mounts = false;
  bool tmpcopyup = false, remount = false;
  bool seccomp_notify = false;
  bool cgroup_v1 = false, cgroup_v2 = false, cgroup_systemd = false, cgroup_systemd_user = false;
  bool cgroup_rdma = false;
  bool apparmor = false, selinux = false;
  bool intel_rdt = false, memory_policy = false, net_devices = false;
  bool checkpoint = false;
};
extern const BuildFeatures kBuildFeatures;

// What the caller found out about the libraries and the kernel.
struct HostFeatures {
  std::string_view version, commit;       // of onggi; an empty commit is left out
  std::vector<std::string> capabilities;  // those that the kernel knows: "CAP_CHOWN"
  std::string_view libseccomp_version;    // "2.5.4"; empty: built without it
  std::vector<std::string_view>
      seccomp_architectures;  // "SCMP_ARCH_X86_64", those that libseccomp resolves
  std::vector<std::string_view>
      seccomp_supported_flags;  // "SECCOMP_FILTER_FLAG_LOG", by kernel and libseccomp
};

// Pretty-printed, with a newline at its end.
std::string features_document(const HostFeatures& host,
                              const BuildFeatures& build = kBuildFeatures);

}  // namespace onggi::spec
