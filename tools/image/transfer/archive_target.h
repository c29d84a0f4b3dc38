// SPDX-License-Identifier: Apache-2.0
// An image into a tar file: an OCI layout (oci-archive:), and for docker-archive: the same with
// docker's manifest.json, as docker itself writes it since version 25. Both keep all digests.
#pragma once

#include "layer/tar_writer.h"
#include "transfer/endpoint.h"

#include <memory>
#include <mutex>
#include <string>

namespace onggi::image {

enum class ArchiveKind : uint8_t { layout, docker };

class ArchiveTarget final : public ImageTarget {
 public:
  // The file appears when it is complete, in place of what has the name.
  static Result<std::unique_ptr<ArchiveTarget>> open(ArchiveKind kind, const std::string& path,
                                                     std::string reference);
  ~ArchiveTarget() override;

  Result<bool> needs(const Descriptor& blob) override;
  Result<> put_blob(const Descriptor& blob, ImageSource& source,
                    std::atomic<uint64_t>& done) override;
  Result<> put_document(const Descriptor& descriptor, std::string_view bytes) override;
  Result<> put_named(const Descriptor& descriptor, std::string_view bytes) override;

 private:
  ArchiveTarget(ArchiveKind kind, UniqueFd parent, UniqueFd file, std::string name,
                std::string reference);
  class FileSink final : public ByteSink {
   public:
    explicit FileSink(int file) : file_(file) {}
    Result<> write(std::string_view bytes) override;

   private:
    int file_;
  };

  Result<> begin(const std::string& name, uint64_t size);
  Result<> add(const std::string& name, std::string_view bytes);
  Result<> append(const Descriptor& blob, int file, std::atomic<uint64_t>& done);
  Result<> add_docker_manifest(std::string_view bytes, const Descriptor& descriptor);
  std::string hidden() const { return "." + name_ + ".new"; }

  ArchiveKind kind_;
  UniqueFd parent_, file_;
  std::string name_, reference_;
  FileSink sink_;
  TarWriter output_;
  std::mutex mutex_;  // of the output: one blob after the other
  bool is_published_ = false;
};

}  // namespace onggi::image
