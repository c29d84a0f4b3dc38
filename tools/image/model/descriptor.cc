// SPDX-License-Identifier: Apache-2.0
// Look-ups, and the bytes that a descriptor may carry itself.
#include "model/descriptor.h"

#include "model/base64.h"

namespace onggi::image {

const std::string* StringMap::find(std::string_view key) const {
  const std::string* found = nullptr;
  for (const auto& [name, value] : entries) {
    if (name == key) found = &value;
  }
  return found;
}

Result<std::optional<std::string>> decoded_data(const Descriptor& descriptor) {
  if (descriptor.data.empty()) return std::optional<std::string>();
  std::optional<std::string> bytes = decode_base64(descriptor.data);
  if (!bytes) return make_error(ErrorKind::invalid_config, "data is not base64");
  TRY(verify(*bytes, descriptor.digest, descriptor.size));
  return bytes;
}

}  // namespace onggi::image
