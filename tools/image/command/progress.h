// SPDX-License-Identifier: Apache-2.0
// How far a copy is, on standard error: a bar for each blob on a terminal, otherwise a line when
// one has come. What it waits for is shown, too.
#pragma once

#include "registry/clock.h"
#include "transfer/copy.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace onggi::image {

class Progress final : public CopyView, public WaitView {
 public:
  explicit Progress(bool quiet);
  ~Progress() override;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void begin(const ImageSource::Named& named, std::span<const ImageSource::Named> below,
             const std::deque<BlobProgress>& blobs) override;
  void finished(const BlobProgress& blob) override;
  Result<> end(bool complete) override;
  // A line below the bars while the pause lasts; without bars, a line of its own.
  void waits(int64_t milliseconds, std::string_view reason) override;

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Wait {
    Time end;
    std::string reason;
  };
  void redraw_until_end();
  void draw();
  void stop();

  bool quiet_, is_terminal_;
  const std::deque<BlobProgress>* blobs_ = nullptr;
  size_t drawn_ = 0;  // lines
  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false, draws_ = false;
  std::vector<Wait> waits_;
  std::thread drawer_;
};

// What `blob` looks like in a terminal of so many columns.
std::string progress_line(const BlobProgress& blob, size_t columns);

}  // namespace onggi::image
