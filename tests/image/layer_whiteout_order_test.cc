// SPDX-License-Identifier: Apache-2.0
// Whiteouts name paths of the lower layers: what stands at these paths in their own layer, and
// where, makes no difference. Each case is applied in both forms.
#include "layer_fixture.h"

#include <sys/stat.h>

#include <algorithm>

namespace onggi::image::test {
namespace {

using doctest::skip;

// In every order of the layer's entries, which must be few.
std::string paths_in_all_orders(const std::string& below, std::vector<Item> layer) {
  const auto by_name = [](const Item& a, const Item& b) { return a.name < b.name; };
  std::ranges::sort(layer, by_name);
  std::string first, first_tree;
  do {
    const Tree tree = tree_of({below, tar(layer)}, {.compare_names = false});
    if (first_tree.empty()) {
      first_tree = describe(tree);
      first = paths_of(tree);
    }
    CHECK(describe(tree) == first_tree);
  } while (std::ranges::next_permutation(layer, by_name).found);
  return first;
}

std::string lower_tree() {
  return tar({directory("app"), directory("app/conf"), file("app/conf/db.yml"), directory("srv"),
              directory("srv/conf"), file("srv/conf/db.yml"), symlink("link", "srv/conf")});
}
constexpr const char* kServed = " srv srv/conf srv/conf/db.yml";

TEST_CASE("A whiteout behind a directory that became a link hides nothing behind the link" *
          skip(lacks_root())) {
  for (const char* mark : {"app/conf/.wh.db.yml", "app/conf/.wh..wh..opq"}) {
    for (const char* target : {"/srv/conf", "../srv/conf", "../link"}) {
      CAPTURE(mark);
      CAPTURE(target);
      CHECK(paths_in_all_orders(lower_tree(), {symlink("app/conf", target), file(mark)}) ==
            std::string("app app/conf link") + kServed);
    }
  }
  for (const char* mark : {"app/conf/.wh.db.yml", "app/.wh..wh..opq"}) {
    CAPTURE(mark);
    CHECK(paths_in_all_orders(lower_tree(), {symlink("app", "/srv"), file(mark)}) ==
          std::string("app link") + kServed);
  }
}

TEST_CASE("A whiteout behind a link that became something else hides nothing" *
          skip(lacks_root())) {
  const Item kinds[] = {directory("link"),
                        file("link"),
                        fifo("link"),
                        device("link", '3', 1, 3),
                        symlink("link", "app/conf"),
                        hardlink("link", "srv/conf/db.yml")};
  for (const Item& kind : kinds) {
    for (const char* mark : {"link/.wh.db.yml", "link/.wh..wh..opq"}) {
      CAPTURE(kind.type);
      CAPTURE(mark);
      CHECK(paths_in_all_orders(lower_tree(), {kind, file(mark)}) ==
            std::string("app app/conf app/conf/db.yml link") + kServed);
    }
  }
  const std::vector<Item> twice = {symlink("link", "app/conf"), symlink("link", "srv"),
                                   file("link/.wh.db.yml"), file("link/.wh.conf")};
  CHECK(paths_of(tree_of({lower_tree(), tar(twice)})) ==
        std::string("app app/conf app/conf/db.yml link") + kServed);
}

TEST_CASE("A whiteout behind a link of a lower layer hides what the link leads to" *
          skip(lacks_root())) {
  CHECK(paths_in_all_orders(lower_tree(), {file("link/.wh.db.yml"), file("link/new")}) ==
        "app app/conf app/conf/db.yml link srv srv/conf srv/conf/new");
  CHECK(paths_in_all_orders(lower_tree(), {file("link/.wh..wh..opq"), file("srv/conf/new")}) ==
        "app app/conf app/conf/db.yml link srv srv/conf srv/conf/new");
  // Another whiteout may hide the link itself.
  CHECK(paths_in_all_orders(lower_tree(), {file("link/.wh.db.yml"), file(".wh.link")}) ==
        std::string("app app/conf app/conf/db.yml") + kServed);
}

TEST_CASE("A whiteout below a directory that became a file, or a file that became a directory" *
          skip(lacks_root())) {
  CHECK(paths_in_all_orders(lower_tree(), {file("app"), file("app/conf/.wh.db.yml")}) ==
        std::string("app link") + kServed);
  const std::string below = tar({file("f")});
  CHECK(paths_in_all_orders(below, {directory("f"), file("f/.wh.x"), file("f/x")}) == "f f/x");
}

TEST_CASE("A hardlink's target is what the layer leaves of the lower layers" * skip(lacks_root())) {
  const std::string below = tar({file("f", "old"), file("kept", "kept")});
  std::vector<Item> layer = {hardlink("g", "f"), file("f", "new"), hardlink("h", "kept")};
  for (int order = 0; order < 3;
       ++order, std::rotate(layer.begin(), layer.begin() + 1, layer.end())) {
    const Tree tree = tree_of({below, tar(layer)});
    CHECK(tree.at("g").content == "new");
    CHECK(tree.at("h").content == "kept");
  }
  for (const bool first : {false, true}) {
    layer = {hardlink("g", "f"), file(".wh.f")};
    if (first) std::ranges::reverse(layer);
    CHECK(contains(error_of({below, tar(layer)}),
                   "'g': a hardlink to 'f', which is not in this layer or in the layers below"));
  }
  // A link to a name that becomes a link itself, in any order, and two that wait for each other.
  for (const bool first : {false, true}) {
    layer = {hardlink("g", "f"), hardlink("f", "kept")};
    if (first) std::ranges::reverse(layer);
    CHECK(tree_of({below, tar(layer)}).at("g").content == "kept");
  }
  CHECK(tree_of({below, tar({hardlink("f", "kept"), hardlink("kept", "f")})}).at("f").links == 2);
}

TEST_CASE("A link that the layer removes must not have led its entries away" * skip(lacks_root())) {
  for (const Item& change : {file(".wh.link"), directory("link"), symlink("link", "app")}) {
    CAPTURE(change.name);
    CHECK(contains(error_of({lower_tree(), tar({file("link/new"), change})}),
                   "'link': the layer replaces or hides this link to 'srv/conf' after an entry "
                   "whose path goes through it"));
    const Tree tree = tree_of({lower_tree(), tar({change, file("link/new")})});
    CHECK(tree.contains(change.type == '2' ? "app/new" : "link/new"));
  }
  CHECK(tree_of({lower_tree(), tar({file("link/new"), symlink("link", "srv/conf")})})
            .contains("srv/conf/new"));
}

}  // namespace
}  // namespace onggi::image::test
