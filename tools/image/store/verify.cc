// SPDX-License-Identifier: Apache-2.0
// See the header. A blob that several images share is read once, and once more for each diffID.
#include "store/verify.h"

#include "base/directory.h"
#include "base/file.h"
#include "model/media_type.h"
#include "store/contents.h"
#include "store/image.h"
#include "store/snapshots.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>

namespace onggi::image {

namespace {

class Verification {
 public:
  Verification(const Store& store, const Layout& layout, const LayerLimits& limits,
               CompareContent content)
      : store_(store), layout_(layout), limits_(limits), content_(content) {}

  Verified result;

  Result<> check_image(const Descriptor& named) {
    image_ = reference_name(named).empty() ? named.digest.text() : reference_name(named);
    ++result.images;
    const Contents contents = survey(layout_, named);
    for (const auto& [digest, error] : contents.damaged) {
      // What came as its digest says does not become another by being pulled again.
      const bool whole = static_cast<bool>(read_blob(contents.blobs.at(digest)));
      if (seen_.insert(digest).second) note(digest, error, whole ? Cure::none : Cure::pull);
    }
    for (const StoredManifest& each : contents.manifests) check_layers(each);
    for (const auto& [digest, blob] : contents.blobs) check_blob(blob);
    for (const StoredManifest& each : contents.manifests) {
      if (each.config && image::check_image(each.manifest, *each.config))
        TRY(check_unpacked({each.descriptor, each.manifest, *each.config}));
    }
    return {};
  }

  Result<> check_snapshots() {
    image_.clear();
    const UniqueFd layers = TRY(open_directory(store_.directory(), "layers"));
    DirectoryReader reader(layers.get());
    for (;;) {
      const DirectoryReader::Entry* entry = TRY(reader.next());
      if (entry == nullptr) return {};
      check_snapshot(layers.get(), entry->name());
    }
  }

 private:
  enum class Cure : uint8_t { pull, none };

  void note(const Digest& digest, const Error& error, Cure cure) {
    result.damages.push_back({image_, cure == Cure::pull ? blob_path(digest) : "", error});
  }

  // Digest and diffID in one pass. What is wrong with the right digest was published so.
  void check_layers(const StoredManifest& stored) {
    if (!stored.config) return;
    const Result<> fits = image::check_image(stored.manifest, *stored.config);
    if (!fits) {
      const Digest& digest = stored.descriptor.digest;
      note(digest, at_place(fits.error(), digest.text()), Cure::none);
      return;
    }
    for (size_t i = 0; i < stored.manifest.layers.size(); ++i) {
      const Descriptor& layer = stored.manifest.layers[i];
      const Digest& diff_id = stored.config->rootfs.diff_ids[i];
      if (!pairs_.insert({layer.digest, diff_id}).second) continue;
      if (seen_.insert(layer.digest).second) count(layer);
      const Result<> right = check_layer(layer, diff_id);
      if (right) continue;
      wrong_.insert(layer.digest);
      const bool whole = static_cast<bool>(read_blob(layer));
      note(layer.digest, at_place(right.error(), layer.digest.text()),
           whole ? Cure::none : Cure::pull);
    }
  }

  Result<> check_layer(const Descriptor& layer, const Digest& diff_id) {
    UniqueFd blob = TRY(layout_.open_blob(layer));
    return LayerStream(std::move(blob), layer, diff_id, limits_).finish();
  }

  void check_blob(const Descriptor& blob) {
    if (!seen_.insert(blob.digest).second) return;
    count(blob);
    const Result<> right = read_blob(blob);
    if (!right) note(blob.digest, right.error(), Cure::pull);
  }

  Result<> read_blob(const Descriptor& blob) {
    const UniqueFd file = TRY(layout_.open_blob(blob));
    Verifier verifier(blob.digest, blob.size);
    std::vector<char> buffer(256u << 10);
    for (;;) {
      const long count = sys::read(file.get(), buffer.data(), buffer.size());
      if (count < 0) return system_error(count, "read", blob.digest.text());
      if (count == 0) return verifier.finish();
      TRY(verifier.update({buffer.data(), static_cast<size_t>(count)}));
    }
  }

  void count(const Descriptor& blob) {
    ++result.blobs;
    result.bytes += blob.size;
  }

  // From the lowest up to the first that is not there, or that those above cannot be made on.
  Result<> check_unpacked(const Image& image) {
    const Snapshots snapshots(store_);
    const std::vector<Digest> chain = chain_ids(image.config.rootfs.diff_ids);
    for (size_t i = 0; i < chain.size(); ++i) {
      const std::string path = Snapshots::path(chain[i]);
      const std::string layer = path.substr(0, path.rfind('/'));
      if (wrong_.contains(image.manifest.layers[i].digest) || damaged_layers_.contains(layer))
        return {};
      if (!TRY(snapshots.has(chain[i])) || !has_files(store_.directory(), layer)) return {};
      if (!compared_.insert(layer).second) continue;
      const Result<std::vector<std::string>> found =
          snapshots.differences(layout_, image, i, limits_, content_);
      if (!found && found.error().errnum != 0) return found.error();
      if (!found) {
        result.damages.push_back({image_, "", at_place(found.error(), layer)});
        damaged_layers_.insert(layer);
        return {};
      }
      if (found.value().empty()) continue;
      for (const std::string& line : found.value())
        result.damages.push_back({image_, layer, make_error(ErrorKind::state, layer, ": ", line)});
      damaged_layers_.insert(layer);
      return {};
    }
    return {};
  }

  static bool has_files(int directory, const std::string& layer) {
    struct statx info = {};
    const long found =
        sys::statx(directory, (layer + "/fs").c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info);
    return found == 0 && S_ISDIR(info.stx_mode);
  }

  void check_snapshot(int layers, const std::string& name) {
    ++result.layers;
    if (has_files(layers, name)) return;
    result.damages.push_back(
        {"", "layers/" + name, make_error(ErrorKind::state, "layers/", name, " has no files")});
  }

  const Store& store_;
  const Layout& layout_;
  const LayerLimits& limits_;
  CompareContent content_;
  std::string image_;
  std::set<Digest> wrong_;  // layers' blobs
  std::set<std::string> compared_, damaged_layers_;
  std::set<Digest> seen_;
  std::set<std::pair<Digest, Digest>> pairs_;
};

}  // namespace

size_t Verified::removable() const {
  return static_cast<size_t>(
      std::ranges::count_if(damages, [](const Damage& each) { return !each.path.empty(); }));
}

Result<Verified> verify_store(const Store& store, const LayerLimits& limits,
                              CompareContent content) {
  const Layout layout = TRY(store.read());
  Verification verification(store, layout, limits, content);
  for (const Descriptor& each : layout.index().manifests) TRY(verification.check_image(each));
  TRY(verification.check_snapshots());
  return std::move(verification.result);
}

}  // namespace onggi::image
