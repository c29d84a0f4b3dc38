// SPDX-License-Identifier: Apache-2.0
// Removes what may be hostile: deep, wide, with links. Links are removed, never followed; two
// directories are open at a time, however deep the tree is.
#pragma once

#include "base/result.h"

#include <string>

namespace onggi::image {

// Which paths stay; the directories above them must stay too.
class KeptPaths {
 public:
  virtual ~KeptPaths() = default;
  virtual bool keeps(const std::string& path) const = 0;
  // A directory stays, and what is in it and may go is about to.
  virtual Result<> enter_kept(int directory, const std::string& path) = 0;
};

// `path` is what `kept` knows the entry as. With nothing to keep both may be left out.
Result<> remove_tree(int parent, const std::string& name, const std::string& path = {},
                     KeptPaths* kept = nullptr);

// What is in the directory, but not the directory itself.
Result<> remove_children(int directory, const std::string& path = {}, KeptPaths* kept = nullptr);

}  // namespace onggi::image
