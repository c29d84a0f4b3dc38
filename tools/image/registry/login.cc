// SPDX-License-Identifier: Apache-2.0
// The files as JSON values, so that keys which nobody here knows survive, in their order.
#include "registry/login.h"

#include "base/file.h"
#include "model/base64.h"
#include "model/json.h"
#include "registry/credential_helper.h"
#include "store/layout_writer.h"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <sys/stat.h>

#include <cstdlib>
#include <memory>

namespace onggi::image {

namespace {

using Json = rapidjson::Value;
using Allocator = rapidjson::Document::AllocatorType;

constexpr size_t kFileLimit = 4u << 20;

bool is_old_docker(const std::string& file) {
  return file.ends_with("/.dockercfg");  // its entries stand alone, without "auths" around them
}

// False: there is no such file, or nothing is in it.
Result<bool> read_json(const std::string& file, rapidjson::Document& json) {
  json.SetObject();
  const long opened = sys::openat(AT_FDCWD, file.c_str(), O_RDONLY);
  if (opened == -ENOENT || opened == -ENOTDIR) return false;
  if (opened < 0) return system_error(opened, "open", file);
  const UniqueFd fd(opened);
  const std::string bytes = TRY(read_all(fd.get(), file, kFileLimit));
  if (bytes.find_first_not_of(" \t\r\n") == bytes.npos) return false;
  TRY(parse_json_object(bytes, "'" + file + "'", kFileLimit, json));
  return true;
}

struct FreeText {
  void operator()(char* text) const { free(text); }
};

// A file behind a symbolic link (users keep such files elsewhere) is replaced there.
Result<> write_json(const std::string& file, const rapidjson::Document& json) {
  const std::unique_ptr<char, FreeText> resolved(realpath(file.c_str(), nullptr));
  const std::string path = resolved ? resolved.get() : file;
  const size_t slash = path.rfind('/');
  const std::string directory =
      slash == path.npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
  if (!resolved) TRY(make_directories(directory));
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent('\t', 1);  // as docker writes it
  json.Accept(writer);
  const UniqueFd opened = TRY(open_directory(AT_FDCWD, directory));
  const std::string name = slash == path.npos ? path : path.substr(slash + 1);
  return replace_durably(opened.get(), name,
                         std::string(buffer.GetString(), buffer.GetSize()) + "\n", 0600);
}

Json text_value(std::string_view text, Allocator& allocator) {
  return Json(text.data(), static_cast<rapidjson::SizeType>(text.size()), allocator);
}

// Null when it is not there.
Json::Member* find_key(Json& object, const std::string& key) {
  for (rapidjson::SizeType i = 0; i < object.MemberCount(); ++i) {
    Json::Member& member = object.MemberBegin()[i];
    if (normalised_key({member.name.GetString(), member.name.GetStringLength()}) == key)
      return &member;
  }
  return nullptr;
}

Json* find_object(Json& object, const char* key) {
  return object.HasMember(key) && object[key].IsObject() ? &object[key] : nullptr;
}

// Null if there are none.
Json* entries_of(rapidjson::Document& json, const std::string& file) {
  return is_old_docker(file) ? &json : find_object(json, "auths");
}

// Empty: the file itself has the secrets.
std::string helper_for(rapidjson::Document& json, const std::string& key) {
  if (Json* helpers = find_object(json, "credHelpers")) {
    const Json::Member* helper = find_key(*helpers, key);
    if (helper != nullptr && helper->value.IsString()) return helper->value.GetString();
  }
  return std::string(text_member(json, "credsStore"));
}

bool has_key(rapidjson::Document& json, const std::string& file, const std::string& key) {
  Json* entries = entries_of(json, file);
  return entries != nullptr && find_key(*entries, key) != nullptr;
}

}  // namespace

Result<std::string> login_file(const CredentialSource& source, const std::string& key) {
  std::string first_there;
  for (const std::string& file : source.files) {
    rapidjson::Document json;
    if (!TRY(read_json(file, json)) || is_old_docker(file)) continue;
    if (has_key(json, file, key)) return file;
    if (first_there.empty()) first_there = file;
  }
  if (!first_there.empty()) return first_there;
  if (!source.files.empty()) return source.files.front();
  return make_error(ErrorKind::state, "no file for credentials: set $HOME or pass --authfile");
}

Result<> store_login(const std::string& file, const std::string& key,
                     const Credentials& credentials) {
  rapidjson::Document json;
  TRY(read_json(file, json));
  Allocator& allocator = json.GetAllocator();
  Json entry(rapidjson::kObjectType);
  if (const std::string helper = helper_for(json, key); !helper.empty()) {
    TRY(store_by_credential_helper(helper, helper_server(key), credentials,
                                   CredentialSource().helper_seconds));
  } else {
    const std::string secret = encode_base64(credentials.user + ":" + credentials.password);
    entry.AddMember("auth", text_value(secret, allocator), allocator);
  }
  if (entries_of(json, file) == nullptr) {
    json.RemoveMember("auths");
    json.AddMember("auths", Json(rapidjson::kObjectType), allocator);
  }
  Json& entries = *entries_of(json, file);
  if (Json::Member* old = find_key(entries, key)) {
    old->value = entry;
  } else {
    // docker looks for its own spelling alone.
    const bool is_docker = file.ends_with("/config.json");
    const std::string_view name = is_docker ? helper_server(key) : std::string_view(key);
    entries.AddMember(text_value(name, allocator), entry, allocator);
  }
  return write_json(file, json);
}

Result<bool> remove_login(const CredentialSource& source, const std::string& key) {
  bool was_there = false;
  for (const std::string& file : source.files) {
    rapidjson::Document json;
    if (!TRY(read_json(file, json))) continue;
    if (const std::string helper = helper_for(json, key); !helper.empty()) {
      was_there |=
          TRY(erase_by_credential_helper(helper, helper_server(key), source.helper_seconds));
    }
    if (!has_key(json, file, key)) continue;
    Json& entries = *entries_of(json, file);
    while (const Json::Member* entry = find_key(entries, key)) entries.EraseMember(entry->name);
    TRY(write_json(file, json));
    was_there = true;
  }
  return was_there;
}

}  // namespace onggi::image
