// SPDX-License-Identifier: Apache-2.0
#include "spec/number_list.h"

#include "support.h"

#include <doctest/doctest.h>

namespace onggi::spec {
namespace {

TEST_CASE("a list of CPUs or nodes is strict") {
  for (const char* list : {"0", "0-3,7", "3,1,2", " 0 - 3 , 7 ", "0-65535", "5-5"}) {
    CAPTURE(list);
    CHECK(parse_number_list(list));
  }
  for (const char* list : {"", ",", "0,", ",0", "3-1", "-1", "1-", "a", "0x1", "0-9:2/4", "1 2",
                           "65536", "0-4294967296", "+1", "1\n"}) {
    CAPTURE(list);
    CHECK_FALSE(parse_number_list(list));
  }
}

TEST_CASE("a mask is as long as its highest number needs") {
  const auto mask = [](Text list) { return bit_mask(*parse_number_list(list)); };
  CHECK(mask("0-3,7") == std::vector<uint64_t>{0x8f});
  CHECK(mask("63-64") == std::vector<uint64_t>{uint64_t{1} << 63, 1});
  const std::vector<uint64_t> large = mask("1500,4095");
  REQUIRE(large.size() == 64);
  CHECK(large[1500 / 64] == uint64_t{1} << (1500 % 64));
  CHECK(large[63] == uint64_t{1} << 63);
}

TEST_CASE("execCPUAffinity and memoryPolicy take more than 1024 CPUs and nodes (checklist 35)") {
  const auto affinity = [](const std::string& lists) {
    return verdict(process_with("\"execCPUAffinity\": {" + lists + "}"));
  };
  CHECK(affinity(R"("initial": "0-4095", "final": "1023-1025,8191")") == "ok");
  CHECK(affinity(R"("initial": "", "final": "7")") == "ok");
  CHECK(affinity(R"("initial": "0-")") ==
        "process.execCPUAffinity.initial: \"0-\" is not a valid list of CPUs");
  CHECK(affinity(R"("final": "0-9:2/4")") ==
        "process.execCPUAffinity.final: \"0-9:2/4\" is not a valid list of CPUs");
  CHECK(verdict(linux_with(R"("memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0,2000"})")) == "ok");
}

}  // namespace
}  // namespace onggi::spec
