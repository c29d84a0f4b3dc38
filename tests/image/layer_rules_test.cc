// SPDX-License-Identifier: Apache-2.0
// What the entries of layers mean for names: over what is there, whiteouts, parents, links. Each
// case is applied in both forms.
#include "layer_fixture.h"

#include <sys/stat.h>

namespace onggi::image::test {
namespace {

using doctest::skip;

TEST_CASE("A directory over a directory keeps its children and takes over all attributes" *
          skip(lacks_root())) {
  const Tree tree = tree_of({
      tar({with_xattr(with_xattr(directory("d", 0755), "user.old", "1"), "user.both", "1"),
           file("d/old", "1")}),
      tar({with_xattr(with_mtime(with_owner(directory("d", 01770), 5, 6), 77), "user.both", "2"),
           file("d/new", "2")}),
  });
  CHECK(paths_of(tree) == "d d/new d/old");
  const Node& d = tree.at("d");
  CHECK(d.mode == (S_IFDIR | 01770));
  CHECK(d.uid == 5);
  CHECK(d.gid == 6);
  CHECK(d.mtime == 77);
  CHECK(d.xattrs == std::map<std::string, std::string>{{"user.both", "2"}});
}

TEST_CASE("Every other pair of types replaces what is there" * skip(lacks_root())) {
  const std::vector<Item> kinds = {file("x", "content"), directory("x"), symlink("x", "elsewhere"),
                                   fifo("x"), device("x", '3', 1, 3)};
  for (const Item& old : kinds) {
    for (const Item& entry : kinds) {
      if (old.type == '5' && entry.type == '5') continue;
      CAPTURE(old.type);
      CAPTURE(entry.type);
      std::vector<Item> below = {with_xattr(directory("elsewhere"), "user.kept", "1"), old};
      if (old.type == '5') below.push_back(file("x/child"));
      const Tree replaced = tree_of({tar(below), tar({entry})});
      const Tree alone = tree_of({tar({entry})});
      CHECK(paths_of(replaced) == "elsewhere x");
      CHECK(describe({{"x", replaced.at("x")}}) == describe({{"x", alone.at("x")}}));
    }
  }
}

TEST_CASE("A file of a lower layer is never written into, so its other names keep their content" *
          skip(lacks_root())) {
  const Tree tree =
      tree_of({tar({file("f", "old", 0), hardlink("g", "f")}), tar({file("f", "new")})},
              {.compare_names = false});
  CHECK(tree.at("f").content == "new");
  CHECK(tree.at("f").links == 1);
  CHECK(tree.at("g").content == "old");
  CHECK(tree.at("g").mode == S_IFREG);
}

TEST_CASE("A whiteout hides what lower layers have, wherever it stands" * skip(lacks_root())) {
  const std::string below = tar({file("x", "old"), file("y"), directory("d"), file("d/old")});
  const std::string trees[] = {
      describe(tree_of({below, tar({file("x", "new"), file(".wh.x"), file(".wh.y"), directory("d"),
                                    file("d/new"), file(".wh.d")})})),
      describe(tree_of({below, tar({file(".wh.x"), file(".wh.y"), file(".wh.d"), file("x", "new"),
                                    directory("d"), file("d/new")})}))};
  CHECK(trees[0] == trees[1]);
  const Tree tree = tree_of({below, tar({file("x", "new"), file(".wh.x"), file(".wh.y"),
                                         directory("d"), file("d/new"), file(".wh.d")})});
  CHECK(paths_of(tree) == "d d/new x");
  CHECK(tree.at("x").content == "new");
}

TEST_CASE("A directory that a whiteout hides loses its attributes even if the layer has a child" *
          skip(lacks_root())) {
  const std::string below = tar({with_xattr(with_owner(directory("d", 0700), 5, 5), "user.a", "1"),
                                 with_owner(directory("d/e", 0711), 5, 5), file("d/e/old")});
  const Tree before = tree_of({below, tar({file(".wh.d"), file("d/e/new")})});
  const Tree after = tree_of({below, tar({file("d/e/new"), file(".wh.d")})});
  CHECK(describe(before) == describe(after));
  CHECK(paths_of(before) == "d d/e d/e/new");
  CHECK(before.at("d").mode == (S_IFDIR | 0755));
  CHECK(before.at("d").uid == 0);
  CHECK(before.at("d").xattrs.empty());
  CHECK(before.at("d/e").mode == (S_IFDIR | 0755));
}

TEST_CASE("An opaque whiteout hides the children of lower layers, wherever it stands" *
          skip(lacks_root())) {
  const std::string below = tar({with_owner(directory("d", 0700), 5, 5), file("d/old"),
                                 directory("d/sub"), file("d/sub/old"), file("other")});
  const Tree first =
      tree_of({below, tar({file("d/.wh..wh..opq"), file("d/new"), file("d/sub/new")})});
  const Tree last =
      tree_of({below, tar({file("d/new"), file("d/sub/new"), file("d/.wh..wh..opq")})});
  CHECK(describe(first) == describe(last));
  CHECK(paths_of(first) == "d d/new d/sub d/sub/new other");
  CHECK(first.at("d").uid == 5);
  CHECK(first.at("d/sub").uid == 0);
  const Tree root = tree_of({below, tar({file(".wh..wh..opq"), file("new")})});
  CHECK(paths_of(root) == "new");
}

TEST_CASE("A whiteout of no name is an error and nothing is deleted" * skip(lacks_root())) {
  for (const std::string name : {"d/.wh.", "d/.wh..", "d/.wh...", ".wh.."}) {
    CAPTURE(name);
    const std::vector<std::string> layers = {tar({directory("d"), file("d/kept")}),
                                             tar({file(name)})};
    CHECK(contains(error_of(layers), "'" + name + "': a whiteout of '"));
    CHECK(paths_of(tree_left(layers)) == "d d/kept");
  }
}

TEST_CASE("A whiteout counts by its name, whatever its type and data" * skip(lacks_root())) {
  const Tree tree = tree_of({
      tar({file("a"), file("b"), file("c"), file("kept")}),
      tar({file(".wh.a", "data"), directory(".wh.b"), file(".wh.b/child"),
           symlink(".wh.c", "kept")}),
  });
  CHECK(paths_of(tree) == "kept");
}

TEST_CASE("Metadata of aufs is skipped" * skip(lacks_root())) {
  const Tree tree = tree_of({tar({directory(".wh..wh.plnk"), file(".wh..wh.plnk/1.2"),
                                  file(".wh..wh.aufs"), directory("d"), file("d/.wh..wh.orph")})});
  CHECK(paths_of(tree) == "d");
}

TEST_CASE("A directory made again after its whiteout does not show its old children" *
          skip(lacks_root())) {
  const Tree tree = tree_of({tar({directory("a", 0700), file("a/old")}),
                             tar({file(".wh.a"), directory("a", 0711)}), tar({file("a/new")})});
  CHECK(paths_of(tree) == "a a/new");
  CHECK(tree.at("a").mode == (S_IFDIR | 0711));
}

TEST_CASE("A whiteout below what the same layer hides is accepted" * skip(lacks_root())) {
  const Tree tree = tree_of({tar({directory("a"), file("a/old"), file("kept")}),
                             tar({file(".wh.a"), file("a/.wh.old"), file("b/.wh.none")})});
  CHECK(paths_of(tree) == "kept");
}

TEST_CASE("A plain whiteout within an opaque directory leaves no ghost" * skip(lacks_root())) {
  const Tree tree =
      tree_of({tar({directory("d"), file("d/a"), file("d/b")}),
               tar({directory("d"), file("d/.wh..wh..opq"), file("d/.wh.a"), file("d/new")})});
  CHECK(paths_of(tree) == "d d/new");
}

TEST_CASE("A missing parent is root's and 0755, and a later entry says more" * skip(lacks_root())) {
  const Tree tree =
      tree_of({tar({with_owner(file("usr/lib/x"), 5, 5), hardlink("new/dir/y", "usr/lib/x"),
                    with_owner(directory("usr", 0711), 7, 7)})});
  CHECK(tree.at("usr").mode == (S_IFDIR | 0711));
  CHECK(tree.at("usr").uid == 7);
  CHECK(tree.at("usr/lib").mode == (S_IFDIR | 0755));
  CHECK(tree.at("usr/lib").uid == 0);
  CHECK(tree.at("usr/lib").mtime == 0);
  CHECK(tree.at("new/dir/y").links == 2);
}

TEST_CASE("A file in the place of a parent gives way if a lower layer has it" *
          skip(lacks_root())) {
  const Tree tree = tree_of({tar({file("a", "file")}), tar({file("a/b/c", "x")})});
  CHECK(paths_of(tree) == "a a/b a/b/c");
  const std::string text = error_of({tar({}), tar({file("a", "file"), file("a/b", "x")})});
  CHECK(contains(text, "'a/b': 'a' is not a directory in the same layer"));
}

TEST_CASE("A link in the place of a parent is followed within the root, in every form alike" *
          skip(lacks_root())) {
  const Tree tree = tree_of({
      tar({directory("etc"), directory("var"), directory("a"), file("a/old"), file("etc/hosts")}),
      tar({symlink("a", "etc"), symlink("up", "../../../var"), symlink("slash", "/etc"),
           symlink("dangling", "not/yet")}),
      tar({file("a/x"), file("up/y"), file("slash/z"), file("dangling/w"), file("a/.wh.hosts")}),
  });
  CHECK(paths_of(tree) == "a dangling etc etc/x etc/z not not/yet not/yet/w slash up var var/y");
  CHECK(S_ISLNK(tree.at("a").mode));
}

TEST_CASE("A loop of links is an error that names the entry" * skip(lacks_root())) {
  CHECK(contains(error_of({tar({}), tar({symlink("a", "b"), symlink("b", "a"), file("a/x")})}),
                 "'a/x': open 'a'"));
}

TEST_CASE("The target of a hardlink is a path from the root, its last name not followed" *
          skip(lacks_root())) {
  const Tree tree =
      tree_of({tar({directory("d"), file("d/f", "content", 0600), symlink("l", "d/f"),
                    symlink("into", "/d"), hardlink("d/one", "/d/f"), hardlink("two", "../../d/f"),
                    hardlink("three", "into/f"), hardlink("m", "l")})});
  for (const char* name : {"d/one", "two", "three"}) {
    CHECK(tree.at(name).first_name == "d/f");
    CHECK(tree.at(name).mode == (S_IFREG | 0600));
  }
  CHECK(tree.at("d/f").links == 4);
  CHECK(S_ISLNK(tree.at("m").mode));
  CHECK(tree.at("m").first_name == "l");
}

TEST_CASE("A hardlink's own attributes are not applied" * skip(lacks_root())) {
  Item link = with_mtime(with_owner(hardlink("g", "f"), 9, 9), 5);
  link.mode = 0777;
  const Tree tree = tree_of({tar({with_owner(file("f", "x", 0640), 1, 2), link})});
  CHECK(tree.at("g").mode == (S_IFREG | 0640));
  CHECK(tree.at("g").uid == 1);
  CHECK(tree.at("g").mtime == 1'000'000'000);
}

TEST_CASE("A hardlink to a file of a lower layer gets its content and attributes" *
          skip(lacks_root())) {
  const Tree tree =
      tree_of({tar({directory("d"),
                    with_xattr(with_owner(file("d/f", "content", 04755), 3, 4), "user.a", "1")}),
               tar({hardlink("g", "d/f")})});
  CHECK(tree.at("g").content == "content");
  CHECK(tree.at("g").mode == (S_IFREG | 04755));
  CHECK(tree.at("g").xattrs.at("user.a") == "1");
  CHECK(tree.at("g").links == 2);
  CHECK(tree.at("d").mtime == 1'000'000'000);
}

TEST_CASE("Of several names in a lower layer, all keep the content" * skip(lacks_root())) {
  const Tree tree =
      tree_of({tar({file("f", "content"), hardlink("e", "f")}), tar({hardlink("g", "f")})},
              {.compare_names = false});
  for (const char* name : {"e", "f", "g"}) CHECK(tree.at(name).content == "content");
}

TEST_CASE("A hardlink to what the same layer hides is an error that names both" *
          skip(lacks_root())) {
  const std::string text = error_of({tar({file("f")}), tar({file(".wh.f"), hardlink("g", "f")})});
  CHECK(contains(text, "'g': a hardlink to 'f', which is not in this layer or in the layers"));
}

TEST_CASE("Hardlinks may stand before their targets, which may be links" * skip(lacks_root())) {
  const Tree tree = tree_of({tar({hardlink("a", "b"), hardlink("b", "c"), file("c", "content")})});
  CHECK(tree.at("a").content == "content");
  CHECK(tree.at("a").links == 3);
}

TEST_CASE("What comes after a hardlink that waits for its target replaces it" *
          skip(lacks_root())) {
  const Tree tree = tree_of({tar({hardlink("a", "target"), hardlink("d", "target"), file("e", "1"),
                                  hardlink("e", "target"), file("a", "later"), file("d/f", "x"),
                                  file("target", "content")})});
  CHECK(tree.at("a").content == "later");
  CHECK(tree.at("d/f").content == "x");
  CHECK(tree.at("e").content == "content");
}

TEST_CASE("A hardlink to a directory, to itself and to nothing" * skip(lacks_root())) {
  CHECK(contains(error_of({tar({}), tar({directory("d"), hardlink("l", "d")})}),
                 "'l': a hardlink to the directory 'd'"));
  CHECK(contains(error_of({tar({}), tar({hardlink("l", "l")})}), "'l': a hardlink to 'l'"));
  const Tree tree = tree_of({tar({file("f", "content")}), tar({hardlink("f", "./f")})});
  CHECK(tree.at("f").content == "content");
}

TEST_CASE("Of two entries of one name the last counts, with one warning" * skip(lacks_root())) {
  const std::string layer =
      tar({file("a", "1"), file("a", "2"), file("b", "1"), symlink("b", "a")});
  const Tree tree = tree_of({layer});
  CHECK(tree.at("a").content == "2");
  CHECK(S_ISLNK(tree.at("b").mode));
  const std::string said = warnings_of({layer});
  CHECK(contains(said, "'a' is in the layer twice, using the last one"));
  CHECK(said.find("'b'") == std::string::npos);
}

TEST_CASE("An entry for the root sets the root's attributes" * skip(lacks_root())) {
  for (const char* name : {".", "./", "/", "a/.."}) {
    CAPTURE(name);
    const Tree tree = tree_of(
        {tar({with_xattr(with_mtime(with_owner(directory(name, 0711), 5, 6), 99), "user.a", "1"),
              file("x")})});
    CHECK(tree.at("").mode == (S_IFDIR | 0711));
    CHECK(tree.at("").uid == 5);
    CHECK(tree.at("").gid == 6);
    CHECK(tree.at("").mtime == 99);
    CHECK(tree.at("").xattrs.at("user.a") == "1");
  }
}

TEST_CASE("Names are clamped to the root and cleaned" * skip(lacks_root())) {
  const Tree tree = tree_of({tar({file("/abs"), file("./dot"), file("../../x"), file("a/../b"),
                                  file("c//d/./e"), directory("f///")})});
  CHECK(paths_of(tree) == "abs b c c/d c/d/e dot f x");
}

TEST_CASE("Names are bytes of any length" * skip(lacks_root())) {
  std::string deep = "d";
  for (int i = 0; i < 40; ++i) deep += "/" + std::string(200, static_cast<char>('a' + i % 26));
  const std::string odd = "new\nline \xff\xfe \xc3\xa9 e\xcc\x81 .wh.";
  const std::string longest(255, 'n');
  const Tree tree = tree_of({tar({file(odd, "1"), file(longest, "2"), file(deep + "/f", "3"),
                                  symlink("l", std::string(4000, 't'))}),
                             tar({file(deep + "/g", "4")})});
  CHECK(tree.at(odd).content == "1");
  CHECK(tree.at(longest).content == "2");
  CHECK(tree.at(deep + "/f").content == "3");
  CHECK(tree.at(deep + "/g").content == "4");
  CHECK(tree.at("l").content.size() == 4000);
  CHECK(contains(error_of({tar({}), tar({file(std::string(256, 'n'))})}), "File name too long"));
}

TEST_CASE("A directory keeps its own times when its children change" * skip(lacks_root())) {
  const Tree tree = tree_of({
      tar({with_mtime(directory("d"), 11), file("d/a"), file("d/b"), with_mtime(directory("e"), 12),
           with_mtime(directory("e/f"), 13), file("e/f/g"), with_mtime(directory("."), 14)}),
      tar({file("d/new"), file("d/.wh.a"), file("e/f/.wh.g"), file("top"), hardlink("d/l", "d/b")}),
  });
  CHECK(tree.at("d").mtime == 11);
  CHECK(tree.at("e").mtime == 12);
  CHECK(tree.at("e/f").mtime == 13);
  CHECK(tree.at("").mtime == 14);
}

}  // namespace
}  // namespace onggi::image::test
