// SPDX-License-Identifier: Apache-2.0
// What onggi-systemd is asked: what is encoded is decoded, and nothing else is.
#include "plan/unit_request.h"

#include <doctest/doctest.h>

using namespace onggi;
using namespace std::string_literals;

namespace {

plan::UnitRequest example() {
  return {.command = plan::UnitCommand::start,
          .user = true,
          .unit = "web.scope",
          .properties = {{"Slice", "s", {"a.slice"}, ""},
                         {"DeviceAllow", "a(ss)", {"char-*", "m", "/dev/null", "rw"}, ""},
                         {"DeviceAllow", "a(ss)", {}, ""},
                         {"PIDs", "au", {"7"}, ""},
                         {"Description", "s", {""}, ""}}};
}

}  // namespace

TEST_CASE("a request comes out as it went in") {
  const plan::UnitRequest request = example();
  const auto decoded = plan::decode_unit_request(plan::encode(request));
  REQUIRE(decoded);
  CHECK(decoded->command == request.command);
  CHECK(decoded->user);
  CHECK(decoded->unit == request.unit);
  REQUIRE(decoded->properties.size() == request.properties.size());
  for (size_t i = 0; i < request.properties.size(); i++) {
    CHECK(decoded->properties[i].name == request.properties[i].name);
    CHECK(decoded->properties[i].signature == request.properties[i].signature);
    CHECK(decoded->properties[i].values == request.properties[i].values);
  }
}

TEST_CASE("what no request is encoded to is not decoded") {
  const std::string whole = plan::encode(example());
  REQUIRE(whole.starts_with("start\0user\0web.scope\0Slice\0s\0"s + "1\0a.slice\0"s));
  // Cut off anywhere but behind the unit or a whole property.
  size_t decoded = 0;
  for (size_t size = 0; size < whole.size(); size++)
    if (plan::decode_unit_request(whole.substr(0, size))) decoded++;
  CHECK(decoded == example().properties.size());
  for (const std::string& bad :
       {"begin\0user\0u\0"s, "start\0session\0u\0"s, "start\0user\0\0"s,
        "set\0user\0u\0A\0z\0001\0x\0"s, "set\0user\0u\0A\0s\0002\0x\0y\0"s,
        "set\0user\0u\0A\0s\0-1\0"s, "set\0user\0u\0A\0a(ss)\0001\0x\0"s,
        "set\0user\0u\0\0s\0001\0x\0"s, "set\0user\0u\0A\0a\0000\0"s}) {
    CHECK_FALSE(plan::decode_unit_request(bad));
  }
}
