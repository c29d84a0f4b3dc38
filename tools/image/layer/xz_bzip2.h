// SPDX-License-Identifier: Apache-2.0
// The two compressors that image archives come in beside gzip and zstd (`docker save | xz`), which
// docker and podman read.
#pragma once

#include "layer/decoder.h"

namespace onggi::image {

std::unique_ptr<Decoder> make_xz_decoder();
std::unique_ptr<Decoder> make_bzip2_decoder();

}  // namespace onggi::image
