// SPDX-License-Identifier: Apache-2.0
// config.json from an attacker: nothing may crash, leak or hang, and whatever is refused must say
// where and why. To be built with -fno-sanitize=pointer-overflow: RapidJSON's stack adds to a null
// pointer before its first allocation.
//
//   config_fuzz -dict=tests/fuzz/config.dict NEW_CORPUS tests/fuzz/corpus/config
#include "spec/parse.h"
#include "spec/validate.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

void require_explained(const onggi::Error& error) {
  if (error.place.empty() || error.message.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto spec = onggi::spec::parse({reinterpret_cast<const char*>(bytes), size});
  if (!spec) {
    require_explained(spec.error());
    return 0;
  }
  const auto valid = onggi::spec::validate(spec.value());
  if (!valid) require_explained(valid.error());
  return 0;
}
