// SPDX-License-Identifier: Apache-2.0
// What an update is completed with from the files of the cgroup, over plain files.
#include "cgroups/update.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

using namespace onggi;
namespace fs = std::filesystem;

// The memory limit that `swap` alone is completed with, where the cgroup has this file.
std::optional<int64_t> completed(const std::string& file, const std::string& content,
                                 spec::Memory memory) {
  char name[] = "/tmp/onggi-update-XXXXXX";
  REQUIRE(mkdtemp(name) != nullptr);
  std::ofstream(fs::path(name) / file) << content << '\n';
  spec::Resources resources;
  resources.memory = memory;
  const Result<> result = cgroups::complete(
      resources, {{.mount_point = name, .path = "", .unified = !file.ends_with("_bytes")}});
  fs::remove_all(name);
  REQUIRE(result);
  return resources.memory->limit;
}

TEST_CASE("a swap limit is completed with the memory limit of the cgroup") {
  spec::Memory swap;
  swap.swap = 4096;
  CHECK(completed("memory.max", "8192", swap) == 8192);
  CHECK(completed("memory.limit_in_bytes", "8192", swap) == 8192);
  // Unlimited: v2 can limit swap alone, v1 cannot.
  CHECK(completed("memory.max", "max", swap) == -1);
  CHECK(completed("memory.limit_in_bytes", "9223372036854771712", swap) == std::nullopt);
  swap.limit = 1;
  CHECK(completed("memory.max", "8192", swap) == 1);
  CHECK(completed("memory.max", "8192", spec::Memory()) == std::nullopt);
}

}  // namespace
