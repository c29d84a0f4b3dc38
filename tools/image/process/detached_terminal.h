// SPDX-License-Identifier: Apache-2.0
// The terminal of a program at which nobody sits: what it shows goes to a file.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "process/pipe.h"

#include <string>
#include <thread>
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

// Writes what comes from a terminal to a file, in a thread that takes no signals.
class TerminalLog {
 public:
  // `log` must outlive this object.
  static Result<TerminalLog> start(UniqueFd terminal, int log);
  TerminalLog(TerminalLog&&) noexcept = default;
  TerminalLog& operator=(TerminalLog&&) = delete;
  // What has been shown until now is in the file afterwards.
  ~TerminalLog();

 private:
  TerminalLog(UniqueFd end, std::thread thread)
      : end_(std::move(end)), thread_(std::move(thread)) {}

  UniqueFd end_;
  std::thread thread_;
};

}  // namespace onggi::image
