// SPDX-License-Identifier: Apache-2.0
// Images made by the tests themselves: tar layers, documents, layouts; and directories that are
// gone in the end.
#pragma once

#include "base/fd.h"
#include "model/document.h"

#include <filesystem>
#include <string>
#include <vector>

namespace onggi::image::test {

// A directory of its own for a test.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string path(const std::string& name = "") const;
  std::string write(const std::string& name, const std::string& text) const;
  std::string read(const std::string& name) const;
  bool exists(const std::string& name) const;

 private:
  std::string path_;
};

// A tar archive of the ustar kind.
class Tar {
 public:
  struct Entry {
    std::string name;
    char type = '0';
    std::string content = {}, link = {};
    unsigned mode = 0644;
    unsigned uid = 0, gid = 0;
    long mtime = 1'000'000'000;
  };
  Tar& add(const Entry& entry);
  Tar& file(const std::string& name, const std::string& content, unsigned mode = 0644) {
    return add({name, '0', content, {}, mode});
  }
  Tar& directory(const std::string& name, unsigned mode = 0755) {
    return add({name, '5', {}, {}, mode});
  }
  Tar& symlink(const std::string& name, const std::string& target) {
    return add({name, '2', {}, target, 0777});
  }
  Tar& hardlink(const std::string& name, const std::string& target) {
    return add({name, '1', {}, target});
  }
  std::string bytes() const { return bytes_ + std::string(1024, '\0'); }

 private:
  std::string bytes_;
};

inline constexpr const char* kCreated = "2026-01-02T03:04:05Z";

// An OCI layout, filled blob by blob.
class TestLayout {
 public:
  explicit TestLayout(std::string path);

  const std::string& path() const { return path_; }
  Descriptor blob(const std::string& bytes, const std::string& media_type) const;
  // A manifest over plain tar layers, and its config. `diff_ids_of` are other tars, whose digests
  // the config has as diffIDs.
  Descriptor image(const std::vector<std::string>& layers,
                   const std::string& architecture = "amd64", const std::string& created = kCreated,
                   const std::vector<std::string>& diff_ids_of = {}) const;
  Descriptor index(const std::vector<Descriptor>& manifests) const;
  // Under a name; an empty name: an entry without one.
  void name(const Descriptor& descriptor, const std::string& name);

  std::string blob_file(const Digest& digest) const;

 private:
  void write_index() const;

  std::string path_;
  std::vector<std::string> entries_;
};

std::string descriptor_json(const Descriptor& descriptor);

// A finished program.
struct Run {
  int status = -1;  // 128 + the signal that killed it
  std::string out, err;
};
// argv[0] is looked up in PATH.
Run run(const std::vector<std::string>& argv, const std::string& input = {});
bool has_program(const std::string& name);

// "drwxr-xr-x 0:0 1000000000 usr" and so on for every file below, sorted, with content and target
// of links. What belongs to the directory itself is left out.
std::string listing(const std::string& directory);

std::string text_of(const Error& error);

}  // namespace onggi::image::test
