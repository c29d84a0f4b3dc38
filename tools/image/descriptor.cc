// SPDX-License-Identifier: Apache-2.0
// Look-ups, and the bytes that a descriptor may carry itself.
#include "descriptor.h"

namespace onggi::image {
namespace {

int base64_value(char c) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const size_t value = kAlphabet.find(c);
  return value == std::string_view::npos ? -1 : static_cast<int>(value);
}

// RFC 4648 section 4, padded.
std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  std::string bytes;
  unsigned bits = 0, count = 0;
  for (char c : text) {
    const int value = base64_value(c);
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<unsigned>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

}  // namespace

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
