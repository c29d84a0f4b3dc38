// SPDX-License-Identifier: Apache-2.0
// Layers applied in both forms, onto one directory and as layers of an overlay, and what the kernel
// then says of the tree. A case sees one tree: that both forms are alike has been checked.
#pragma once

#include "layer/attributes.h"
#include "layer/layer_stream.h"
#include "layer/rootfs.h"
#include "tar_builder.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

namespace onggi::image::test {

struct Node {
  unsigned mode = 0;  // with the type
  unsigned uid = 0, gid = 0;
  std::string content;  // of a file; a link's target
  uint64_t size = 0, device = 0;
  int64_t mtime = 0, atime = 0;
  unsigned mtime_ns = 0;
  unsigned links = 0;      // names of what is no directory
  std::string first_name;  // of the same inode, in byte order
  std::map<std::string, std::string> xattrs;
};

using Tree = std::map<std::string, Node>;  // by path; "" is the root

// Of a directory, with everything in it.
Tree read_tree(int directory);
// "d d/file": all but the root.
std::string paths_of(const Tree& tree);
bool contains(const std::string& text, const std::string& part);
std::string describe(const Tree& tree);

struct ApplyOptions {
  LayerLimits limits = {};
  // A file with several names in a layer below loses them when it is copied up (overlayfs.rst,
  // "Non-standard behavior"), so that the numbers of names differ.
  bool compare_names = true;
};

// Blobs of layers, the lowest first. Both forms are made, compared, and the one tree returned.
Tree tree_of(const std::vector<std::string>& layers, const ApplyOptions& options = {});
// Where nothing can be mounted: the one form.
Tree flat_tree_of(const std::vector<std::string>& layers);
std::string flat_error_of(const std::vector<std::string>& layers);
// Whatever the layers are: what the two forms make of them differently, or their different errors.
// Empty: they are alike.
std::string difference_of_forms(const std::vector<std::string>& layers,
                                const ApplyOptions& options = {});
// The same for two orders of a layer's entries, in the flat form. An order that is refused because
// an entry went through a link that the layer removes is no difference.
std::string difference_of_orders(const std::vector<std::string>& layers,
                                 const std::vector<std::string>& others);
// The last layer is refused, in both forms with the same words.
std::string error_of(const std::vector<std::string>& layers, const ApplyOptions& options = {});
// What is in the directory after that.
Tree tree_left(const std::vector<std::string>& layers, const ApplyOptions& options = {});
// What is said on the way.
std::string warnings_of(const std::vector<std::string>& layers);

// A decorator's argument: most cases change owners, make devices and mount.
bool lacks_root();

// A directory that is gone in the end, with everything in it.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }
  std::string make_directory(const std::string& name) const;
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
  UniqueFd fd_;
};

UniqueFd open_tree_root(const std::string& path);
// A descriptor of the root of a detached overlay; `upper` may be empty: then it is read-only. The
// uppermost of the lower layers comes last.
UniqueFd mount_overlay(const std::vector<std::string>& lower, const std::string& upper,
                       const std::string& work);
// One blob onto what `root` is open at, with the checks of its digests.
Result<> apply_blob(const std::string& blob, const Digest& diff_id, Rootfs& rootfs,
                    Attributes& attributes, const LayerLimits& limits);
Digest diff_id_of(const std::string& blob);

}  // namespace onggi::image::test
