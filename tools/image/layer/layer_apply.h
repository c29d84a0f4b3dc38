// SPDX-License-Identifier: Apache-2.0
// One layer onto a directory tree (image-spec layer.md, flat form). What it means:
//   - a whiteout hides what lower layers have, wherever it stands among the layer's entries, and
//     never behind a link or below a file of its own layer;
//   - a hard link to a file of a lower layer is made at the end: a file that this layer hides or
//     replaces is not its target;
//   - an entry replaces what is there and never writes into it; only a directory over a directory
//     keeps its children and takes the entry's attributes;
//   - a directory whose children change keeps its own times;
//   - the same layers always give the same tree, on a directory and on the mount of an overlay.
#pragma once

#include "layer/attributes.h"
#include "layer/layer_stream.h"
#include "layer/remove_tree.h"
#include "layer/rootfs.h"
#include "layer/tar.h"

#include <map>
#include <unordered_set>

namespace onggi::image {

class LayerApplier final : private Rootfs::Maker, private Rootfs::LinkFilter, private KeptPaths {
 public:
  LayerApplier(Rootfs& rootfs, Attributes& attributes, const LayerLimits& limits,
               FileContent content = FileContent::written)
      : rootfs_(rootfs), attributes_(attributes), limits_(limits), content_(content) {}

  // The tar is no layer: names that begin with .wh. are names.
  void keep_whiteouts() { keeps_whiteouts_ = true; }
  // The whole layer. An error names the entry and leaves the tree as far as it came.
  Result<> apply(TarReader& tar);

 private:
  // Where an entry goes.
  struct Place {
    DirectoryRef parent;
    std::string name, path;
    bool inherits = false;  // what is made there, from the parent
  };
  // What a directory gets when the layer is through. A mode means that this layer has made the
  // directory or has an entry for it.
  struct Final {
    std::optional<uint32_t> mode;
    std::optional<Timestamp> mtime, atime;
    bool inherits = false;  // its children, until then
  };
  struct Link {
    std::string name, target;
    bool is_second = false;  // entry of this name
  };

  // What a whiteout hides, its path without links.
  struct Hidden {
    std::string path;
    bool children = false;  // not the directory itself
  };
  enum class Stage : uint8_t {
    entries,
    late_links,       // after all entries: those whose targets are no such links
    remaining_links,  // that wait for one another
  };

  Result<> make_directory(const Directory& parent, const std::string& name, bool replace) override;
  void note_followed(const std::string& link, std::string_view target) override;
  bool follows(const std::string& link) override;
  bool keeps(const std::string& path) const override { return made_.contains(path); }
  Result<> enter_kept(int directory, const std::string& path) override;

  Result<> apply_entry(const TarEntry& entry, TarReader& tar);
  Result<bool> apply_whiteout(const std::string& clean);
  Result<> apply_root(const TarEntry& entry);
  Result<std::optional<Hidden>> hidden_by(const std::string& clean);
  Result<> apply_late_whiteouts();
  Result<> hide(const Hidden& hidden);
  Result<> hide(const std::string& path);
  Result<> hide_children(const std::string& path);
  Result<Final*> before_change(int directory, const std::string& path);
  Result<> imply(int directory, const std::string& path, const Origin& origin);
  Result<> make(const TarEntry& entry, const Place& place, TarReader& tar);
  Result<> make_file(const TarEntry& entry, const Place& place, TarReader& tar);
  Result<> make_or_merge_directory(const TarEntry& entry, const Place& place);
  Result<> make_node(const TarEntry& entry, const Place& place);
  Result<> make_placeholder(const TarEntry& entry, const Place& place);
  Result<> apply_link(Link link);
  Result<bool> make_link(const Link& link);
  bool waits_for(const std::string& target, const Link& link) const;
  Result<> find_late_places();
  Result<> make_late_links();
  Result<> check_followed();
  Result<> finish_directories();

  Result<Place> place_for(const std::string& clean);
  Result<> clear_the_way(const Place& place);
  void warn_of_duplicate(const std::string& path);
  // `create` gives 0, a descriptor or a negated errno; again when what is in the way has gone.
  template <class Create>
  Result<long> create_at(const Place& place, const Create& create) {
    const long made = create();
    if (made != -EEXIST) return made;
    TRY(clear_the_way(place));
    return create();
  }
  Result<> note_made(const std::string& path);
  Result<> note_name(size_t size);
  Result<> count(const TarEntry& entry);

  Stage stage_ = Stage::entries;
  bool at_lower_link_ = false;  // where a whiteout's path has stopped
  Rootfs& rootfs_;
  Attributes& attributes_;
  LayerLimits limits_;
  bool keeps_whiteouts_ = false;
  FileContent content_;
  uint64_t entries_ = 0, bytes_ = 0, names_ = 0;
  std::unordered_set<std::string> made_;  // by this layer, and the directories above
  std::map<std::string, Final> final_;
  std::vector<Link> late_links_;
  std::unordered_set<std::string> late_names_;   // as the entries have them
  std::unordered_set<std::string> late_places_;  // the same without links, once all are known
  std::vector<std::string> late_whiteouts_;
  std::map<std::string, std::string> followed_;  // links of lower layers, with their targets
};

}  // namespace onggi::image
