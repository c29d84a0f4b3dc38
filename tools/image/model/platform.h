// SPDX-License-Identifier: Apache-2.0
// Which manifest of an index fits a machine.
#pragma once

#include "model/descriptor.h"

namespace onggi::image {

// "linux/arm64/v8"; a missing variant is left empty.
Result<Platform> parse_platform(std::string_view text);
std::string platform_text(const Platform& platform);
Platform host_platform();

// The first entry of the best variant that is not above the wanted one; entries without platform
// and attestations are no candidates. The error lists what there is.
Result<const Descriptor*> choose_manifest(const Index& index, const Platform& wanted);

// BuildKit keeps attestations beside the images they are about.
bool is_attestation(const Descriptor& descriptor);

}  // namespace onggi::image
