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
  if (!is_terminal_ || quiet_) return;
  draws_ = true;
  drawer_ = std::thread([this] { redraw_until_end(); });
}

void Progress::finished(const BlobProgress& blob) {
  if (quiet_ || is_terminal_) return;
  const char* what = blob.state == State::was_there ? ": there already\n" : ": copied\n";
  print_error(blob.blob.digest.text() + " " + size_text(blob.blob.size) + what);
}

void Progress::waits(int64_t milliseconds, std::string_view reason) {
  if (quiet_) return;
  const std::scoped_lock lock(mutex_);
  if (draws_ && !has_ended_) {
    const auto now = std::chrono::steady_clock::now();
    waits_.push_back({now + std::chrono::milliseconds(milliseconds), std::string(reason)});
  } else {
    print_error(wait_text(milliseconds, reason) + "\n");
  }
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

// Bars of blobs that are on their way, if there are more than lines. Waits take the last lines.
void Progress::draw() {
  const winsize terminal = terminal_size();
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(waits_, [&](const Wait& wait) { return wait.end <= now; });
  const size_t most = terminal.ws_row - 1u;
  const size_t waits = std::min(waits_.size(), most / 2);
  const size_t lines = std::min(blobs_->size(), most - waits);
  std::string text;
  if (drawn_ > 0) text = "\x1b[" + std::to_string(drawn_) + "A";
  size_t first = 0;
  while (first + lines < blobs_->size() && (*blobs_)[first].state >= State::moved) ++first;
  for (size_t i = first; i < first + lines; ++i)
    text += progress_line((*blobs_)[i], terminal.ws_col) + "\x1b[K\n";
  for (size_t i = 0; i < waits; ++i) {
    using std::chrono::milliseconds;
    const auto left = std::chrono::duration_cast<milliseconds>(waits_[i].end - now).count();
    // The time first: a narrow terminal cuts the reason.
    const std::string line = "waiting " + std::to_string((left + 999) / 1000) + " s: ";
    text += (line + waits_[i].reason).substr(0, terminal.ws_col - 1u) + "\x1b[K\n";
  }
  drawn_ = lines + waits;
  print_error(text + "\x1b[J");
}

}  // namespace onggi::image
