// SPDX-License-Identifier: Apache-2.0
// index.json of a layout, to be changed entry by entry: what is not changed keeps every byte, also
// fields that this program does not know.
#pragma once

#include "model/document.h"

#include <string>
#include <vector>

namespace onggi::image {

class IndexText {
 public:
  static Result<IndexText> parse(std::string text);
  // Of a layout without images.
  static std::string empty();

  // As many as index().manifests, in the same order.
  const Index& index() const { return index_; }
  const std::string& text() const { return text_; }

  // The name goes to `descriptor`, from wherever it was. An empty name: an entry without one.
  Result<> set_name(const std::string& name, const Descriptor& descriptor);
  // Takes the name away from its image, which stays in the index if `keep` says so.
  enum class Unnamed : bool { remove, keep };
  Result<> remove_name(const std::string& name, Unnamed unnamed);
  // All entries of this digest.
  Result<> remove_image(const Digest& digest);

 private:
  Result<> adopt(std::string text);
  Result<> rebuild();
  bool has_entry(const Digest& digest, size_t except) const;

  std::string text_;
  Index index_;
  std::vector<std::string> entries_;
};

// An entry of an index: the descriptor under a name, or without if it is empty.
std::string entry_json(const Descriptor& descriptor, const std::string& name);

}  // namespace onggi::image
