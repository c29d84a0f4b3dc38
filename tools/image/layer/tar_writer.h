// SPDX-License-Identifier: Apache-2.0
// Writes tar as layers should have it: ustar, and a PAX header only for what that cannot say. The
// same entries always give the same bytes: nothing is written that an entry does not have (no
// names of owners, no atime, no ctime), and records stand in a fixed order.
#pragma once

#include "layer/byte_sink.h"
#include "layer/tar.h"

namespace onggi::image {

class TarWriter {
 public:
  explicit TarWriter(ByteSink& sink) : sink_(sink) {}

  // The header; the data follows by data(), in all as many bytes as the entry's size says. Holes
  // are written as zeros: `extents` is not looked at. Extended attributes are written in the order
  // of their names. An error: what no tar can say.
  Result<> entry(const TarEntry& entry);
  Result<> data(std::string_view bytes);
  // The end of the archive.
  Result<> finish();

 private:
  Result<> end_data();
  Result<> header(const TarEntry& entry, char type, std::string_view prefix, std::string_view name);
  Result<> records(const std::string& text);

  ByteSink& sink_;
  uint64_t missing_ = 0, padding_ = 0;
};

}  // namespace onggi::image
