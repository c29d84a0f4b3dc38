// SPDX-License-Identifier: Apache-2.0
// The terminal of a program at which nobody sits.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <string>
#include <utility>

namespace onggi::image {

// Where a runtime sends a terminal to: the socket of its option --console-socket.
class ConsoleSocket {
 public:
  // In `directory`, which must stay open meanwhile.
  static Result<ConsoleSocket> make(int directory);

  // Short, whatever the directory's path is. Valid as long as this process has `directory`.
  const std::string& path() const { return path_; }
  // The master of the terminal, once the runtime has ended well; the socket's name is gone then.
  Result<UniqueFd> receive() const;

 private:
  ConsoleSocket(int directory, std::string path, UniqueFd listener)
      : directory_(directory), path_(std::move(path)), listener_(std::move(listener)) {}

  int directory_;
  std::string path_;
  UniqueFd listener_;
};

}  // namespace onggi::image
