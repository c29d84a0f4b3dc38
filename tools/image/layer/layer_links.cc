// SPDX-License-Identifier: Apache-2.0
// Hard links of a layer. A file of the layer itself is linked at once. All other links wait for the
// layer's end: only then is it known whether the layer hides or replaces the file of a lower layer,
// or brings the target later.
#include "base/file.h"
#include "layer/layer_apply.h"

#include <sys/stat.h>

namespace onggi::image {
namespace {

// Each pass makes at least one link; honest layers have no links to links that come later.
constexpr int kLinkPasses = 40;

}  // namespace

Result<> LayerApplier::apply_link(Link link) {
  if (TRY(make_link(link))) return {};
  TRY(note_name(link.name.size() + link.target.size()));
  if (!late_names_.insert(link.name).second) link.is_second = true;
  late_links_.push_back(std::move(link));
  return {};
}

// Those whose parent is missing are behind no link.
Result<> LayerApplier::find_late_places() {
  for (const Link& link : late_links_) {
    const auto [parent, name] = split_name(link.name);
    const DirectoryRef directory = TRY(rootfs_.directory(parent, nullptr));
    if (directory != nullptr) late_places_.insert(child_path(directory->path, name));
  }
  return {};
}

bool LayerApplier::waits_for(const std::string& target, const Link& link) const {
  if (stage_ == Stage::entries) return !keeps(target);
  return stage_ == Stage::late_links && late_places_.contains(target) && !keeps(target) &&
         target != link.name;
}

// False: the target is not there (yet). The link's own metadata is that of the target.
Result<bool> LayerApplier::make_link(const Link& link) {
  const std::pair<std::string, std::string> target = split_name(link.target);
  const DirectoryRef from = TRY(rootfs_.directory(target.first, nullptr));
  if (from == nullptr) return false;
  struct statx info = {};
  const long found =
      sys::statx(from->fd.get(), target.second.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info);
  if (found == -ENOENT) {
    rootfs_.note_absent(*from);
    return false;
  }
  if (found < 0) return system_error(found, "statx", link.target);
  const std::string path = child_path(from->path, target.second);
  if (waits_for(path, link)) return false;
  if (S_ISDIR(info.stx_mode))
    return make_error(ErrorKind::invalid_config, "a hardlink to the directory '", link.target, "'");
  // While the link waited, another entry took its name: what comes last counts.
  if (!link.is_second && keeps(link.name)) {
    warn_of_duplicate(link.name);
    return true;
  }
  const Place place = TRY(place_for(link.name));
  if (place.path == path) return true;
  // Without AT_SYMLINK_FOLLOW: a link to a symlink is a second name of the symlink.
  const long made = TRY(create_at(place, [&] {
    return sys::call(SYS_linkat, from->fd.get(), target.second.c_str(), place.parent->fd.get(),
                     place.name.c_str(), 0);
  }));
  if (made < 0) return system_error(made, "link", link.target);
  TRY(note_made(place.path));
  return true;
}

Result<> LayerApplier::make_late_links() {
  bool progress = true;
  for (int pass = 0; pass < kLinkPasses && progress && !late_links_.empty(); ++pass) {
    std::vector<Link> rest;
    for (Link& link : late_links_) {
      const bool made = TRY_AT("'" + link.name + "'", make_link(link));
      if (!made) rest.push_back(std::move(link));
    }
    const bool some = rest.size() < late_links_.size();
    progress = some || stage_ == Stage::late_links;
    stage_ = some ? Stage::late_links : Stage::remaining_links;
    late_links_ = std::move(rest);
  }
  if (late_links_.empty()) return {};
  const Link& first = late_links_.front();
  return config_error("'" + first.name + "'", "a hardlink to '", first.target,
                      "', which is not in this layer or in the layers below");
}

}  // namespace onggi::image
