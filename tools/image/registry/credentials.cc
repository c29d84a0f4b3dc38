// SPDX-License-Identifier: Apache-2.0
// Keys are compared without scheme and version: docker wrote "https://index.docker.io/v1/".
#include "registry/credentials.h"

#include "base/file.h"
#include "model/base64.h"
#include "model/json.h"
#include "registry/credential_helper.h"

#include <unistd.h>

#include <cstdlib>

namespace onggi::image {

namespace {

using Json = rapidjson::Value;

constexpr size_t kFileLimit = 4u << 20;

std::string variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

const Json* find_key(const Json* object, std::string_view key) {
  if (object == nullptr || !object->IsObject()) return nullptr;
  for (const auto& member : object->GetObject()) {
    if (normalised_key({member.name.GetString(), member.name.GetStringLength()}) == key)
      return &member.value;
  }
  return nullptr;
}

// "host/team/app", "host/team", "host".
const Json* find_most_specific(const Json* object, std::string key) {
  while (true) {
    if (const Json* found = find_key(object, key)) return found;
    const size_t slash = key.rfind('/');
    if (slash == key.npos) return nullptr;
    key.resize(slash);
  }
}

Result<std::optional<Credentials>> read_entry(const Json& entry, const std::string& file) {
  Credentials found;
  found.identity_token = text_member(entry, "identitytoken");
  const std::string_view encoded = text_member(entry, "auth");
  if (encoded.empty() && found.identity_token.empty()) return std::optional<Credentials>();
  const std::optional<std::string> decoded = decode_base64(encoded);
  const size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) {
    if (!found.identity_token.empty()) return std::optional(std::move(found));
    return make_error(ErrorKind::invalid_config, "'", file,
                      "': \"auth\" is not base64 of user:password");
  }
  found.user = decoded->substr(0, colon);
  found.password = decoded->substr(colon + 1);
  // Old versions of docker padded the password with them.
  while (found.password.ends_with('\0')) found.password.pop_back();
  return std::optional(std::move(found));
}

Result<std::optional<Credentials>> search(const Json& json, const CredentialSource& source,
                                          const std::string& file, std::string_view registry,
                                          const std::string& key) {
  const Json* helper = find_most_specific(member_of(json, "credHelpers"), key);
  if (helper != nullptr && helper->IsString() && helper->GetStringLength() != 0)
    return ask_credential_helper(helper->GetString(), helper_server(registry),
                                 source.helper_seconds);
  if (const std::string_view store = text_member(json, "credsStore"); !store.empty()) {
    auto stored = TRY(ask_credential_helper(store, helper_server(registry), source.helper_seconds));
    if (stored) return stored;
  }
  // ~/.dockercfg has no "auths" around its entries.
  const Json* entries = file.ends_with("/.dockercfg") ? &json : member_of(json, "auths");
  const Json* entry = find_most_specific(entries, key);
  if (entry == nullptr) return std::optional<Credentials>();
  return read_entry(*entry, file);
}

}  // namespace

std::string normalised_key(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  }
  for (const std::string_view version : {"/v1/", "/v2/", "/v1", "/v2", "/"}) {
    if (key.ends_with(version)) {
      key.remove_suffix(version.size());
      break;
    }
  }
  if (key == "index.docker.io" || key == "registry-1.docker.io") return "docker.io";
  return std::string(key);
}

std::string_view helper_server(std::string_view registry) {
  return registry == "docker.io" ? "https://index.docker.io/v1/" : registry;
}

CredentialSource credential_source(std::string_view given) {
  if (!given.empty()) return {{std::string(given)}};
  if (std::string file = variable("REGISTRY_AUTH_FILE"); !file.empty()) return {{std::move(file)}};
  CredentialSource source;
  const std::string home = variable("HOME");
  const auto add = [&](std::string directory, const std::string& otherwise, const char* name) {
    if (directory.empty()) directory = otherwise;
    if (!directory.empty()) source.files.push_back(directory + name);
  };
  const auto below_home = [&](const char* path) { return home.empty() ? home : home + path; };
  const std::string session = variable("XDG_RUNTIME_DIR");
  add(session.empty() ? session : session + "/containers",
      "/run/containers/" + std::to_string(getuid()), "/auth.json");
  add(variable("XDG_CONFIG_HOME"), below_home("/.config"), "/containers/auth.json");
  add(variable("DOCKER_CONFIG"), below_home("/.docker"), "/config.json");
  add(home, {}, "/.dockercfg");
  return source;
}

Result<std::optional<Credentials>> find_credentials(const CredentialSource& source,
                                                    std::string_view registry,
                                                    std::string_view repository) {
  if (source.given) return source.given;
  const std::string key = std::string(registry) + "/" + std::string(repository);
  for (const std::string& file : source.files) {
    const long opened = sys::openat(AT_FDCWD, file.c_str(), O_RDONLY);
    if (opened == -ENOENT || opened == -ENOTDIR) continue;
    if (opened < 0) return system_error(opened, "open", file);
    const UniqueFd fd(opened);
    const std::string bytes = TRY(read_all(fd.get(), file, kFileLimit));
    if (bytes.find_first_not_of(" \t\r\n") == bytes.npos) continue;  // made by touch(1)
    rapidjson::Document json;
    TRY(parse_json_object(bytes, "'" + file + "'", kFileLimit, json));
    auto found = TRY(search(json, source, file, registry, key));
    if (found) return found;
  }
  return std::optional<Credentials>();
}

}  // namespace onggi::image
