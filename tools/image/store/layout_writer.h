// SPDX-License-Identifier: Apache-2.0
// Writing into an OCI image layout. Whatever moment this process is killed at, or the power goes,
// the layout stays whole: a blob has its name only when it is complete and on the disk, and
// index.json is replaced by rename(2), under a lock on the layout's directory.
#pragma once

#include "store/index_text.h"
#include "store/partial_blob.h"

#include <string>

namespace onggi::image {

class LayoutWriter {
 public:
  // Makes oci-layout, index.json and the directories where they are missing. `partial` is the name
  // of the directory for blobs on their way: below `directory`, so that rename(2) can move them.
  static Result<LayoutWriter> open(UniqueFd directory, std::string partial);

  int directory() const { return directory_.get(); }

  // A file of the right size; its digest was checked when it got its name.
  Result<bool> has(const Descriptor& blob) const;
  Result<PartialBlob> begin(const Descriptor& blob) const;
  Result<> publish(PartialBlob& blob) const;
  // A small one, all at once.
  Result<> write(const Descriptor& descriptor, std::string_view bytes) const;

  // A file of this filesystem without a name (O_TMPFILE) becomes the blob that it holds.
  Result<> adopt(int file, const Descriptor& descriptor) const;

  // What index.json is to become; others wait until this object is gone.
  class Edit {
   public:
    IndexText index;
    // Blobs that it names must be there by now.
    Result<> commit();

   private:
    friend class LayoutWriter;
    Edit(UniqueFd locked, IndexText text) : index(std::move(text)), directory_(std::move(locked)) {}
    UniqueFd directory_;
  };
  Result<Edit> edit() const;

  // Removes the directory for blobs on their way if nothing is left in it.
  void remove_empty_partial() const;

 private:
  LayoutWriter(UniqueFd directory, UniqueFd partial, std::string partial_name)
      : directory_(std::move(directory)),
        partial_(std::move(partial)),
        partial_name_(std::move(partial_name)) {}

  UniqueFd directory_, partial_;
  std::string partial_name_;
};

// The file oci-layout.
inline constexpr std::string_view kLayoutVersionText = R"({"imageLayoutVersion":"1.0.0"})";
// "blobs/sha256/HEX"
std::string blob_path(const Digest& digest);

// The content of a file on the disk under its name: a new file beside it, fsync(2), rename(2), and
// the directory's fsync(2). For one writer at a time.
Result<> replace_durably(int directory, const std::string& name, std::string_view text,
                         unsigned mode);
Result<> sync_directory(int directory, const std::string& name);

}  // namespace onggi::image
