// SPDX-License-Identifier: Apache-2.0
// Commands that are killed at each of their system calls that change something, one after the
// other: whatever is left, the next command finds a store that is whole.
#include "killed_command.h"

#include <doctest/doctest.h>

using namespace onggi::image;
using namespace onggi::image::test;

namespace {

std::vector<std::string> layers() {
  Tar base, top;
  base.directory("bin").file("bin/sh", std::string(2000, 's'), 0755).symlink("sh", "bin/sh");
  base.file("gone", "x");
  top.file(".wh.gone", "").file("etc/os-release", "ID=test\n");
  return {base.bytes(), top.bytes()};
}

}  // namespace

TEST_SUITE("store: killed") {
  TEST_CASE("a copy into the store, at each of its changes") {
    const MemoryPlace place;
    TestLayout from(place.path + "/from");
    const Descriptor image = from.image(layers());
    from.name(image, "web");
    const std::vector<std::string> copy = {"copy", "--quiet", "oci:" + from.path() + ":web", "web"};
    place.must(copy);
    place.must({"gc"});
    const std::string whole = place.names();
    const Kills kills = kill_everywhere(place, {.words = copy}, [&] {
      const std::string listed = place.must({"list", "--quiet"});
      CHECK((listed.empty() || listed == "docker.io/library/web:latest\n"));
      place.must({"verify"});
      CHECK(place.must(copy) == image.digest.text() + "\n");
      place.must({"verify"});
      place.must({"gc"});
      REQUIRE(place.names() == whole);
    });
    MESSAGE(kills.at_changes << " kills");
    CHECK(kills.at_changes > 50);
  }

  TEST_CASE("gc, at each of its changes") {
    const MemoryPlace place;
    TestLayout from(place.path + "/from");
    from.name(from.image(layers()), "old");
    from.name(from.image({layers()[0], Tar().file("new", "n").bytes()}), "new");
    for (const std::string name : {"old", "new"})
      place.must({"copy", "--quiet", "oci:" + from.path() + ":" + name, "web"});
    REQUIRE(rename((place.path + "/store").c_str(), (place.path + "/saved").c_str()) == 0);
    place.reset_to("saved");
    place.must({"gc"});
    const std::string whole = place.names();
    const Kills kills = kill_everywhere(place, {"saved", {"gc"}}, [&] {
      CHECK(place.must({"list", "--quiet"}) == "docker.io/library/web:latest\n");
      place.must({"verify"});
      place.must({"gc"});
      REQUIRE(place.names() == whole);
    });
    MESSAGE(kills.at_changes << " kills");
    CHECK(kills.at_changes > 10);
  }

  TEST_CASE("names that change, at each of their changes") {
    const MemoryPlace place;
    TestLayout from(place.path + "/from");
    from.name(from.image(layers()), "web");
    place.must({"copy", "--quiet", "oci:" + from.path() + ":web", "web"});
    REQUIRE(rename((place.path + "/store").c_str(), (place.path + "/saved").c_str()) == 0);
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"tag", "web", "other"}, {"untag", "web"}, {"remove", "web"}}) {
      CAPTURE(words[0]);
      const Kills kills = kill_everywhere(place, {"saved", words}, [&] {
        (void)place.must({"list", "--quiet"});
        place.must({"gc"});
        place.must({"copy", "--quiet", "oci:" + from.path() + ":web", "web"});
        place.must({"verify"});
      });
      MESSAGE(kills.at_changes << " kills");
      CHECK(kills.at_changes > 5);
    }
  }
}
