// SPDX-License-Identifier: Apache-2.0
// The two ends of a copy: registries, layouts, the store, archives. The engine (transfer/copy.h)
// knows nothing else of them. Digests are preserved: documents and blobs are handed on as the bytes
// they came as.
//
// The engine calls fetch(), open(), needs() and put_blob() from several threads at once, each
// thread for another digest; every other function from one thread, and never while these run.
#pragma once

#include "model/document.h"
#include "store/partial_blob.h"

#include <atomic>
#include <string_view>

namespace onggi::image {

class ImageSource {
 public:
  struct Named {
    Descriptor descriptor;  // media type, digest and size are those of `document`
    Document document;
  };

  ImageSource() = default;
  ImageSource(const ImageSource&) = delete;
  ImageSource& operator=(const ImageSource&) = delete;
  virtual ~ImageSource() = default;

  // The manifest or index that this source was opened for. The first call.
  virtual Result<Named> named() = 0;
  // A manifest or index that another one lists; its size and digest are right.
  virtual Result<Document> document(const Descriptor& descriptor) = 0;

  // Appends what is missing of a blob. Whoever opened `blob` publishes it, which checks the digest.
  virtual Result<> fetch(PartialBlob& blob) = 0;
  // The blob as a file, read from its start, for a target that has to read it again after a failed
  // attempt. A source without files spools it. The digest is checked by the target or on the way.
  virtual Result<UniqueFd> open(const Descriptor& descriptor) = 0;
};

// A descriptor of a layout's index may have no type, or one that the document does not confirm.
ImageSource::Named with_type(Descriptor descriptor, Document document);

class ImageTarget {
 public:
  ImageTarget() = default;
  ImageTarget(const ImageTarget&) = delete;
  ImageTarget& operator=(const ImageTarget&) = delete;
  virtual ~ImageTarget() = default;

  // False: it is there already (a registry may mount it from another repository for that), or this
  // target takes no such blob: foreign layers are not pushed.
  virtual Result<bool> needs(const Descriptor& blob) = 0;
  // Takes the blob out of the source by fetch() or open(). `done` is kept at the bytes that have
  // come so far; a restart sets it back.
  virtual Result<> put_blob(const Descriptor& blob, ImageSource& source,
                            std::atomic<uint64_t>& done) = 0;

  // A manifest or index whose blobs, and whose own manifests, are there.
  virtual Result<> put_document(const Descriptor& descriptor, std::string_view bytes) = 0;
  // The same, under the name that this target was opened for: the last call. Until then nobody else
  // sees the image.
  virtual Result<> put_named(const Descriptor& descriptor, std::string_view bytes) = 0;
};

}  // namespace onggi::image
