// SPDX-License-Identifier: Apache-2.0
// The two ways to a terminal: a socket that receives the pty master from the runtime, and a pty of
// the test's own under which a foreground container runs.
#pragma once

#include "support/bundle.h"

#include <string>

namespace onggi::test {

// Reads what comes from a pty master until the text is there; false at the deadline.
class PtyMaster {
 public:
  explicit PtyMaster(int fd = -1) : fd_(fd) {}
  ~PtyMaster();
  PtyMaster(const PtyMaster&) = delete;
  PtyMaster& operator=(const PtyMaster&) = delete;
  PtyMaster(PtyMaster&& other) noexcept : fd_(other.fd_), text_(std::move(other.text_)) {
    other.fd_ = -1;
  }
  int fd() const { return fd_; }
  bool wait_for(std::string_view text);
  const std::string& text() const { return text_; }
  void write(std::string_view text) const;

 private:
  int fd_;
  std::string text_;
};

class ConsoleSocket {
 public:
  ConsoleSocket();
  ~ConsoleSocket();
  ConsoleSocket(const ConsoleSocket&) = delete;
  ConsoleSocket& operator=(const ConsoleSocket&) = delete;
  std::string path() const { return (directory_.path() / "console.sock").string(); }
  // The descriptor that the runtime sent; an invalid one if none came.
  PtyMaster receive() const;

 private:
  ScratchDirectory directory_;
  int listener_;
};

// A pseudoterminal of the test's own, with a size.
struct Pty {
  Pty(unsigned short rows, unsigned short columns);
  ~Pty();
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;
  PtyMaster master;
  int slave = -1;
};

}  // namespace onggi::test
