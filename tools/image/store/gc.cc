// SPDX-License-Identifier: Apache-2.0
// First all that is needed, then a look at every file: an error on the way leaves the store as it
// was.
#include "store/gc.h"

#include "base/directory.h"
#include "base/file.h"
#include "store/contents.h"
#include "store/snapshots.h"
#include "store/uses.h"

#include <sys/stat.h>

namespace onggi::image {

namespace {

struct Needed {
  std::set<std::string> paths;  // "blobs/sha256/HEX", "layers/sha256-HEX"
};

void add(const Contents& contents, Needed& needed) {
  for (const auto& [digest, blob] : contents.blobs) needed.paths.insert(blob_path(digest));
  for (const Digest& chain : chains_of(contents)) {
    const std::string path = Snapshots::path(chain);
    needed.paths.insert(path.substr(0, path.rfind('/')));
  }
}

Result<Needed> find_needed(const Store& store) {
  Needed needed;
  const Layout layout = TRY(store.read());
  for (const Descriptor& each : layout.index().manifests) {
    const Result<Contents> contents = contents_of(layout, each);
    if (!contents) {
      return with_hint(contents.error(), "nothing was removed; run 'onggi-image verify'");
    }
    add(contents.value(), needed);
  }
  for (const Use& use : TRY(uses(store))) {
    const std::optional<Contents> contents = TRY_AT(use.record, contents_of(layout, use.manifest));
    if (contents) add(*contents, needed);
  }
  return needed;
}

Result<std::vector<std::string>> entries_of(const Store& store, const std::string& directory) {
  const UniqueFd fd = TRY(open_directory(store.directory(), directory));
  DirectoryReader reader(fd.get());
  std::vector<std::string> paths;
  for (;;) {
    const DirectoryReader::Entry* entry = TRY(reader.next());
    if (entry == nullptr) return paths;
    paths.push_back((directory + "/").append(entry->name()));
  }
}

uint64_t size_of(const Store& store, const std::string& path) {
  struct statx info = {};
  const long found =
      sys::statx(store.directory(), path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_SIZE, &info);
  return found == 0 ? info.stx_size : 0;
}

Result<> sweep_files(const Store& store, const std::string& directory, const Needed& needed,
                     Collected& to, bool are_blobs) {
  for (const std::string& path : TRY(entries_of(store, directory))) {
    if (needed.paths.contains(path)) continue;
    to.bytes += size_of(store, path);
    if (are_blobs) ++to.blobs;
    TRY(store.discard(path));
  }
  return {};
}

}  // namespace

Result<Collected> collect_garbage(const Store& store) {
  Collected collected;
  const Needed needed = TRY(find_needed(store));
  for (const std::string& algorithm : TRY(entries_of(store, "blobs")))
    TRY(sweep_files(store, algorithm, needed, collected, true));
  TRY(sweep_files(store, "partial", {}, collected, false));
  for (const std::string& layer : TRY(entries_of(store, "layers"))) {
    if (needed.paths.contains(layer)) continue;
    ++collected.layers;
    TRY(store.discard(layer));
  }
  TRY(Snapshots(store).discard_leftovers());
  TRY(store.discard(".index.json.new"));
  TRY(forget_gone_bundles(store));
  TRY(store.empty_trash());
  return collected;
}

}  // namespace onggi::image
