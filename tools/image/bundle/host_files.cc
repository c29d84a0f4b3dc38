// SPDX-License-Identifier: Apache-2.0
// As docker makes them.
#include "bundle/host_files.h"

#include "base/file.h"
#include "base/log.h"
#include "base/split.h"

namespace onggi::image {
namespace {

constexpr size_t kFileLimit = 1u << 20;
constexpr const char* kResolvConf = "/etc/resolv.conf";
// Where systemd-resolved has the servers that it asks itself.
constexpr const char* kResolved = "/run/systemd/resolve/resolv.conf";

bool has_server(const std::string& text) {
  return text.starts_with("nameserver") || text.find("\nnameserver") != text.npos;
}

std::string resolv_conf(const std::string& first) {
  std::string own = first.empty() ? "" : "nameserver " + first + "\n";
  for (const char* path : {kResolvConf, kResolved}) {
    const Result<std::string> text = read_file(AT_FDCWD, path, kFileLimit);
    if (!text) continue;
    std::string kept = own + reachable_name_servers(text.value());
    if (has_server(kept)) return kept;
  }
  if (own.empty())
    log::warn("the host has no name server that a container can reach: the container gets none");
  return own;
}

}  // namespace

std::string reachable_name_servers(const std::string& text) {
  std::string kept;
  for (std::string_view line : lines_of(text)) {
    std::string_view server = line;
    if (server.starts_with("nameserver")) {
      server.remove_prefix(10);
      while (server.starts_with(' ') || server.starts_with('\t')) server.remove_prefix(1);
      if (server.starts_with("127.") || server.starts_with("::1")) continue;
    }
    kept.append(line).append("\n");
  }
  return kept;
}

Result<std::vector<BundleMount>> write_host_files(const HostFiles& files) {
  std::string hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n";
  const std::string& own = files.address.empty() ? "127.0.1.1" : files.address;
  hosts.append(own).append("\t").append(files.hostname).append("\n");
  const std::pair<const char*, std::string> contents[] = {
      {"hosts", hosts},
      {"hostname", files.hostname + "\n"},
      {"resolv.conf", resolv_conf(files.name_server)}};
  const UniqueFd directory = TRY(open_directory(AT_FDCWD, files.directory));
  std::vector<BundleMount> mounts;
  for (const auto& [name, text] : contents) {
    TRY(replace_atomically(directory.get(), name, text, 0644));
    mounts.push_back({files.directory + "/" + name, std::string("/etc/") + name, {"bind"}});
  }
  return mounts;
}

}  // namespace onggi::image
