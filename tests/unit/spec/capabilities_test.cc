// SPDX-License-Identifier: Apache-2.0
#include "spec/capabilities.h"

#include "base/ascii.h"

#include <doctest/doctest.h>
#include <sys/capability.h>

namespace onggi::spec {

TEST_CASE("capabilities have libcap's names and numbers") {
  for (unsigned number = 0; number < 64; number++) {
    CAPTURE(number);
    char* given = cap_to_name(static_cast<cap_value_t>(number));
    REQUIRE(given != nullptr);
    const std::string name = upper_case(given);
    cap_free(given);
    const bool named = name.starts_with("CAP_");
    CHECK(capability_name(number) == (named ? name : "CAP_" + std::to_string(number)));
    CHECK(capability_number(name) == (named ? std::optional(number) : std::nullopt));
  }
}

TEST_CASE("capabilities are written in capitals, with their prefix and by name") {
  CHECK(capability_number("CAP_CHOWN") == 0U);
  CHECK(capability_number("CAP_CHECKPOINT_RESTORE") == 40U);
  for (const char* unknown : {"cap_chown", "CAP_chown", "CHOWN", "CAP_", "CAP_NEW", "CAP_CHOW",
                              "CAP_CHOWNS", "0", "CAP_0", ""}) {
    CAPTURE(unknown);
    CHECK(!capability_number(unknown));
  }
  CHECK(!capability_number({"CAP_CHOWN\0", 10}));
}

}  // namespace onggi::spec
