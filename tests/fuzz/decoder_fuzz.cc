// SPDX-License-Identifier: Apache-2.0
// Compressed bytes from an attacker: nothing may crash, leak or hang, and they mean the same in
// whatever portions they come.
//
//   decoder_fuzz NEW_CORPUS tests/fuzz/corpus/decoder
#include "layer/decoder.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace onggi;
using namespace onggi::image;

constexpr size_t kEnough = 4u << 20;  // of a bomb

void require(bool right) {
  if (!right) std::abort();
}

Result<> decode(std::string_view blob, size_t portion, std::string& bytes) {
  const std::unique_ptr<Decoder> decoder = make_decoder(blob);
  while (!blob.empty()) {
    std::string_view input = blob.substr(0, portion);
    blob.remove_prefix(input.size());
    for (;;) {
      const std::string_view part = TRY(decoder->decode(input));
      if (part.empty()) break;
      bytes += part;
      if (bytes.size() > kEnough) return {};
    }
    require(input.empty());
  }
  return decoder->finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view blob(reinterpret_cast<const char*>(bytes), size);
  std::string one, other;
  const Result<> whole = decode(blob, size + 1, one), parts = decode(blob, 7, other);
  require(static_cast<bool>(whole) == static_cast<bool>(parts));
  if (!whole) {
    require(!whole.error().message.empty());
    return 0;
  }
  require(one.substr(0, kEnough) == other.substr(0, kEnough));
  return 0;
}
