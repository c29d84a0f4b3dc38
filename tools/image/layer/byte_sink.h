// SPDX-License-Identifier: Apache-2.0
// Where bytes go, portion by portion.
#pragma once

#include "base/result.h"

#include <string_view>

namespace onggi::image {

class ByteSink {
 public:
  ByteSink() = default;
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;
  virtual ~ByteSink() = default;

  virtual Result<> write(std::string_view bytes) = 0;
};

}  // namespace onggi::image
