// SPDX-License-Identifier: Apache-2.0
// A directory that is not there or may not be read is one without certificates; a certificate in
// it that cannot be read is an error, because the connection would fail for a reason nobody sees.
#include "registry/certificates.h"

#include "base/directory.h"
#include "base/file.h"

#include <algorithm>
#include <cstdlib>

namespace onggi::image {

namespace {

constexpr size_t kAuthorityLimit = 4u << 20;

Result<std::vector<std::string>> sorted_names(int directory) {
  std::vector<std::string> names;
  DirectoryReader reader(directory);
  while (const auto* entry = TRY(reader.next())) names.emplace_back(entry->name());
  std::ranges::sort(names);
  return names;
}

Result<> add_directory(const std::string& path, Certificates& found) {
  const Result<UniqueFd> directory = open_directory(AT_FDCWD, path);
  if (!directory) return {};
  const std::vector<std::string> names = TRY(sorted_names(directory.value().get()));
  for (const std::string& name : names) {
    if (name.ends_with(".crt")) {
      found.authorities += TRY(read_file(directory.value().get(), name, kAuthorityLimit)) + "\n";
    } else if (name.ends_with(".cert") && found.certificate.empty()) {
      const std::string key = name.substr(0, name.size() - 4) + "key";
      if (!std::ranges::binary_search(names, key)) {
        return make_error(ErrorKind::invalid_config, "'", path, "/", name, "' has no '", key,
                          "' beside it");
      }
      found.certificate.append(path).append("/").append(name);
      found.key.append(path).append("/").append(key);
    }
  }
  return {};
}

}  // namespace

std::vector<std::string> certificate_directories() {
  std::vector<std::string> directories;
  if (const char* home = getenv("HOME"); home != nullptr && *home != 0) {
    directories.push_back(std::string(home) + "/.config/containers/certs.d");
  }
  directories.insert(directories.end(), {"/etc/containers/certs.d", "/etc/docker/certs.d"});
  return directories;
}

Result<Certificates> find_certificates(const std::vector<std::string>& directories,
                                       std::string_view host, std::string_view port) {
  Certificates found;
  for (const std::string& directory : directories) {
    const std::string server = directory + "/" + std::string(host);
    TRY(add_directory(server + ":" + std::string(port), found));
    if (port == "443") TRY(add_directory(server, found));
  }
  return found;
}

}  // namespace onggi::image
