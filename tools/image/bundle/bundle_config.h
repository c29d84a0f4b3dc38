// SPDX-License-Identifier: Apache-2.0
// Image config -> config.json (image-spec conversion.md): the document of `onggi spec` with the
// image's program, environment, user and annotations, and with what the user asks of the runtime.
#pragma once

#include "bundle/user.h"
#include "model/descriptor.h"
#include "process/user_namespace.h"

#include <span>

namespace onggi::image {

struct BundleMount {
  std::string source, destination;
  Strings options;  // of mount(8), as config.json has them
};

enum class NetworkKind : uint8_t {
  none,    // a namespace of its own, with nothing in it but the loopback
  host,    // the namespace of the host
  joined,  // an existing namespace
};

struct BundleOptions {
  bool terminal = false;
  bool read_only = false;
  bool no_new_privileges = false;
  std::string hostname;  // empty: the id of the container, or of its bundle
  std::string seccomp;   // of linux.seccomp, JSON; empty: every system call is permitted
  std::vector<BundleMount> mounts;
  int64_t memory = 0;     // bytes; 0: no limit
  int64_t cpu_quota = 0;  // microseconds in 100,000; 0: no limit
  int64_t pids = 0;       // 0: no limit
  NetworkKind network = NetworkKind::none;
  std::string network_path;  // of a joined namespace
  // Of the user who will run it, if that is not root; then the network is the host's.
  std::optional<UserMappings> mappings;
};

// What of the config needs no root filesystem: a program, an operating system, volumes that do not
// cover what the runtime mounts. Before anything is unpacked.
Result<> check_runnable(const ImageConfig& image);

std::string bundle_config(const ImageConfig& image, const ContainerUser& user,
                          const BundleOptions& options);

// Docker's, because images are made for them.
std::span<const std::string_view> default_capabilities();

// An absolute path below / that is clean and not within /proc, /sys or /dev. `what` names it in the
// error.
Result<> check_mount_point(const std::string& path, std::string_view what);

}  // namespace onggi::image
