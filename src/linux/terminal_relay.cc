// SPDX-License-Identifier: Apache-2.0
// Two buffers of one chunk, one for each direction. A side is polled for reading only while its
// buffer is empty, so a slow reader slows the writer down instead of filling memory.
#include "linux/terminal_relay.h"

#include "base/file.h"
#include "base/text.h"
#include "linux/signals.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace onggi {
namespace {

constexpr short kReadable = POLLIN | POLLHUP | POLLERR | POLLNVAL;
constexpr short kWritable = POLLOUT | POLLHUP | POLLERR | POLLNVAL;

pollfd entry(int fd, short events) {
  // poll(2) reports POLLHUP even when nothing is asked, and skips negative descriptors.
  return {.fd = events == 0 ? -1 : fd, .events = events, .revents = 0};
}

int find_terminal() {
  winsize size = {};
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (sys::ioctl(fd, TIOCGWINSZ, &size) == 0) return fd;
  }
  return -1;
}

unsigned short cells(uint64_t count) {
  return static_cast<unsigned short>(std::min<uint64_t>(count, 0xffff));
}

// cfmakeraw(3)
termios raw_of(termios modes) {
  modes.c_iflag &= ~unsigned{IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON};
  modes.c_oflag &= ~unsigned{OPOST};
  modes.c_lflag &= ~unsigned{ECHO | ECHONL | ICANON | ISIG | IEXTEN};
  modes.c_cflag &= ~unsigned{CSIZE | PARENB};
  modes.c_cflag |= CS8;
  modes.c_cc[VMIN] = 1;
  modes.c_cc[VTIME] = 0;
  return modes;
}

std::optional<termios> set_raw(int fd) {
  termios modes = {};
  if (sys::ioctl(fd, TCGETS, &modes) < 0) return std::nullopt;
  termios raw = raw_of(modes);
  if (sys::ioctl(fd, TCSETS, &raw) < 0) return std::nullopt;
  return modes;
}

// A pipe or a file wants the lines as the program writes them; a terminal of ours in raw mode does
// not.
void end_lines_for_output(int master) {
  termios modes = {};
  if (sys::ioctl(STDOUT_FILENO, TCGETS, &modes) == 0) return;
  if (sys::ioctl(master, TCGETS, &modes) < 0) return;  // of the other side, which is the program's
  modes.c_oflag &= ~unsigned{ONLCR};
  (void)sys::ioctl(master, TCSETS, &modes);
}

}  // namespace

TerminalRelay::Stream::Stream(int number) : standard(number) {
  struct statx info = {};
  if (sys::statx(standard, "", AT_EMPTY_PATH, STATX_TYPE, &info) < 0) return;
  is_socket = S_ISSOCK(info.stx_mode);
  termios modes = {};
  if (sys::ioctl(standard, TCGETS, &modes) < 0) return;
  const auto access = static_cast<int>(sys::fcntl(standard, F_GETFL)) & O_ACCMODE;
  const long opened = sys::openat(AT_FDCWD, text<32>("/proc/self/fd/", standard).c_str(),
                                  access | O_NONBLOCK | O_NOCTTY);
  // Another user's terminal (after su) cannot be opened; its descriptor is used as it is.
  if (opened >= 0) own.reset(static_cast<int>(opened));
}

bool has_terminal() {
  return find_terminal() >= 0;
}

Result<TerminalRelay> TerminalRelay::open(UniqueFd master,
                                          const std::optional<spec::ConsoleSize>& size) {
  // While we hold the other side too, a program that closes its terminal and opens it again does
  // not hang it up.
  const long peer = sys::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (peer < 0) return system_error(peer, "ioctl", "TIOCGPTPEER");
  TerminalRelay relay(std::move(master), UniqueFd(peer));
  const long flagged = sys::fcntl(relay.master_.get(), F_SETFL, O_RDWR | O_NONBLOCK);
  if (flagged < 0) return system_error(flagged, "fcntl", "O_NONBLOCK");
  end_lines_for_output(relay.master_.get());
  relay.terminal_ = find_terminal();
  if (relay.terminal_ >= 0) {
    relay.resize();
  } else if (size) {
    winsize window = {.ws_row = cells(size->height),
                      .ws_col = cells(size->width),
                      .ws_xpixel = 0,
                      .ws_ypixel = 0};
    (void)sys::ioctl(relay.master_.get(), TIOCSWINSZ, &window);
  }
  relay.saved_ = set_raw(STDIN_FILENO);
  return relay;
}

TerminalRelay::TerminalRelay(TerminalRelay&& other) noexcept
    : master_(std::move(other.master_)),
      peer_(std::move(other.peer_)),
      input_(std::move(other.input_)),
      output_(std::move(other.output_)),
      terminal_(other.terminal_),
      saved_(std::exchange(other.saved_, std::nullopt)),
      input_open_(other.input_open_),
      output_open_(other.output_open_),
      line_open_(other.line_open_),
      to_master_(other.to_master_),
      to_output_(other.to_output_),
      drained_(other.drained_) {}

TerminalRelay::~TerminalRelay() {
  if (saved_) (void)sys::ioctl(STDIN_FILENO, TCSETS, &*saved_);
}

std::array<pollfd, TerminalRelay::kEntries> TerminalRelay::poll_entries() const {
  const bool wants_input = input_open_ && to_master_.empty();
  const int master_events = (to_output_.empty() ? POLLIN : 0) | (to_master_.empty() ? 0 : POLLOUT);
  return {entry(input_.fd(), wants_input ? POLLIN : 0),
          entry(master_.get(), static_cast<short>(master_events)),
          entry(output_.fd(), to_output_.empty() ? 0 : POLLOUT)};
}

void TerminalRelay::on_ready(std::span<const pollfd, kEntries> entries) {
  const auto ready = [&](size_t index, short events) {
    return entries[index].fd >= 0 && (entries[index].revents & events) != 0;
  };
  if (ready(0, kReadable)) read_input();
  if (ready(1, POLLOUT)) write_master();
  if (ready(1, kReadable) && to_output_.empty()) (void)read_master();
  if (ready(2, kWritable)) write_output();
}

void TerminalRelay::resize() {
  winsize window = {};
  if (terminal_ < 0 || sys::ioctl(terminal_, TIOCGWINSZ, &window) != 0) return;
  (void)sys::ioctl(master_.get(), TIOCSWINSZ, &window);
}

// No more than the kernel keeps for a terminal (TTYB_DEFAULT_MEM_LIMIT in its
// drivers/tty/tty_buffer.c, and the line discipline's 4 KiB): a process that the container leaves
// behind may write for ever.
TerminalRelay::Drained TerminalRelay::drain(int signals, bool at_once) {
  constexpr size_t kMost = size_t{640} * 1024 + kChunk;
  while (drained_ <= kMost) {
    if (to_output_.empty()) {
      if (!read_master()) return Drained::all;
      drained_ += to_output_.end;
    }
    pollfd polled[] = {entry(output_.fd(), POLLOUT), entry(signals, POLLIN)};
    const timespec now = {};
    const long ready =
        sys::retry(SYS_ppoll, &polled[0], std::size(polled), at_once ? &now : nullptr, nullptr, 0);
    if (ready < 0) return Drained::stopped;
    if (ready == 0) return Drained::reader_waits;
    if (polled[1].revents != 0 && is_terminating(next_signal(signals))) return Drained::stopped;
    if (polled[0].revents != 0) write_output();
  }
  return Drained::all;
}

bool TerminalRelay::drain_at_once() {
  return drain(-1, true) != Drained::reader_waits;
}

void TerminalRelay::drain(int signals) {
  (void)drain(signals, false);
}

void TerminalRelay::read_input() {
  const long count = sys::read(input_.fd(), to_master_.bytes.data(), kChunk);
  if (count == -EAGAIN) return;
  if (count <= 0) return end_input();
  to_master_.begin = 0;
  to_master_.end = static_cast<size_t>(count);
  line_open_ = to_master_.bytes[to_master_.end - 1] != '\n';
}

// A terminal has no end of file but the character for it, which counts at the start of a line only:
// in the middle the first one just ends the read (termios(3)).
void TerminalRelay::end_input() {
  input_open_ = false;
  if (saved_) return;
  termios modes = {};
  if (sys::ioctl(peer_.get(), TCGETS, &modes) < 0) return;
  to_master_.begin = 0;
  to_master_.end = line_open_ ? 2 : 1;
  to_master_.bytes[0] = to_master_.bytes[1] = static_cast<char>(modes.c_cc[VEOF]);
}

bool TerminalRelay::read_master() {
  const long count = sys::read(master_.get(), to_output_.bytes.data(), kChunk);
  if (count <= 0) return false;
  to_output_.begin = 0;
  to_output_.end = static_cast<size_t>(count);
  if (!output_open_) to_output_.begin = to_output_.end;
  return true;
}

void TerminalRelay::write_master() {
  const long count = sys::write(master_.get(), to_master_.bytes.data() + to_master_.begin,
                                to_master_.end - to_master_.begin);
  if (count > 0) to_master_.begin += static_cast<size_t>(count);
}

long TerminalRelay::write_to_output(const char* bytes, size_t size) const {
  if (!output_.is_socket) return sys::write(output_.fd(), bytes, size);
  return sys::retry(SYS_sendto, output_.fd(), bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL, nullptr, 0);
}

void TerminalRelay::write_output() {
  const long count = write_to_output(to_output_.bytes.data() + to_output_.begin,
                                     to_output_.end - to_output_.begin);
  if (count == -EAGAIN) return;
  if (count >= 0) {
    to_output_.begin += static_cast<size_t>(count);
    return;
  }
  // Nobody reads any more. What the container writes is still taken, or it would block.
  output_open_ = false;
  to_output_.begin = to_output_.end;
}

}  // namespace onggi
