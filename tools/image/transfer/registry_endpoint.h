// SPDX-License-Identifier: Apache-2.0
// Registries as ends of a copy.
#pragma once

#include "registry/registry.h"
#include "registry/routes.h"
#include "transfer/endpoint.h"

#include <memory>
#include <mutex>
#include <vector>

namespace onggi::image {

// Connections to one repository, one for each thread that asks for it.
class RegistryPool {
 public:
  RegistryPool(const Route& route, AccessOptions options, Clock& clock);

  // Goes back into the pool with its connection.
  class Lease {
   public:
    explicit Lease(RegistryPool& pool) : pool_(pool), registry_(pool.take()) {}
    ~Lease() { pool_.give(std::move(registry_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Registry* operator->() const { return registry_.get(); }

   private:
    RegistryPool& pool_;
    std::unique_ptr<Registry> registry_;
  };

  const Reference& image() const { return access_.image(); }

 private:
  std::unique_ptr<Registry> take();
  void give(std::unique_ptr<Registry> registry);

  Access access_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Registry>> idle_;
};

// From the first of the routes that has the image. What this one misses, or fails to send, is
// looked for at the routes behind it; one that is out of order is not waited for while another is
// left.
class RegistrySource final : public ImageSource {
 public:
  // `routes` are those of find_routes(), one at least; `clock` must outlive this. What `options`
  // permit (plain http) is for the last route, the registry itself; mirrors have their own word.
  RegistrySource(const std::vector<Route>& routes, const AccessOptions& options, Clock& clock);
  ~RegistrySource() override;

  Result<Named> named() override;
  // The descriptor of what named() would fetch, if the first of the routes tells it.
  std::optional<Descriptor> announced();
  Result<Document> document(const Descriptor& descriptor) override;
  Result<> fetch(PartialBlob& blob) override;
  // Over a file in $TMPDIR or /var/tmp that has no name any more.
  Result<UniqueFd> open(const Descriptor& descriptor) override;

 private:
  struct Location {
    Location(const Route& route, const AccessOptions& options, Clock& clock)
        : pool(route, options, clock) {}
    RegistryPool pool;
    std::atomic<bool> is_out = false;  // failed, so that it is not asked again
  };
  template <class Ask>
  auto ask(Ask ask);
  bool may_go_on(size_t at, const Registry& registry, const Error& error);
  Result<int> spool();

  std::vector<std::unique_ptr<Location>> locations_;
  size_t chosen_ = 0;            // the first that may have the image
  std::string failures_, hint_;  // of mirrors
  std::mutex mutex_;
  std::string spool_path_;
  UniqueFd spool_;
};

class RegistryTarget final : public ImageTarget {
 public:
  // `source` has what the registry may still miss in the end; it and `clock` must outlive this.
  // `mounts_from` is a repository of the same registry whose blobs may be taken over, or empty.
  RegistryTarget(const Route& route, const AccessOptions& options, Clock& clock,
                 ImageSource& source, std::string mounts_from);

  Result<bool> needs(const Descriptor& blob) override;
  Result<> put_blob(const Descriptor& blob, ImageSource& source,
                    std::atomic<uint64_t>& done) override;
  Result<> put_document(const Descriptor& descriptor, std::string_view bytes) override;
  Result<> put_named(const Descriptor& descriptor, std::string_view bytes) override;

 private:
  Result<> put(const Descriptor& descriptor, std::string_view bytes, const std::string& version);

  RegistryPool pool_;
  ImageSource& source_;
  const std::string mounts_from_;
};

}  // namespace onggi::image
