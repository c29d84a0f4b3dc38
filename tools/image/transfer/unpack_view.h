// SPDX-License-Identifier: Apache-2.0
// Unpacks the layers of an image while a copy brings it into the store: each as soon as its blob
// and the layers below are there. An image whose layers cannot be unpacked gets no name.
#pragma once

#include "model/platform.h"
#include "store/snapshots.h"
#include "transfer/copy.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace onggi::image {

class UnpackView final : public CopyView, private BlobGate {
 public:
  // For `platform`; what is for other machines alone is not unpacked, nor is an artifact. `store`
  // and `shown`, which is told the same, must outlive this.
  UnpackView(const Store& store, const Platform& platform, const LayerLimits& limits,
             CopyView& shown)
      : store_(store), platform_(platform), limits_(limits), shown_(shown) {}
  ~UnpackView() override;

  void begin(const ImageSource::Named& named, std::span<const ImageSource::Named> below,
             const std::deque<BlobProgress>& blobs) override;
  void finished(const BlobProgress& blob) override;
  Result<> end(bool complete) override;

 private:
  Result<BlobDigest> wait_for(const Descriptor& blob) override;
  Result<> unpack(const ImageSource::Named& manifest);
  void stop(bool complete);

  const Store& store_;
  const Platform platform_;
  const LayerLimits limits_;
  CopyView& shown_;
  std::thread thread_;
  Result<> unpacked_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Digest, BlobDigest> there_;
  bool is_broken_off_ = false;
};

}  // namespace onggi::image
