// SPDX-License-Identifier: Apache-2.0
// Whiteouts of a layer. A whiteout names a path of the lower layers: a link that this layer makes
// is never followed, nor one that it replaces. A link of a lower layer is, but whether the layer
// replaces it is only known at its end, where such whiteouts therefore have to wait.
#include "base/file.h"
#include "base/log.h"
#include "base/split.h"
#include "layer/layer_apply.h"

#include <sys/stat.h>

#include <algorithm>

namespace onggi::image {
namespace {

constexpr std::string_view kWhiteout = ".wh.", kOpaque = ".wh..wh..opq", kAufs = ".wh..wh.";

bool is_below_whiteout(const std::string& parent) {
  return std::ranges::any_of(split(parent, '/').all(),
                             [](std::string_view name) { return name.starts_with(kWhiteout); });
}

}  // namespace

// False: the entry is none.
Result<bool> LayerApplier::apply_whiteout(const std::string& clean) {
  const auto [parent, name] = split_name(clean);
  if (is_below_whiteout(parent) || (name.starts_with(kAufs) && name != kOpaque)) {
    log::debug("'" + clean + "' is aufs metadata, ignoring");
    return true;
  }
  if (!name.starts_with(kWhiteout)) return false;
  const std::string hidden = name.substr(kWhiteout.size());
  if (hidden.empty() || hidden == "." || hidden == "..") {
    return make_error(ErrorKind::invalid_config, "a whiteout of '", hidden,
                      "', which is not a valid name");
  }
  at_lower_link_ = false;
  const std::optional<Hidden> found = TRY(hidden_by(clean));
  if (at_lower_link_) {
    TRY(note_name(clean.size()));
    late_whiteouts_.push_back(clean);
  } else if (found) {
    TRY(hide(*found));
  }
  return true;
}

bool LayerApplier::follows(const std::string& link) {
  if (keeps(link)) return false;
  if (stage_ != Stage::entries) return !late_places_.contains(link);
  at_lower_link_ = true;
  return false;
}

// A parent that is not there has nothing to hide, also if this layer has hidden or replaced it.
Result<std::optional<LayerApplier::Hidden>> LayerApplier::hidden_by(const std::string& clean) {
  const auto [parent, name] = split_name(clean);
  const DirectoryRef directory = TRY(rootfs_.find(parent, *this));
  if (directory == nullptr) return std::optional<Hidden>();
  if (name == kOpaque) return std::optional<Hidden>({directory->path, true});
  return std::optional<Hidden>({child_path(directory->path, name.substr(kWhiteout.size())), false});
}

// All are found before the first hides anything: one may hide a link that another goes through.
Result<> LayerApplier::apply_late_whiteouts() {
  std::vector<Hidden> all;
  for (const std::string& clean : late_whiteouts_) {
    const std::optional<Hidden> found = TRY_AT("'" + clean + "'", hidden_by(clean));
    if (found) all.push_back(*found);
  }
  for (const Hidden& each : all) TRY_AT("'" + each.path + "'", hide(each));
  return {};
}

Result<> LayerApplier::hide(const Hidden& hidden) {
  return hidden.children ? hide_children(hidden.path) : hide(hidden.path);
}

Result<> LayerApplier::hide(const std::string& path) {
  const auto [parent, name] = split_name(path);
  const DirectoryRef directory = TRY(rootfs_.directory(parent, nullptr));
  if (directory == nullptr || directory->path != parent) return {};
  struct statx info = {};
  const long found =
      sys::statx(directory->fd.get(), name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info);
  if (found == -ENOENT) {
    rootfs_.note_absent(*directory);
    return {};
  }
  if (found < 0) return system_error(found, "statx", path);
  (void)TRY(before_change(directory->fd.get(), directory->path));
  if (keeps(path) && S_ISDIR(info.stx_mode)) {
    const DirectoryRef kept = TRY(rootfs_.directory(path, nullptr));
    TRY(enter_kept(kept->fd.get(), path));
    return hide_children(path);
  }
  rootfs_.forget();
  return remove_tree(directory->fd.get(), name, path, this);
}

// Of a directory that stays: what this layer has made stays in it.
Result<> LayerApplier::hide_children(const std::string& path) {
  const DirectoryRef directory = TRY(rootfs_.directory(path, nullptr));
  if (directory == nullptr || directory->path != path) return {};
  (void)TRY(before_change(directory->fd.get(), directory->path));
  rootfs_.forget();
  return remove_children(directory->fd.get(), path, this);
}

// The directory that a whiteout hides is not this layer's, which only has something in it.
Result<> LayerApplier::enter_kept(int directory, const std::string& path) {
  const Final last = *TRY(before_change(directory, path));
  if (last.mode) return {};
  return imply(directory, path, {.existed = true, .inherits = last.inherits});
}

}  // namespace onggi::image
