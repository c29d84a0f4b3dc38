// SPDX-License-Identifier: Apache-2.0
// A bundle in a scratch directory: rootfs with the guest program, and a config.json that starts as
// `spec` would write it. Tests change it through JSON pointers ("/process/args/0"); everything goes
// away with the object.
#pragma once

#include <rapidjson/document.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::test {

using Strings = std::vector<std::string>;

// Unique to this test process: part of every container id, scratch path and cgroup name, so that
// what a runtime leaves behind can be told from the work of others on the machine.
const std::string& tag();

// A directory of its own below the scratch area, removed with everything in it.
class ScratchDirectory {
 public:
  explicit ScratchDirectory(std::string_view purpose);
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class Bundle {
 public:
  Bundle();

  std::filesystem::path path() const { return directory_.path(); }
  std::filesystem::path rootfs() const { return directory_.path() / "rootfs"; }
  std::filesystem::path config() const { return directory_.path() / "config.json"; }

  // `process.args`: the guest with these words.
  Bundle& guest(const Strings& words);
  // A whole value in JSON, at a JSON pointer; "/a/-" appends to an array.
  Bundle& set_json(const std::string& pointer, std::string_view json);
  Bundle& set(const std::string& pointer, std::string_view text);
  Bundle& set(const std::string& pointer, const char* text) {
    return set(pointer, std::string_view(text));
  }
  Bundle& set(const std::string& pointer, const Strings& values);
  Bundle& set(const std::string& pointer, bool value) {
    return set_json(pointer, value ? "true" : "false");
  }
  template <std::integral Number>
  Bundle& set(const std::string& pointer, Number value) {
    return set_json(pointer, std::to_string(value));
  }
  Bundle& erase(const std::string& pointer);

  Bundle& add_mount(std::string_view destination, std::string_view type, std::string_view source,
                    const Strings& options = {});
  Bundle& add_bind(std::string_view destination, const std::filesystem::path& source,
                   Strings options = {});
  Bundle& drop_mount(std::string_view destination);
  Bundle& drop_namespace(std::string_view type);
  // Replaces or adds the entry of this type; an empty path makes a new namespace.
  Bundle& set_namespace(std::string_view type, std::string_view path = {});
  Bundle& writable_root() { return set("/root/readonly", false); }

  // config.json byte for byte, for documents that no builder would write.
  Bundle& raw(std::string text);
  std::string text() const;
  // The runner calls this before `create` and `run`.
  void write() const;

  size_t mount_count() const;

 private:
  ScratchDirectory directory_;
  rapidjson::Document document_;
  std::string raw_;
  bool is_raw_ = false;
};

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, std::string_view text);
// A JSON string literal with its quotes.
std::string json_string(std::string_view text);
// For uidMappings and gidMappings: a list with one entry.
std::string mapping(unsigned container, unsigned host, unsigned size);

}  // namespace onggi::test
