// SPDX-License-Identifier: Apache-2.0
// Layers that nobody would write by hand, over few names so that entries meet: a directory and the
// mount of an overlay must come to one tree, or to one error.
#include "layer_fixture.h"

#include <algorithm>
#include <cstdlib>
#include <random>

namespace onggi::image::test {
namespace {

using doctest::skip;

class RandomLayers {
 public:
  explicit RandomLayers(unsigned seed) : random_(seed) {}

  std::vector<std::vector<Item>> make() {
    std::vector<std::vector<Item>> layers(1 + below(3));
    for (std::vector<Item>& layer : layers) {
      const unsigned count = 1 + below(12);
      for (unsigned i = 0; i < count; ++i) layer.push_back(item());
    }
    return layers;
  }

 private:
  unsigned below(unsigned end) { return static_cast<unsigned>(random_() % end); }
  std::string name() { return std::string(1, static_cast<char>('a' + below(3))); }

  std::string path() {
    std::string path = name();
    for (unsigned depth = below(3); depth > 0; --depth) path += "/" + name();
    return path;
  }
  // The last component of a path is a whiteout.
  std::string whiteout() {
    const std::string parent = below(2) == 0 ? "" : path() + "/";
    return parent + (below(4) == 0 ? ".wh..wh..opq" : ".wh." + name());
  }

  Item item() {
    switch (below(16)) {
      case 0:
      case 1:
        return file(whiteout());
      case 2:
        return symlink(path(), below(2) == 0 ? path() : "../" + name());
      case 3:
      case 4:
        return hardlink(path(), path());
      case 5:
        return fifo(path());
      case 6:
        return device(path(), '3', 0, below(2));
      case 7:
        return directory(path(), 02755);
      case 8:
        return with_xattr(file(path(), "attributed"), "user.a", name());
      case 9:
      case 10:
      case 11:
        return with_mtime(with_owner(directory(path(), 0700 + below(0100)), below(3), 0),
                          below(99));
      default:
        return with_owner(file(path(), "content " + std::to_string(below(1000)), below(01000)),
                          below(3), below(3));
    }
  }

  std::minstd_rand random_;
};

std::string text_of(const std::vector<std::vector<Item>>& layers) {
  std::string text;
  for (const std::vector<Item>& layer : layers) {
    text += "layer\n";
    for (const Item& item : layer)
      text += std::string("  ") + item.type + " " + item.name + " " + item.link + "\n";
  }
  return text;
}

// ONGGI_RANDOM_LAYERS=COUNT tries more of them.
TEST_CASE("Random layers mean the same on a directory and on an overlay" * skip(lacks_root())) {
  const char* more = getenv("ONGGI_RANDOM_LAYERS");
  const unsigned count = more == nullptr ? 400 : static_cast<unsigned>(strtoul(more, nullptr, 10));
  for (unsigned seed = 1; seed <= count; ++seed) {
    const std::vector<std::vector<Item>> layers = RandomLayers(seed).make();
    std::vector<std::string> blobs;
    for (const std::vector<Item>& layer : layers) blobs.push_back(tar(layer));
    const std::string difference = difference_of_forms(blobs, {.compare_names = false});
    REQUIRE_MESSAGE(difference.empty(), "seed " << seed << "\n" << text_of(layers) << difference);
  }
}

bool is_whiteout(const Item& item) {
  const std::string name = item.name.substr(item.name.rfind('/') + 1);
  return name.starts_with(".wh.");
}

std::vector<std::string> blobs_of(const std::vector<std::vector<Item>>& layers) {
  std::vector<std::string> blobs;
  for (const std::vector<Item>& layer : layers) blobs.push_back(tar(layer));
  return blobs;
}

// The other entries of a layer keep their order, in which a path may come twice.
TEST_CASE("In random layers whiteouts may stand anywhere" * skip(lacks_root())) {
  const char* more = getenv("ONGGI_RANDOM_LAYERS");
  const unsigned count = more == nullptr ? 400 : static_cast<unsigned>(strtoul(more, nullptr, 10));
  unsigned compared = 0;
  for (unsigned seed = 1; seed <= count; ++seed) {
    const std::vector<std::vector<Item>> first = RandomLayers(seed).make();
    std::vector<std::vector<Item>> last = first;
    for (std::vector<Item>& layer : last) {
      std::stable_partition(layer.begin(), layer.end(),
                            [](const Item& item) { return !is_whiteout(item); });
    }
    std::vector<std::vector<Item>> sorted = last;
    for (std::vector<Item>& layer : sorted) {
      const auto begin = std::ranges::find_if(layer, is_whiteout);
      std::rotate(layer.begin(), begin, layer.end());
      std::reverse(layer.begin(), layer.begin() + (layer.end() - begin));
    }
    const std::string difference = difference_of_orders(blobs_of(sorted), blobs_of(last));
    REQUIRE_MESSAGE(difference.empty(), "seed " << seed << "\n" << text_of(sorted) << difference);
    const std::string other = difference_of_orders(blobs_of(first), blobs_of(last));
    REQUIRE_MESSAGE(other.empty(), "seed " << seed << "\n" << text_of(first) << other);
    ++compared;
  }
  CHECK(compared == count);
}

}  // namespace
}  // namespace onggi::image::test
