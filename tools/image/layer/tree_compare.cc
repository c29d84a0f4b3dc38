// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "layer/tree_compare.h"

#include "base/directory.h"
#include "layer/disk_entry.h"
#include "layer/rootfs.h"

#include <algorithm>
#include <map>
#include <set>

namespace onggi::image {
namespace {

constexpr size_t kMostLines = 10;

Result<std::set<std::string>> names_in(int directory) {
  std::set<std::string> names;
  DirectoryReader reader(directory);
  for (;;) {
    const DirectoryReader::Entry* entry = TRY(reader.next());
    if (entry == nullptr) return names;
    names.emplace(entry->name());
  }
}

class TreeComparer {
 public:
  TreeComparer(UniqueFd expected, UniqueFd found, std::string_view marks, CompareContent content)
      : expected_{Rootfs(std::move(expected)), {}},
        found_{Rootfs(std::move(found)), {}},
        marks_(marks),
        content_(content) {}

  Result<std::vector<std::string>> run() {
    TRY(compare_entry("", expected_.rootfs.root()->fd.get(), found_.rootfs.root()->fd.get(), "."));
    while (!todo_.empty() && lines_.size() < kMostLines) {
      const std::string path = std::move(todo_.back());
      todo_.pop_back();
      TRY_AT("'" + path + "'", compare_children(path));
    }
    return std::move(lines_);
  }

 private:
  struct Side {
    Rootfs rootfs;
    std::map<Inode, std::string> first_names;
  };

  void say(const std::string& path, const std::string& what) {
    if (lines_.size() < kMostLines) lines_.push_back("'" + path + "' " + what);
  }

  Result<> compare_children(const std::string& path) {
    const DirectoryRef expected = TRY(expected_.rootfs.directory(path, nullptr));
    const DirectoryRef found = TRY(found_.rootfs.directory(path, nullptr));
    if (expected == nullptr || found == nullptr)
      return state_error("the layer changed while it was read");
    const std::set<std::string> names = TRY(names_in(expected->fd.get()));
    std::set<std::string> others = TRY(names_in(found->fd.get()));
    for (const std::string& name : names) {
      const std::string child = child_path(path, name);
      if (others.erase(name) == 0) {
        say(child, "is missing");
      } else {
        TRY_AT(child, compare_entry(child, expected->fd.get(), found->fd.get(), name));
      }
    }
    for (const std::string& name : others) say(child_path(path, name), "is not from the image");
    return {};
  }

  Result<> compare_entry(const std::string& path, int expected, int found,
                         const std::string& name) {
    const DiskEntry one = TRY(DiskEntry::open(expected, name, marks_));
    const DiskEntry other = TRY(DiskEntry::open(found, name, marks_));
    if (one.type() != other.type() || one.is_socket() != other.is_socket()) {
      say(path, "has another type");
      return {};
    }
    // Overlayfs makes them as second names of one device, at whatever time.
    if (one.is_whiteout(true) && other.is_whiteout(true)) return {};
    std::string parts = attributes_that_differ(one, other, path.empty());
    const bool is_directory = one.type() == EntryType::directory;
    if (!is_directory && !same_names(path, one, other)) parts += ", names";
    const bool reads = content_ == CompareContent::yes && one.type() == EntryType::file &&
                       one.tar_entry().size == other.tar_entry().size;
    if (reads && !TRY(one.same_content(other))) parts += ", content";
    if (!parts.empty()) say(path, "differs in " + parts.substr(2));
    if (is_directory) todo_.push_back(path);
    return {};
  }

  static std::string attributes_that_differ(const DiskEntry& one, const DiskEntry& other,
                                            bool is_root) {
    const TarEntry &a = one.tar_entry(), &b = other.tar_entry();
    const auto is_marked = [](const DiskEntry& entry) {
      return std::tuple(entry.is_opaque(), entry.has_xattr_whiteouts(), entry.is_whiteout(true));
    };
    const std::pair<const char*, bool> parts[] = {
        {"mode", a.mode == b.mode},
        {"owner", a.uid == b.uid && a.gid == b.gid},
        {"size", a.size == b.size},
        {"target", a.link == b.link},
        {"device", a.device_major == b.device_major && a.device_minor == b.device_minor},
        {"time", is_root || (a.mtime.seconds == b.mtime.seconds &&
                             a.mtime.nanoseconds == b.mtime.nanoseconds)},
        {"extended attributes", a.xattrs == b.xattrs && is_marked(one) == is_marked(other)},
    };
    std::string text;
    for (const auto& [name, same] : parts) {
      if (!same) text.append(", ").append(name);
    }
    return text;
  }

  bool same_names(const std::string& path, const DiskEntry& one, const DiskEntry& other) {
    if (one.links() != other.links()) return false;
    if (one.links() == 1) return true;
    return expected_.first_names.try_emplace(one.inode(), path).first->second ==
           found_.first_names.try_emplace(other.inode(), path).first->second;
  }

  Side expected_, found_;
  std::string_view marks_;
  CompareContent content_;
  std::vector<std::string> todo_, lines_;
};

}  // namespace

Result<std::vector<std::string>> tree_differences(UniqueFd expected, UniqueFd found,
                                                  std::string_view marks, CompareContent content) {
  return TreeComparer(std::move(expected), std::move(found), marks, content).run();
}

}  // namespace onggi::image
