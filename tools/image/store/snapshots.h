// SPDX-License-Identifier: Apache-2.0
// Layers of images as directories for an overlay: layers/sha256-CHAIN/fs, CHAIN being the chain ID
// (image-spec config.md) of the layer and all below it. Images share them.
//
// Layer n is what the applier changes when it works on an overlay of the layers below. So it is the
// kernel that writes whiteouts and opaque directories, and the mounted image is the same tree that
// `unpack` makes.
#pragma once

#include "layer/tree_compare.h"
#include "store/image.h"
#include "store/overlay.h"
#include "store/store.h"

#include <span>

namespace onggi::image {

// Of each layer with all below it, the lowest first.
std::vector<Digest> chain_ids(std::span<const Digest> diff_ids);

// For layers whose blobs are still on their way.
class BlobGate {
 public:
  virtual ~BlobGate() = default;
  // Returns when the blob is there, `checked` if this process has just written it; an error if it
  // will not come.
  virtual Result<BlobDigest> wait_for(const Descriptor& blob) = 0;
};

class Snapshots {
 public:
  explicit Snapshots(const Store& store) : store_(store) {}

  // Makes the layers that are missing, each once however many processes want it. A layer is there
  // only with all of its files and with both digests right. With a gate the lower layers are made
  // while blobs of the upper ones come.
  Result<> make(const Layout& layout, const Image& image, const LayerLimits& limits,
                BlobGate* gate = nullptr) const;
  // Makes a layer that is there again, in the store's directory for work, and compares: what is
  // made of a blob is the same each time. The layers below and the blob must be right, the blob
  // must have been read. Lines as of tree_differences(); an error if the layer cannot be made.
  Result<std::vector<std::string>> differences(const Layout& layout, const Image& image,
                                               size_t number, const LayerLimits& limits,
                                               CompareContent content) const;
  // For an overlay: the uppermost first.
  Result<std::vector<UniqueFd>> open(const Image& image) const;
  // All layers on the disk for good, before a power cut can take parts of them. Layers that were
  // not are made again after it.
  Result<> sync(const Image& image) const;

  // Below the store: "layers/sha256-HEX/fs".
  static std::string path(const Digest& chain_id);
  Result<bool> has(const Digest& chain_id) const;

  // What killed processes have left in work/. For gc: nobody else is at it.
  Result<> discard_leftovers() const;

 private:
  struct Stack;
  Result<> make_layer(Stack& stack, size_t number) const;
  Result<> apply(Stack& stack, size_t number, int work) const;
  Result<UniqueFd> open(const Digest& chain_id) const;

  const Store& store_;
};

}  // namespace onggi::image
