// SPDX-License-Identifier: Apache-2.0
// Which sysctls have one value per namespace: ipc_namespaces(7), network_namespaces(7),
// uts_namespaces(7), and user.* by namespaces(7).
#include "spec/sysctl.h"

#include <algorithm>

namespace onggi::spec {

namespace {

struct Row {
  std::string_view path;  // ending in '/': everything below
  NamespaceType type;
};

constexpr Row kRows[] = {
    {"fs/mqueue/", NamespaceType::ipc},      {"kernel/domainname", NamespaceType::uts},
    {"kernel/hostname", NamespaceType::uts}, {"kernel/msgmax", NamespaceType::ipc},
    {"kernel/msgmnb", NamespaceType::ipc},   {"kernel/msgmni", NamespaceType::ipc},
    {"kernel/sem", NamespaceType::ipc},      {"kernel/shm_rmid_forced", NamespaceType::ipc},
    {"kernel/shmall", NamespaceType::ipc},   {"kernel/shmmax", NamespaceType::ipc},
    {"kernel/shmmni", NamespaceType::ipc},   {"net/", NamespaceType::network},
    {"user/", NamespaceType::user},
};

bool walkable(std::string_view path) {
  for (;;) {
    const size_t slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    if (component.empty() || component == "." || component == "..") return false;
    if (slash == path.npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

std::string sysctl_path(Text key) {
  std::string path(key);
  const size_t separator = path.find_first_of("./");
  if (separator != path.npos && path[separator] == '.') {
    for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
  }
  return walkable(path) ? path : std::string();
}

std::optional<NamespaceType> sysctl_namespace(std::string_view path) {
  const auto* row = std::ranges::find_if(kRows, [&](const Row& candidate) {
    return candidate.path.ends_with('/') ? path.starts_with(candidate.path)
                                         : path == candidate.path;
  });
  return row == std::ranges::end(kRows) ? std::nullopt : std::optional(row->type);
}

}  // namespace onggi::spec
