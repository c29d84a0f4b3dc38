// SPDX-License-Identifier: Apache-2.0
// Default devices and links of config-linux.md#default-devices, and linux.devices.
#include "base/path.h"
#include "plan/build_parts.h"

#include <sys/stat.h>

#include <algorithm>

namespace onggi::plan {
namespace {

struct DefaultDevice {
  const char* path;
  uint32_t major, minor;
};
constexpr DefaultDevice kDevices[] = {
    {"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
    {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0},
};

struct DefaultLink {
  const char *path, *target, *if_exists;
};
constexpr DefaultLink kLinks[] = {
    {"/dev/fd", "/proc/self/fd", "/proc/self/fd"},
    {"/dev/stdin", "/proc/self/fd/0", "/proc/self/fd"},
    {"/dev/stdout", "/proc/self/fd/1", "/proc/self/fd"},
    {"/dev/stderr", "/proc/self/fd/2", "/proc/self/fd"},
    {"/dev/core", "/proc/kcore", "/proc/kcore"},
    {"/dev/ptmx", "pts/ptmx", ""},
};

uint32_t file_type(char type) {
  switch (type) {
    case 'b':
      return S_IFBLK;
    case 'p':
      return S_IFIFO;
    default:
      return S_IFCHR;
  }
}

}  // namespace

void build_devices(BuildContext& context) {
  std::vector<Step>& steps = context.plan.before_pivot;
  Pool& pool = context.plan.pool;
  const bool bind = context.in_user_namespace();
  const std::vector<spec::Device>& wanted = context.spec.linux.devices;
  for (const DefaultDevice& device : kDevices) {
    const auto same_path = [&](const spec::Device& other) {
      return clean_path(other.path) == device.path;
    };
    if (std::any_of(wanted.begin(), wanted.end(), same_path)) continue;
    MakeDevice step{.path = pool.text(device.path), .mode = S_IFCHR | 0666};
    step.major = device.major;
    step.minor = device.minor;
    step.bind = bind;
    // Images made without the right to make devices have empty files there.
    step.cover = !bind;
    steps.push_back({{"linux.devices"}, step});
  }
  for (size_t i = 0; i < wanted.size(); i++) {
    const spec::Device& device = wanted[i];
    const std::string path = clean_path(device.path);
    if (path == "/dev/ptmx") continue;  // the link into the container's own devpts takes its place
    MakeDevice step{.path = pool.text(path),
                    .mode = file_type(device.type) | (device.file_mode.value_or(0666) & 07777)};
    step.major = static_cast<uint32_t>(device.major);
    step.minor = static_cast<uint32_t>(device.minor);
    step.uid = device.uid.value_or(0);
    step.gid = device.gid.value_or(0);
    step.bind = bind && device.type != 'p';
    if (step.bind && (device.file_mode || device.uid || device.gid)) {
      context.warn("linux.devices[" + std::to_string(i) +
                   "]: in a user namespace, the host's node is used, with its mode and owner");
    }
    steps.push_back({{"linux.devices", static_cast<int32_t>(i)}, step});
  }
  for (const DefaultLink& link : kLinks) {
    steps.push_back(
        {{"linux.devices"},
         MakeLink{pool.text(link.target), pool.text(link.path), pool.text(link.if_exists)}});
  }
}

}  // namespace onggi::plan
