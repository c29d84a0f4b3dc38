// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "transfer/registry_endpoint.h"

#include "base/file.h"
#include "base/log.h"
#include "model/media_type.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

namespace onggi::image {

namespace {

Error wrong_size(const Descriptor& descriptor, uint64_t size) {
  return make_error(ErrorKind::invalid_config, descriptor.digest.text(), ": has ", size,
                    " bytes, not the ", descriptor.size, " in its descriptor");
}

const Descriptor* find_blob(const Document& document, const Digest& digest) {
  const auto* manifest = std::get_if<Manifest>(&document);
  if (manifest == nullptr) return nullptr;
  if (manifest->config.digest == digest) return &manifest->config;
  const auto layer = std::ranges::find(manifest->layers, digest, &Descriptor::digest);
  return layer == manifest->layers.end() ? nullptr : &*layer;
}

}  // namespace

RegistryPool::RegistryPool(const Route& route, AccessOptions options, Clock& clock)
    : access_(route.image, permitted(std::move(options), route), clock) {}

std::unique_ptr<Registry> RegistryPool::take() {
  const std::scoped_lock lock(mutex_);
  if (idle_.empty()) return std::make_unique<Registry>(access_);
  std::unique_ptr<Registry> registry = std::move(idle_.back());
  idle_.pop_back();
  return registry;
}

void RegistryPool::give(std::unique_ptr<Registry> registry) {
  const std::scoped_lock lock(mutex_);
  idle_.push_back(std::move(registry));
}

RegistrySource::RegistrySource(const std::vector<Route>& routes, const AccessOptions& options,
                               Clock& clock) {
  constexpr long kMirrorSeconds = 10;
  AccessOptions for_mirrors = options;
  for_mirrors.plain_http = false;
  for_mirrors.patience = Patience::brief;
  for_mirrors.http.connect_seconds = kMirrorSeconds;
  for (const Route& route : routes) {
    const bool is_last = &route == &routes.back();
    locations_.push_back(std::make_unique<Location>(route, is_last ? options : for_mirrors, clock));
  }
}

RegistrySource::~RegistrySource() {
  if (spool_) (void)rmdir(spool_path_.c_str());
}

// After a failure of a location: whether the next one is to be asked.
bool RegistrySource::may_go_on(size_t at, const Registry& registry, const Error& error) {
  if (at + 1 == locations_.size() || registry.failing() == Registry::Failing::us) return false;
  const auto message = text<1024>("mirror failed, trying the next location: ", error.message.view(),
                                  error.hint.empty() ? "" : "; ", error.hint.view());
  if (registry.failing() == Registry::Failing::content) {
    log::debug(message.view());
  } else if (!locations_[at]->is_out.exchange(true)) {
    log::warn(message.view());
  }
  const std::scoped_lock lock(mutex_);
  failures_.append(failures_.empty() ? "" : "; ").append(error.message.view());
  if (hint_.empty()) hint_ = error.hint.view();
  return true;
}

// The first answer. Locations that have failed once are passed over.
template <class Ask>
auto RegistrySource::ask(Ask ask) {
  for (size_t at = chosen_;; ++at) {
    const bool is_last = at + 1 == locations_.size();
    if (locations_[at]->is_out && !is_last) continue;
    const RegistryPool::Lease registry(locations_[at]->pool);
    auto answer = ask(*registry.operator->());
    if (answer || !may_go_on(at, *registry.operator->(), answer.error())) return answer;
  }
}

Result<ImageSource::Named> RegistrySource::named() {
  for (;; ++chosen_) {
    if (locations_[chosen_]->is_out && chosen_ + 1 < locations_.size()) continue;
    const RegistryPool::Lease registry(locations_[chosen_]->pool);
    const Reference& image = locations_[chosen_]->pool.image();
    Result<FetchedManifest> fetched = registry->manifest(image.version());
    if (fetched) {
      FetchedManifest found = std::move(fetched).value();
      Descriptor descriptor;
      descriptor.media_type =
          std::visit([](const auto& each) { return each.media_type; }, found.document);
      descriptor.digest = found.digest;
      descriptor.size = found.size;
      return Named{std::move(descriptor), std::move(found.document)};
    }
    if (!may_go_on(chosen_, *registry.operator->(), fetched.error())) {
      Error error = fetched.error();
      if (!failures_.empty()) error.message.append("; mirrors failed too: ", failures_);
      return with_hint(error, hint_);
    }
  }
}

std::optional<Descriptor> RegistrySource::announced() {
  const std::string version = locations_.front()->pool.image().version();
  Result<std::optional<Descriptor>> told =
      ask([&](Registry& registry) { return registry.announced(version); });
  return told ? std::move(told).value() : std::nullopt;
}

Result<Document> RegistrySource::document(const Descriptor& descriptor) {
  FetchedManifest found =
      TRY(ask([&](Registry& registry) { return registry.manifest(descriptor.digest.text()); }));
  if (found.size != descriptor.size) return wrong_size(descriptor, found.size);
  return std::move(found.document);
}

Result<> RegistrySource::fetch(PartialBlob& blob) {
  return ask([&](Registry& registry) { return registry.fetch(blob); });
}

Result<int> RegistrySource::spool() {
  const std::scoped_lock lock(mutex_);
  if (spool_) return spool_.get();
  const char* place = getenv("TMPDIR");
  spool_path_ = std::string(place == nullptr || *place == 0 ? "/var/tmp" : place) + "/onggi-XXXXXX";
  if (mkdtemp(spool_path_.data()) == nullptr) return system_error(-errno, "mkdtemp", spool_path_);
  spool_ = TRY(open_directory(AT_FDCWD, spool_path_));
  return spool_.get();
}

Result<UniqueFd> RegistrySource::open(const Descriptor& descriptor) {
  const int directory = TRY(spool());
  PartialBlob blob = TRY(PartialBlob::open(directory, descriptor));
  const Result<> fetched = fetch(blob);
  std::string name = descriptor.digest.text();
  std::ranges::replace(name, ':', '-');
  const long opened = sys::openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC);
  TRY(blob.remove());
  TRY(fetched);
  if (opened < 0) return system_error(opened, "open", name);
  return UniqueFd(opened);
}

RegistryTarget::RegistryTarget(const Route& route, const AccessOptions& options, Clock& clock,
                               ImageSource& source, std::string mounts_from)
    : pool_(route, options, clock), source_(source), mounts_from_(std::move(mounts_from)) {}

Result<bool> RegistryTarget::needs(const Descriptor& blob) {
  if (media_kind(blob.media_type) == MediaKind::foreign_layer) return false;
  const RegistryPool::Lease registry(pool_);
  if (TRY(registry->has(blob))) return false;
  if (mounts_from_.empty()) return true;
  return !TRY(registry->mount(blob, mounts_from_));
}

Result<> RegistryTarget::put_blob(const Descriptor& blob, ImageSource& source,
                                  std::atomic<uint64_t>& done) {
  const UniqueFd file = TRY(source.open(blob));
  const RegistryPool::Lease registry(pool_);
  return registry->push(blob, Body{file.get(), 0, blob.size, {}, &done});
}

// A registry that misses blobs although it said that it had them (a cleaning ran meanwhile, or a
// cache answered) gets them, once.
Result<> RegistryTarget::put(const Descriptor& descriptor, std::string_view bytes,
                             const std::string& version) {
  const Document document =
      TRY_AT(descriptor.digest.text(), parse_document(std::string(bytes), descriptor.media_type));
  const RegistryPool::Lease registry(pool_);
  const std::vector<Digest> missing = TRY(registry->push(document, version));
  if (missing.empty()) return {};
  for (const Digest& digest : missing) {
    const Descriptor* blob = find_blob(document, digest);
    if (blob == nullptr || media_kind(blob->media_type) == MediaKind::foreign_layer) {
      return make_error(ErrorKind::state, descriptor.digest.text(), ": the registry does not have ",
                        digest.text(), ", which is not pushed with this image");
    }
    std::atomic<uint64_t> done = 0;
    if (!TRY(registry->has(*blob))) TRY(put_blob(*blob, source_, done));
  }
  const std::vector<Digest> still = TRY(registry->push(document, version));
  if (still.empty()) return {};
  return make_error(ErrorKind::state, descriptor.digest.text(), ": the registry does not have ",
                    still.front().text(), ", which it has just accepted");
}

Result<> RegistryTarget::put_document(const Descriptor& descriptor, std::string_view bytes) {
  return put(descriptor, bytes, descriptor.digest.text());
}

Result<> RegistryTarget::put_named(const Descriptor& descriptor, std::string_view bytes) {
  const Reference& image = pool_.image();
  if (!image.digest.empty() && image.digest != descriptor.digest.text()) {
    return make_error(ErrorKind::invalid_config, to_text(image), ": the image has the digest ",
                      descriptor.digest.text());
  }
  return put(descriptor, bytes, image.tag.empty() ? image.digest : image.tag);
}

}  // namespace onggi::image
