// SPDX-License-Identifier: Apache-2.0
// How far a copy is, on standard error: a bar for each blob on a terminal, otherwise a line when
// one has come.
#pragma once

#include "transfer/copy.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace onggi::image {

class Progress final : public CopyView {
 public:
  explicit Progress(bool quiet);
  ~Progress() override;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void begin(const ImageSource::Named& named, std::span<const ImageSource::Named> below,
             const std::deque<BlobProgress>& blobs) override;
  void finished(const BlobProgress& blob) override;
  Result<> end(bool complete) override;

 private:
  void redraw_until_end();
  void draw();
  void stop();

  bool quiet_, is_terminal_;
  const std::deque<BlobProgress>* blobs_ = nullptr;
  size_t drawn_ = 0;  // lines
  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;
  std::thread drawer_;
};

// What `blob` looks like in a terminal of so many columns.
std::string progress_line(const BlobProgress& blob, size_t columns);

}  // namespace onggi::image
