// SPDX-License-Identifier: Apache-2.0
// `flatten` and attributes of an image that are named like overlayfs's own.
#include "image_fixture.h"
#include "tar_builder.h"

#include <doctest/doctest.h>
#include <sys/xattr.h>
#include <unistd.h>

using namespace onggi;
using namespace onggi::image;
using namespace onggi::image::test;

namespace {

bool lacks_root() {
  if (geteuid() == 0) return false;
  MESSAGE("SKIP: layers are made by root");
  return true;
}

std::string value_of(const std::string& path, const std::string& name) {
  char value[64];
  const ssize_t size = lgetxattr(path.c_str(), name.c_str(), value, sizeof value);
  return size < 0 ? "missing" : std::string(value, static_cast<size_t>(size));
}

}  // namespace

TEST_CASE("flatten keeps attributes that are named like overlayfs's marks" *
          doctest::skip(lacks_root())) {
  const std::pair<const char*, const char*> attributes[] = {
      {"trusted.overlay.redirect", "/else"}, {"trusted.overlay.opaque", "y"},
      {"trusted.overlay.metacopy", "x"},     {"user.overlay.redirect", "/else"},
      {"user.overlay.opaque", "y"},
  };
  Item d = directory("d");
  for (const auto& [name, value] : attributes) d = with_xattr(d, name, value);
  const std::string marked = tar({d, file("d/below", "x")});
  const std::vector<std::string> images[] = {
      {marked}, {marked, tar({file("d/above", "y")})}, {tar({file("f")}), marked}};
  for (const std::vector<std::string>& layers : images) {
    CAPTURE(layers.size());
    const Scratch scratch;
    TestLayout from(scratch.path("from"));
    from.name(from.image(layers), "a");
    const std::vector<std::string> commands[] = {{"copy", "-q", "oci:" + from.path() + ":a", "a"},
                                                 {"flatten", "a", "flat"},
                                                 {"unpack", "flat", scratch.path("out")}};
    for (std::vector<std::string> words : commands) {
      words.insert(words.begin(), {ONGGI_IMAGE, "--root", scratch.path("store")});
      const Run done = run(words);
      CAPTURE(done.err);
      REQUIRE(done.status == 0);
    }
    CHECK(scratch.read("out/d/below") == "x");
    for (const auto& [name, value] : attributes) {
      CAPTURE(name);
      CHECK(value_of(scratch.path("out/d"), name) == value);
    }
  }
}
