// SPDX-License-Identifier: Apache-2.0
// An OCI image layout: a directory with oci-layout, index.json and blobs/ALGORITHM/HEX
// (image-spec image-layout.md).
#pragma once

#include "base/fd.h"
#include "model/document.h"
#include "model/platform.h"

#include <string>

namespace onggi::image {

class Layout {
 public:
  static Result<Layout> open(const std::string& path);
  static Result<Layout> open(UniqueFd directory);

  const Index& index() const { return index_; }
  // The manifest or index of this name: an entry's org.opencontainers.image.ref.name or
  // io.containerd.image.name. Without a name the only one, or the one for `platform` if none has a
  // name. Valid as long as the layout.
  Result<const Descriptor*> find(std::string_view reference, const Platform& platform) const;

  // All of it, with size and digest checked. What is larger than `limit` is refused unread.
  Result<std::string> read(const Descriptor& descriptor, uint64_t limit) const;
  // For a LayerStream, which checks while it reads.
  Result<UniqueFd> open_blob(const Descriptor& descriptor) const;

 private:
  Layout(UniqueFd directory, Index index)
      : directory_(std::move(directory)), index_(std::move(index)) {}

  UniqueFd directory_;
  Index index_;
};

// `text` is that of a file oci-layout; ErrorKind::unsupported: of another version.
Result<> check_layout_version(const std::string& text);
// Where the file is missing, though all else is there: `place` is a directory or an archive.
void warn_of_missing_version(std::string_view place);

// The same of an index.json that is elsewhere.
Result<const Descriptor*> find_image(const Index& index, std::string_view reference,
                                     const Platform& platform);

// Annotations that name an entry of index.json; containerd writes both.
inline constexpr std::string_view kReferenceName = "org.opencontainers.image.ref.name";
inline constexpr std::string_view kContainerdName = "io.containerd.image.name";
// By the first of them, or the other; "" without.
std::string reference_name(const Descriptor& descriptor);
bool has_name(const Descriptor& descriptor, std::string_view name);

}  // namespace onggi::image
