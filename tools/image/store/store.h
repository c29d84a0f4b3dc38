// SPDX-License-Identifier: Apache-2.0
// The images of this machine: a directory that is an OCI layout itself, with full references as
// names, and beside that
//   partial/          transfers that broke off
//   layers/           snapshots: sha256-CHAIN/fs
//   work/             snapshots in the making
//   containers/, volumes/, bundles/   what uses images
//   trash/            what is about to be removed
//   lock              shared by whoever uses blobs or layers, exclusive for gc
// Only its owner may enter: the images' set-id programs are nobody else's (CVE-2021-41103).
#pragma once

#include "store/layout.h"
#include "store/layout_writer.h"
#include "store/lock.h"

#include <string>
#include <vector>

namespace onggi::image {

struct StoredImage {
  std::string name;  // "docker.io/library/alpine:latest", or empty
  Descriptor descriptor;
  bool is_by_name = false;  // of find(): by this name, and not by its digest
};

// Absolute. Without a choice it is /var/lib/onggi for the host's root, else $XDG_DATA_HOME/onggi or
// ~/.local/share/onggi: in a user namespace root is an ordinary user.
Result<std::string> store_root(const std::string& chosen);

class Store {
 public:
  // Made if it is not there. Waits for a gc to end; as exclusive it fails at once if the store is
  // in use.
  static Result<Store> open(const std::string& root, LockKind kind);

  const std::string& path() const { return path_; }  // absolute
  int directory() const { return layout_.directory(); }
  const LayoutWriter& layout() const { return layout_; }
  // As it is now.
  Result<Layout> read() const;

  Result<std::vector<StoredImage>> images() const;
  // By name, in full or short (see store/short_names.h), or by digest or a part of it of at least
  // four digits.
  Result<StoredImage> find(std::string_view text) const;

  Result<> set_name(const std::string& name, const Descriptor& descriptor) const;
  // The name alone; the image stays, if need be without a name.
  Result<> remove_name(const std::string& name) const;
  // An image with all its names, or only the name by which it was found.
  Result<> remove(const StoredImage& image) const;

  // Out of everybody's sight at once; empty_trash() takes the time. `path` is below the store.
  Result<> discard(const std::string& path) const;
  // Also what others have left there.
  Result<> empty_trash() const;

 private:
  Store(LayoutWriter layout, UniqueFd locked, std::string path)
      : layout_(std::move(layout)), locked_(std::move(locked)), path_(std::move(path)) {}

  LayoutWriter layout_;
  UniqueFd locked_;
  std::string path_;
};

// "alpine" -> "docker.io/library/alpine:latest"
Result<std::string> full_name(std::string_view text);

}  // namespace onggi::image
