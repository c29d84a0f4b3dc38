// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "transfer/unpack_view.h"

#include "base/log.h"
#include "model/media_type.h"

#include <algorithm>

namespace onggi::image {

namespace {

using Named = ImageSource::Named;

// The manifest to unpack, or null. Indexes within indexes are left alone: nobody makes them of
// images to run.
const Named* find_manifest(const Named& named, std::span<const Named> below,
                           const Platform& platform) {
  const auto* index = std::get_if<Index>(&named.document);
  if (index == nullptr) return &named;
  const Result<const Descriptor*> chosen = choose_manifest(*index, platform);
  if (!chosen) return nullptr;
  const Digest& digest = chosen.value()->digest;
  const auto found = std::ranges::find_if(
      below, [&](const Named& each) { return each.descriptor.digest == digest; });
  return found == below.end() ? nullptr : &*found;
}

}  // namespace

UnpackView::~UnpackView() {
  stop(false);
}

void UnpackView::begin(const Named& named, std::span<const Named> below,
                       const std::deque<BlobProgress>& blobs) {
  shown_.begin(named, below, blobs);
  const Named* found = find_manifest(named, below, platform_);
  const auto* manifest = found == nullptr ? nullptr : std::get_if<Manifest>(&found->document);
  if (manifest == nullptr || media_kind(manifest->config.media_type) != MediaKind::config) {
    log::debug("no layers are unpacked: no image for " + platform_text(platform_));
    return;
  }
  thread_ = std::thread([this, found] { unpacked_ = unpack(*found); });
}

void UnpackView::finished(const BlobProgress& blob) {
  shown_.finished(blob);
  {
    const std::scoped_lock lock(mutex_);
    const bool moved = blob.state == BlobProgress::State::moved;
    there_.emplace(blob.blob.digest, moved ? BlobDigest::checked : BlobDigest::unknown);
  }
  changed_.notify_one();
}

Result<BlobDigest> UnpackView::wait_for(const Descriptor& blob) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return is_broken_off_ || there_.contains(blob.digest); });
  const auto found = there_.find(blob.digest);
  if (found != there_.end()) return found->second;
  return state_error("the copy was interrupted");
}

Result<> UnpackView::unpack(const Named& named) {
  const Layout layout = TRY(store_.read());
  Image image{named.descriptor, std::get<Manifest>(named.document), {}};
  TRY(wait_for(image.manifest.config));
  std::string bytes = TRY(layout.read(image.manifest.config, kConfigLimit));
  image.config = TRY(parse_image_config(std::move(bytes)));
  TRY(check_image(image.manifest, image.config));
  if (image.config.os != "linux") return {};
  const Snapshots snapshots(store_);
  TRY(snapshots.make(layout, image, limits_, this));
  return snapshots.sync(image);
}

void UnpackView::stop(bool complete) {
  if (!thread_.joinable()) return;
  if (!complete) {
    const std::scoped_lock lock(mutex_);
    is_broken_off_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

Result<> UnpackView::end(bool complete) {
  stop(complete);
  const Result<> shown = shown_.end(complete);
  TRY(unpacked_);
  return shown;
}

}  // namespace onggi::image
