// SPDX-License-Identifier: Apache-2.0
// Images in tar files: OCI layouts (oci-archive:), and what `docker save` writes (docker-archive:).
#pragma once

#include "model/platform.h"
#include "transfer/endpoint.h"
#include "transfer/tar_file.h"

#include <map>
#include <memory>

namespace onggi::image {

class ArchiveSource final : public ImageSource {
 public:
  // `reference` is a name in the archive, or empty for its only image.
  static Result<std::unique_ptr<ArchiveSource>> open_layout(TarFile file,
                                                            const std::string& reference,
                                                            const Platform& platform);
  // Docker 25 and later write both forms into one file, and the layout has the digests of the
  // registry; earlier ones leave manifests to be made from config and layers.
  static Result<std::unique_ptr<ArchiveSource>> open_docker(TarFile file,
                                                            const std::string& reference,
                                                            const Platform& platform);

  Result<Named> named() override;
  Result<Document> document(const Descriptor& descriptor) override;
  Result<> fetch(PartialBlob& blob) override;
  Result<UniqueFd> open(const Descriptor& descriptor) override;

 private:
  explicit ArchiveSource(TarFile file) : file_(std::move(file)) {}
  Result<> make_manifest(const std::string& config, const std::vector<std::string>& layers);
  Result<Descriptor> describe_layer(const std::string& name);
  Result<TarFile::Part> find(const Descriptor& descriptor) const;

  TarFile file_;
  Descriptor named_;
  std::string made_;                         // a manifest that the archive has not
  std::map<Digest, std::string> by_digest_;  // names of what is not at blobs/ALGORITHM/HEX
};

}  // namespace onggi::image
