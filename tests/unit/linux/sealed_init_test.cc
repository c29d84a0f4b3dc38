// SPDX-License-Identifier: Apache-2.0
#include "linux/sealed_init.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>

using namespace onggi;

TEST_CASE("a sealed memfd keeps its bytes, however it is opened") {
  const Result<UniqueFd> made = make_sealed_memfd("test", "bytes", false);
  REQUIRE(made);
  const std::string path = "/proc/self/fd/" + std::to_string(made->get());
  const int again = open(path.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(again >= 0);
  for (const int fd : {made->get(), again}) {
    CHECK(pwrite(fd, "x", 1, 0) == -1);
    CHECK(errno == EPERM);
    CHECK(ftruncate(fd, 0) == -1);
    CHECK(ftruncate(fd, 100) == -1);
    CHECK(mmap(nullptr, 5, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -1);
    void* mapped = mmap(nullptr, 5, PROT_READ, MAP_SHARED, fd, 0);
    REQUIRE(mapped != MAP_FAILED);
    CHECK(mprotect(mapped, 5, PROT_READ | PROT_WRITE) == -1);
    CHECK(std::string(static_cast<const char*>(mapped), 5) == "bytes");
    munmap(mapped, 5);
  }
  close(again);
}
