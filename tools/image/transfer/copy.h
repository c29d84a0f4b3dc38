// SPDX-License-Identifier: Apache-2.0
// One engine for every copy, pull and push: blobs side by side, then the documents from the bottom
// up, the name last. A copy that is broken off at any moment leaves no document whose parts are not
// there.
#pragma once

#include "model/platform.h"
#include "transfer/endpoint.h"

#include <deque>
#include <optional>
#include <span>

namespace onggi::image {

struct BlobProgress {
  enum class State : uint8_t { waiting, moving, moved, was_there };
  Descriptor blob;
  std::atomic<uint64_t> done = 0;  // bytes
  std::atomic<State> state = State::waiting;
};

// Who looks on while blobs come. The default does nothing.
class CopyView {
 public:
  virtual ~CopyView() = default;
  // `named` is what will have the name, `below` the manifests that it lists. Everything lives until
  // end().
  virtual void begin(const ImageSource::Named&, std::span<const ImageSource::Named>,
                     const std::deque<BlobProgress>&) {}
  // In the thread that moved the blob, or found that it was there.
  virtual void finished(const BlobProgress&) {}
  // After an error the image gets no name; `complete` is false if the copy itself has failed.
  virtual Result<> end([[maybe_unused]] bool complete) { return {}; }
};

struct CopyOptions {
  std::optional<Platform> platform;  // nothing: all that an index lists
  unsigned threads = 3;
};

// The value is what has the name now: the index, or the manifest for the platform.
Result<ImageSource::Named> copy_image(ImageSource& source, ImageTarget& target,
                                      const CopyOptions& options, CopyView& view);

}  // namespace onggi::image
