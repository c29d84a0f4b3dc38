// SPDX-License-Identifier: Apache-2.0
// Bars are drawn over again ten times a second, by a thread of their own, from counters that the
// copy's threads keep.
#include "command/progress.h"

#include "base/file.h"
#include "command/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace onggi::image {

namespace {

using State = BlobProgress::State;

void print_error(std::string_view text) {
  (void)write_all(STDERR_FILENO, "standard error", text);
}

winsize terminal_size() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size.ws_col = 80;
  if (size.ws_row == 0) size.ws_row = 24;
  return size;
}

std::string short_name(const BlobProgress& blob) {
  return std::string(blob.blob.digest.hex().substr(0, 12));
}

}  // namespace

std::string progress_line(const BlobProgress& blob, size_t columns) {
  const uint64_t size = blob.blob.size;
  const State state = blob.state;
  const uint64_t done = state == State::moving || state == State::waiting
                            ? std::min<uint64_t>(blob.done, size)
                            : size;
  const std::string end = state == State::was_there
                              ? " there already"
                              : " " + size_text(done) + " of " + size_text(size);
  std::string line = short_name(blob) + " [";
  constexpr size_t kEnds = 32;  // of the longest text behind the bar, and of what is before it
  const size_t width = columns > kEnds + 24 ? std::min<size_t>(columns - kEnds - 16, 40) : 8;
  const size_t filled = size == 0 ? width : static_cast<size_t>(done * width / size);
  line.append(filled, '=').append(width - filled, ' ').append("]").append(end);
  return line.substr(0, columns - 1);
}

Progress::Progress(bool quiet) : quiet_(quiet), is_terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  stop();
}

void Progress::begin(const ImageSource::Named&, std::span<const ImageSource::Named>,
                     const std::deque<BlobProgress>& blobs) {
  blobs_ = &blobs;
  if (is_terminal_ && !quiet_) drawer_ = std::thread([this] { redraw_until_end(); });
}

void Progress::finished(const BlobProgress& blob) {
  if (quiet_ || is_terminal_) return;
  const char* what = blob.state == State::was_there ? ": there already\n" : ": copied\n";
  print_error(blob.blob.digest.text() + " " + size_text(blob.blob.size) + what);
}

Result<> Progress::end(bool) {
  stop();
  return {};
}

void Progress::stop() {
  if (!drawer_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    has_ended_ = true;
  }
  ended_.notify_one();
  drawer_.join();
}

void Progress::redraw_until_end() {
  std::unique_lock lock(mutex_);
  while (!has_ended_) {
    draw();
    ended_.wait_for(lock, std::chrono::milliseconds(100));
  }
  draw();
}

// Those that are on their way last, when there are more than lines.
void Progress::draw() {
  const winsize terminal = terminal_size();
  std::string text;
  if (drawn_ > 0) text = "\x1b[" + std::to_string(drawn_) + "A";
  const size_t lines = std::min<size_t>(blobs_->size(), terminal.ws_row - 1u);
  size_t first = 0;
  while (first + lines < blobs_->size() && (*blobs_)[first].state >= State::moved) ++first;
  for (size_t i = first; i < first + lines; ++i)
    text += progress_line((*blobs_)[i], terminal.ws_col) + "\x1b[K\n";
  drawn_ = lines;
  print_error(text);
}

}  // namespace onggi::image
