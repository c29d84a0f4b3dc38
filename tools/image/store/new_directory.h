// SPDX-License-Identifier: Apache-2.0
// A directory that appears with all that belongs in it, or not at all: it is made under a hidden
// name beside its place and renamed when it is complete.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <string>

namespace onggi::image {

class NewDirectory {
 public:
  // `path` must not exist, or be an empty directory. Mode 0700 until publish().
  static Result<NewDirectory> make(const std::string& path);
  NewDirectory(NewDirectory&& other) noexcept = default;
  NewDirectory& operator=(NewDirectory&&) = delete;
  // What is not published is removed.
  ~NewDirectory();

  int fd() const { return directory_.get(); }
  const std::string& path() const { return path_; }  // absolute; where it will be
  Result<> publish();

 private:
  NewDirectory(UniqueFd parent, UniqueFd directory, std::string name, std::string hidden,
               std::string path);

  UniqueFd parent_, directory_;
  std::string name_, hidden_, path_;
};

}  // namespace onggi::image
