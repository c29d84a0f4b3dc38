// SPDX-License-Identifier: Apache-2.0
// Files with holes as GNU tar writes them, in each of its notations, against what GNU tar itself
// extracts from the same archive.
#include "layer_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace onggi::image::test {
namespace {

using doctest::skip;

constexpr const char* kNotations[] = {
    "--format=gnu",
    "--format=posix --sparse-version=0.0",
    "--format=posix --sparse-version=0.1",
    "--format=posix --sparse-version=1.0",
};

bool lacks_gnu_tar() {
  if (std::system("tar --version 2>/dev/null | grep -q 'GNU tar'") == 0) return false;
  MESSAGE("SKIPPED: GNU tar is not installed");
  return true;
}

// After a long hole, so that tar looks for more of them: blocks of data with as much of a hole
// between two of them. The map ends where the data ends, or with a part of no bytes after a hole.
void write_sparse(const std::string& path, unsigned parts, bool ends_in_hole) {
  constexpr off_t kBlock = 512, kHole = 1 << 20;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  REQUIRE(fd >= 0);
  off_t at = kHole;
  for (unsigned i = 0; i < parts; ++i, at += 2 * kBlock) {
    const std::string block(kBlock, static_cast<char>('a' + i % 26));
    REQUIRE(::pwrite(fd, block.data(), block.size(), at) == kBlock);
  }
  const off_t end = parts == 0 ? kHole : at - kBlock;
  REQUIRE(::ftruncate(fd, ends_in_hole ? end + kHole + 7 : end) == 0);
  REQUIRE(::close(fd) == 0);
}

std::string content_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void check_notation(const std::string& directory, const std::string& notation) {
  const std::string tar = "tar --sparse --hole-detection=raw --owner=0 --group=0 " + notation;
  const std::string script = "cd " + directory + " && rm -rf out && mkdir out && " + tar +
                             " -cf l.tar f after && tar --no-same-owner -xf l.tar -C out";
  REQUIRE(std::system(script.c_str()) == 0);
  const std::string layer = content_of(directory + "/l.tar");
  REQUIRE(layer.size() < content_of(directory + "/f").size());  // it is a sparse entry
  const Tree tree = lacks_root() ? flat_tree_of({layer}) : tree_of({layer});
  const std::string expected = content_of(directory + "/out/f");
  CHECK(tree.at("f").size == expected.size());
  CHECK((tree.at("f").content == expected));  // not to be printed
  CHECK((expected == content_of(directory + "/f")));
  CHECK(tree.at("after").content == "after\n");
}

// A header of GNU's own form holds 4 parts, each block after it 21; the part of no bytes at the end
// counts too.
TEST_CASE("Files with holes have GNU tar's size and content in all its notations" *
          skip(lacks_gnu_tar())) {
  for (const unsigned parts : {0u, 1u, 3u, 4u, 5u, 21u, 22u, 24u, 25u, 26u, 10'000u}) {
    for (const bool ends_in_hole : {false, true}) {
      CAPTURE(parts);
      CAPTURE(ends_in_hole);
      Scratch scratch;
      write_sparse(scratch.path() + "/f", parts, ends_in_hole);
      scratch.write("after", "after\n");
      for (const char* notation : kNotations) {
        CAPTURE(notation);
        check_notation(scratch.path(), notation);
      }
    }
  }
}

// A map without parts, and one that stops short of the size, as other programs than GNU tar write
// them: the size is what the header says.
TEST_CASE("The size of a file with holes is the real size, wherever its map ends") {
  const auto v01 = [](const std::string& map, const std::string& data) {
    return tar({with_pax(
        file("GNUSparseFile.0/f", data),
        {{"GNU.sparse.name", "f"}, {"GNU.sparse.size", "1048576"}, {"GNU.sparse.map", map}})});
  };
  std::string all_hole(1u << 20, '\0'), begun = all_hole;
  begun.replace(0, 3, "abc");
  for (const char* map : {"", "1048576,0", "0,0", "0,0,4096,0,1048576,0"}) {
    CAPTURE(map);
    CHECK((flat_tree_of({v01(map, "")}).at("f").content == all_hole));
  }
  for (const char* map : {"0,3", "0,3,1048576,0", "0,0,0,3,3,0", "0,3,4096,0"}) {
    CAPTURE(map);
    CHECK((flat_tree_of({v01(map, "abc")}).at("f").content == begun));
  }
}

}  // namespace
}  // namespace onggi::image::test
