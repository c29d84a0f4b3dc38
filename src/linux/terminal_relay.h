// SPDX-License-Identifier: Apache-2.0
// The terminal of a foreground container: its pty on one side, our standard input and output on the
// other.
//
//   TerminalRelay relay = TRY(TerminalRelay::open(std::move(master), console_size));
//   while (init runs) {
//     auto entries = relay.poll_entries();      // beside the caller's own descriptors
//     poll(...);
//     relay.on_ready(entries);                  // on SIGWINCH: relay.resize()
//   }
//   relay.drain(...);                           // the destructor gives our terminal its modes back
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "spec/spec.h"

#include <asm/termbits.h>  // the kernel's own, which ioctl_tty(2) takes; not with <termios.h>
#include <poll.h>

#include <array>
#include <optional>
#include <span>
#include <string>

namespace onggi {

// Is one of our standard streams a terminal? Without one there is nothing that a foreground
// terminal could be relayed to.
bool has_terminal();

class [[nodiscard]] TerminalRelay {
 public:
  // Puts our terminal, if standard input is one, into raw mode. The container's gets our terminal's
  // size, or `size` when we have none.
  // Lines end in "\n" alone where standard output is not a terminal.
  static Result<TerminalRelay> open(UniqueFd master, const std::optional<spec::ConsoleSize>& size);
  TerminalRelay(TerminalRelay&& other) noexcept;
  TerminalRelay& operator=(TerminalRelay&&) = delete;
  ~TerminalRelay();

  static constexpr size_t kEntries = 3;
  std::array<pollfd, kEntries> poll_entries() const;
  void on_ready(std::span<const pollfd, kEntries> entries);

  // Our terminal has a new size.
  void resize();

  // Writes what the container has left in its terminal; for the time after its end. False: whoever
  // reads from us takes no more at the moment.
  bool drain_at_once();
  // The same for as long as it takes. Ends with a signal that would have ended us: whoever reads
  // from us may have stopped.
  void drain(int signals);

 private:
  // POLLOUT promises room for this much in a pipe (PIPE_BUF), so a write of it does not block the
  // caller's loop.
  static constexpr size_t kChunk = 4096;
  enum class Drained { all, reader_waits, stopped };
  struct Buffer {
    std::array<char, kChunk> bytes;
    size_t begin = 0, end = 0;
    bool empty() const { return begin == end; }
  };

  // Standard input or output without blocking: a terminal with a second reader, or with none, would
  // block the loop. Other processes share the open file description, so instead of setting
  // O_NONBLOCK on it, the terminal is opened again.
  struct Stream {
    explicit Stream(int standard);
    int fd() const { return own ? own.get() : standard; }
    int standard;
    UniqueFd own;  // of a terminal
    bool is_socket = false;
  };

  TerminalRelay(UniqueFd master, UniqueFd peer)
      : master_(std::move(master)),
        peer_(std::move(peer)),
        input_(0 /* STDIN_FILENO */),
        output_(1 /* STDOUT_FILENO */) {}

  void read_input();
  void end_input();
  bool read_master();
  void write_master();
  void write_output();
  long write_to_output(const char* bytes, size_t size) const;
  Drained drain(int signals, bool at_once);

  UniqueFd master_;
  UniqueFd peer_;
  Stream input_, output_;
  int terminal_ = -1;             // the one of descriptors 0 to 2 that has a window size
  std::optional<termios> saved_;  // modes of standard input before
  bool input_open_ = true, output_open_ = true;
  bool line_open_ = false;  // the last byte of input did not end a line
  Buffer to_master_, to_output_;
  size_t drained_ = 0;  // bytes read by drain
};

}  // namespace onggi
