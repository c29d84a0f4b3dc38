// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/layout_writer.h"

#include "base/file.h"
#include "store/layout.h"
#include "store/lock.h"

#include <sys/stat.h>

namespace onggi::image {

namespace {

Result<> make_directory(int parent, const std::string& name, unsigned mode) {
  const long made = sys::mkdirat(parent, name.c_str(), mode);
  if (made < 0 && made != -EEXIST) return system_error(made, "mkdir", name);
  return {};
}

bool exists(int directory, const std::string& name) {
  struct statx info = {};
  return sys::statx(directory, name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info) == 0;
}

Result<> make_files(int directory) {
  UniqueFd locked = TRY(open_directory(directory, "."));
  TRY(lock(locked.get(), LockKind::exclusive, "the layout"));
  if (!exists(directory, "index.json"))
    TRY(replace_durably(directory, "index.json", IndexText::empty(), 0644));
  if (!exists(directory, "oci-layout"))
    TRY(replace_durably(directory, "oci-layout", kLayoutVersionText, 0644));
  return {};
}

// With a lock that keeps others from removing it as empty.
Result<UniqueFd> open_partial(int directory, const std::string& name) {
  for (;;) {
    TRY(make_directory(directory, name, 0700));
    Result<UniqueFd> opened = open_directory(directory, name);
    if (!opened && opened.error().errnum == ENOENT) continue;
    UniqueFd partial = TRY(std::move(opened));
    TRY(lock(partial.get(), LockKind::shared, name));
    if (is_named(directory, name, partial.get())) return partial;
  }
}

}  // namespace

std::string blob_path(const Digest& digest) {
  std::string path = "blobs/" + digest.text();
  path[path.find(':')] = '/';
  return path;
}

Result<> sync_directory(int directory, const std::string& name) {
  const UniqueFd fd = TRY(open_directory(directory, name));
  const long synced = sys::call(SYS_fsync, fd.get());
  if (synced < 0) return system_error(synced, "fsync", name);
  return {};
}

Result<> replace_durably(int directory, const std::string& name, std::string_view text,
                         unsigned mode) {
  const std::string temporary = "." + name + ".new";
  // What a killed process left under this name is not shared with anybody: it is written over.
  const long opened =
      sys::openat(directory, temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
  if (opened < 0) return system_error(opened, "open", temporary);
  const UniqueFd file(opened);
  TRY(write_all(file.get(), temporary, text));
  const long synced = sys::call(SYS_fsync, file.get());
  if (synced < 0) return system_error(synced, "fsync", temporary);
  const long renamed = sys::renameat(directory, temporary.c_str(), directory, name.c_str());
  if (renamed < 0) return system_error(renamed, "rename", name);
  return sync_directory(directory, ".");
}

Result<LayoutWriter> LayoutWriter::open(UniqueFd directory, std::string partial) {
  TRY(make_directory(directory.get(), "blobs", 0755));
  TRY(make_directory(directory.get(), "blobs/sha256", 0755));
  TRY(make_files(directory.get()));
  // Whatever is there must be a layout, and of the version we write.
  UniqueFd again = TRY(open_directory(directory.get(), "."));
  TRY(Layout::open(std::move(again)));
  UniqueFd partial_fd = TRY(open_partial(directory.get(), partial));
  return LayoutWriter(std::move(directory), std::move(partial_fd), std::move(partial));
}

Result<bool> LayoutWriter::has(const Descriptor& blob) const {
  struct statx info = {};
  const std::string path = blob_path(blob.digest);
  const long found = sys::statx(directory_.get(), path.c_str(), 0, STATX_TYPE | STATX_SIZE, &info);
  if (found == -ENOENT) return false;
  if (found < 0) return system_error(found, "statx", path);
  return S_ISREG(info.stx_mode) && info.stx_size == blob.size;
}

Result<PartialBlob> LayoutWriter::begin(const Descriptor& blob) const {
  return PartialBlob::open(partial_.get(), blob);
}

Result<> LayoutWriter::publish(PartialBlob& blob) const {
  const std::string path = blob_path(blob.descriptor().digest);
  TRY(make_directory(directory_.get(), path.substr(0, path.rfind('/')), 0755));
  return blob.publish(directory_.get(), path);
}

Result<> LayoutWriter::write(const Descriptor& descriptor, std::string_view bytes) const {
  if (TRY(has(descriptor))) return {};
  PartialBlob blob = TRY(begin(descriptor));
  TRY(blob.restart());
  TRY(blob.append(bytes));
  return publish(blob);
}

Result<> LayoutWriter::adopt(int file, const Descriptor& descriptor) const {
  if (TRY(has(descriptor))) return {};
  const std::string path = blob_path(descriptor.digest);
  const long changed = sys::fchmod(file, 0644);
  if (changed < 0) return system_error(changed, "chmod", path);
  const long synced = sys::call(SYS_fsync, file);
  if (synced < 0) return system_error(synced, "fsync", path);
  const std::string source = "/proc/self/fd/" + std::to_string(file);
  for (;;) {
    const long linked = sys::call(SYS_linkat, AT_FDCWD, source.c_str(), directory_.get(),
                                  path.c_str(), AT_SYMLINK_FOLLOW);
    if (linked >= 0) return {};
    if (linked != -EEXIST) return system_error(linked, "linkat", path);
    // By somebody who was faster, or else a damaged one, which is replaced.
    if (TRY(has(descriptor))) return {};
    (void)sys::unlinkat(directory_.get(), path.c_str(), 0);
  }
}

Result<LayoutWriter::Edit> LayoutWriter::edit() const {
  UniqueFd locked = TRY(open_directory(directory_.get(), "."));
  TRY(lock(locked.get(), LockKind::exclusive, "the layout"));
  std::string text = TRY(read_file(locked.get(), "index.json", kManifestLimit));
  IndexText index = TRY(IndexText::parse(std::move(text)));
  return Edit(std::move(locked), std::move(index));
}

Result<> LayoutWriter::Edit::commit() {
  for (const char* blobs : {"blobs/sha256", "blobs/sha512"}) {
    if (exists(directory_.get(), blobs)) TRY(sync_directory(directory_.get(), blobs));
  }
  return replace_durably(directory_.get(), "index.json", index.text(), 0644);
}

void LayoutWriter::remove_empty_partial() const {
  const Result<bool> unused = try_lock(partial_.get(), LockKind::exclusive, partial_name_);
  if (unused && unused.value())
    (void)sys::unlinkat(directory_.get(), partial_name_.c_str(), AT_REMOVEDIR);
}

}  // namespace onggi::image
