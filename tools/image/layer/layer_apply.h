// SPDX-License-Identifier: Apache-2.0
// One layer onto a directory tree (image-spec layer.md, flat form). What it means:
//   - a whiteout hides what lower layers have, wherever it stands among the layer's entries;
//   - an entry replaces what is there and never writes into it; only a directory over a directory
//     keeps its children and takes the entry's attributes;
//   - a directory whose children change keeps its own times.
// docs/images.md has the cases in which other tools differ.
#pragma once

#include "layer/attributes.h"
#include "layer/layer_stream.h"
#include "layer/remove_tree.h"
#include "layer/rootfs.h"
#include "layer/tar.h"

#include <map>
#include <unordered_set>

namespace onggi::image {

class LayerApplier final : private Rootfs::Maker, private KeptPaths {
 public:
  LayerApplier(Rootfs& rootfs, Attributes& attributes, const LayerLimits& limits)
      : rootfs_(rootfs), attributes_(attributes), limits_(limits) {}

  // The whole layer. An error names the entry and leaves the tree as far as it came.
  Result<> apply(TarReader& tar);

 private:
  // Where an entry goes.
  struct Place {
    DirectoryRef parent;
    std::string name, path;
  };
  // What a directory gets when the layer is through.
  struct Final {
    std::optional<uint32_t> mode;
    std::optional<Timestamp> mtime, atime;
  };
  struct Link {
    std::string name, target;
  };

  Result<> make_directory(const Directory& parent, const std::string& name, bool replace) override;
  bool keeps(const std::string& path) const override { return made_.contains(path); }
  Result<> before_change(int directory, const std::string& path) override;

  Result<> apply_entry(const TarEntry& entry, TarReader& tar);
  Result<bool> apply_whiteout(const std::string& clean);
  Result<> apply_root(const TarEntry& entry);
  Result<> hide(const std::string& path);
  Result<> hide_children(const std::string& path);
  Result<> make(const TarEntry& entry, const Place& place, TarReader& tar);
  Result<> make_file(const TarEntry& entry, const Place& place, TarReader& tar);
  Result<> make_or_merge_directory(const TarEntry& entry, const Place& place);
  Result<> make_node(const TarEntry& entry, const Place& place);
  Result<bool> make_link(const Link& link);
  Result<> make_late_links();
  Result<> finish_directories();

  Result<Place> place_for(const std::string& clean);
  Result<> clear_the_way(const Place& place);
  void note_made(const std::string& path);
  Result<> count(const TarEntry& entry);

  Rootfs& rootfs_;
  Attributes& attributes_;
  LayerLimits limits_;
  uint64_t entries_ = 0, bytes_ = 0;
  std::unordered_set<std::string> made_;  // by this layer, and the directories above
  std::map<std::string, Final> final_;
  std::vector<Link> late_links_;
};

}  // namespace onggi::image
