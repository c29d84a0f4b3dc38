// SPDX-License-Identifier: Apache-2.0
// OCI layouts and the store as ends of a copy.
#pragma once

#include "store/store.h"
#include "transfer/endpoint.h"

#include <optional>

namespace onggi::image {

class LayoutSource final : public ImageSource {
 public:
  LayoutSource(Layout layout, Descriptor named)
      : layout_(std::move(layout)), named_(std::move(named)) {}

  Result<Named> named() override;
  Result<Document> document(const Descriptor& descriptor) override;
  Result<> fetch(PartialBlob& blob) override;
  Result<UniqueFd> open(const Descriptor& descriptor) override;

 private:
  Layout layout_;
  Descriptor named_;
};

// Into a layout, under a name or, if it is empty, as an entry without one.
class LayoutTarget final : public ImageTarget {
 public:
  // The directory is made if it is not there.
  static Result<std::unique_ptr<LayoutTarget>> open(const std::string& path, std::string name);
  LayoutTarget(LayoutWriter layout, std::string name)
      : layout_(std::move(layout)), name_(std::move(name)) {}

  Result<bool> needs(const Descriptor& blob) override;
  Result<> put_blob(const Descriptor& blob, ImageSource& source,
                    std::atomic<uint64_t>& done) override;
  Result<> put_document(const Descriptor& descriptor, std::string_view bytes) override;
  Result<> put_named(const Descriptor& descriptor, std::string_view bytes) override;

 private:
  LayoutWriter layout_;
  std::string name_;
};

// Into the store, which must outlive this.
class StoreTarget final : public ImageTarget {
 public:
  StoreTarget(const Store& store, std::string name) : store_(store), name_(std::move(name)) {}

  Result<bool> needs(const Descriptor& blob) override;
  Result<> put_blob(const Descriptor& blob, ImageSource& source,
                    std::atomic<uint64_t>& done) override;
  Result<> put_document(const Descriptor& descriptor, std::string_view bytes) override;
  Result<> put_named(const Descriptor& descriptor, std::string_view bytes) override;

 private:
  const Store& store_;
  std::string name_;
};

}  // namespace onggi::image
