// SPDX-License-Identifier: Apache-2.0
// The beginning and the end of a command that makes a new image of another one.
#pragma once

#include "command/command.h"
#include "store/image_edit.h"
#include "store/store.h"

namespace onggi::image {

// At SOURCE_DATE_EPOCH, or now.
Result<ImageEdit> begin_change(const Image& base);
// The new image gets its name, the second operand, and the command prints its digest.
Result<int> finish_change(const Context& context, const Store& store, const ImageEdit& edit,
                          Format format);

}  // namespace onggi::image
