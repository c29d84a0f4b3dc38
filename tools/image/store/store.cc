// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/store.h"

#include "base/directory.h"
#include "base/file.h"
#include "base/path.h"
#include "layer/remove_tree.h"
#include "model/reference.h"
#include "process/random.h"
#include "store/overlay.h"
#include "store/short_names.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace onggi::image {

namespace {

constexpr const char* kDirectories[] = {"layers",  "work",    "containers",
                                        "volumes", "bundles", "trash"};
constexpr size_t kShortestDigest = 4;

std::string variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::string> default_root() {
  if (geteuid() == 0 && !in_user_namespace()) return std::string("/var/lib/onggi");
  const std::string data = variable("XDG_DATA_HOME");
  if (data.starts_with('/')) return data + "/onggi";
  const std::string home = variable("HOME");
  if (home.starts_with('/')) return home + "/.local/share/onggi";
  return with_hint(make_error(ErrorKind::invalid_config, "no directory for the store"),
                   "set HOME or XDG_DATA_HOME, or pass --root DIR");
}

Result<> check_owner(int directory, const std::string& path) {
  struct statx info = {};
  const long found = sys::statx(directory, "", AT_EMPTY_PATH, STATX_UID | STATX_MODE, &info);
  if (found < 0) return system_error(found, "statx", path);
  if (info.stx_uid != geteuid()) {
    return with_hint(state_error("the store '", path, "' belongs to user ", info.stx_uid,
                                 ", not to ", geteuid()),
                     "pass another one with --root DIR");
  }
  const long changed = (info.stx_mode & 07777) == 0700 ? 0 : sys::fchmod(directory, 0700);
  if (changed < 0) return system_error(changed, "chmod", path);
  return {};
}

Result<UniqueFd> open_lock(int directory, LockKind kind) {
  const long opened = sys::openat(directory, "lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  if (opened < 0) return system_error(opened, "open", "lock");
  UniqueFd file(opened);
  if (kind == LockKind::shared) {
    TRY(lock(file.get(), kind, "lock"));
  } else if (!TRY(try_lock(file.get(), kind, "lock"))) {
    return with_hint(state_error("the store is in use by another command"),
                     "try again when it has finished");
  }
  return file;
}

bool is_digest_part(std::string_view text) {
  return text.size() >= kShortestDigest && text.find_first_not_of("0123456789abcdef") == text.npos;
}

Error no_image(std::string_view text, const std::string& name) {
  return with_hint(state_error("no image '", name.empty() ? text : name, "' in the store"),
                   "use 'onggi-image list' to list images, or 'onggi-image pull' to download one");
}

}  // namespace

Result<std::string> store_root(const std::string& chosen) {
  const std::string root = chosen.empty() ? TRY(default_root()) : chosen;
  const std::string given = TRY(absolute_path(root));
  std::string path = clean_path(given);
  if (path.empty()) return make_error(ErrorKind::invalid_config, "the store must not be '/'");
  return path;
}

Result<std::string> full_name(std::string_view text) {
  const Reference reference = TRY(parse_reference(text));
  return to_text(reference);
}

Result<Store> Store::open(const std::string& root, LockKind kind) {
  std::string path = TRY(store_root(root));
  TRY(make_directories(path));
  UniqueFd directory = TRY(open_directory(AT_FDCWD, path));
  TRY(check_owner(directory.get(), path));
  UniqueFd locked = TRY(open_lock(directory.get(), kind));
  for (const char* name : kDirectories) {
    const long made = sys::mkdirat(directory.get(), name, 0700);
    if (made < 0 && made != -EEXIST) return system_error(made, "mkdir", name);
  }
  LayoutWriter layout = TRY(LayoutWriter::open(std::move(directory), "partial"));
  return Store(std::move(layout), std::move(locked), std::move(path));
}

Result<Layout> Store::read() const {
  UniqueFd directory = TRY(open_directory(this->directory(), "."));
  return Layout::open(std::move(directory));
}

Result<std::vector<StoredImage>> Store::images() const {
  const Layout layout = TRY(read());
  std::vector<StoredImage> images;
  for (const Descriptor& each : layout.index().manifests)
    images.push_back({reference_name(each), each, false});
  return images;
}

Result<StoredImage> Store::find(std::string_view text) const {
  const std::vector<StoredImage> all = TRY(images());
  const bool is_name = static_cast<bool>(parse_reference(text));
  const std::vector<std::string> names =
      is_name ? TRY(local_names(text)) : std::vector<std::string>();
  for (const std::string& name : names) {
    const auto found = std::ranges::find(all, name, &StoredImage::name);
    if (found != all.end()) return StoredImage{found->name, found->descriptor, true};
  }
  const std::string_view hex = text.starts_with("sha256:") ? text.substr(7) : text;
  const StoredImage* found = nullptr;
  for (const StoredImage& each : all) {
    if (!is_digest_part(hex) || !each.descriptor.digest.hex().starts_with(hex)) continue;
    if (found != nullptr && found->descriptor.digest != each.descriptor.digest)
      return make_error(ErrorKind::invalid_config, "several digests begin with '", hex, "'");
    found = &each;
  }
  if (found != nullptr) return *found;
  return no_image(text, names.empty() ? "" : names.front());
}

Result<> Store::set_name(const std::string& name, const Descriptor& descriptor) const {
  LayoutWriter::Edit edit = TRY(layout_.edit());
  TRY(edit.index.set_name(name, descriptor));
  return edit.commit();
}

Result<> Store::remove_name(const std::string& name) const {
  LayoutWriter::Edit edit = TRY(layout_.edit());
  const bool known = std::ranges::any_of(
      edit.index.index().manifests, [&](const Descriptor& each) { return has_name(each, name); });
  if (!known) return no_image(name, name);
  TRY(edit.index.remove_name(name, IndexText::Unnamed::keep));
  return edit.commit();
}

Result<> Store::remove(const StoredImage& image) const {
  LayoutWriter::Edit edit = TRY(layout_.edit());
  if (image.is_by_name) {
    TRY(edit.index.remove_name(image.name, IndexText::Unnamed::remove));
  } else {
    TRY(edit.index.remove_image(image.descriptor.digest));
  }
  return edit.commit();
}

Result<> Store::discard(const std::string& path) const {
  const std::string place = "trash/" + std::to_string(random_number());
  const long renamed = sys::renameat(directory(), path.c_str(), directory(), place.c_str());
  if (renamed < 0 && renamed != -ENOENT) return system_error(renamed, "rename", path);
  return {};
}

Result<> Store::empty_trash() const {
  const UniqueFd trash = TRY(open_directory(directory(), "trash"));
  // Whoever has the lock removes all of it.
  if (!TRY(try_lock(trash.get(), LockKind::exclusive, "trash"))) return {};
  return remove_children(trash.get());
}

}  // namespace onggi::image
