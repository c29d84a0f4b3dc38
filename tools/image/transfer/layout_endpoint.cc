// SPDX-License-Identifier: Apache-2.0
// The bytes of a blob are read and hashed on their way also between two layouts: what is damaged in
// the one does not get into the other.
#include "transfer/layout_endpoint.h"

#include "base/file.h"
#include "model/media_type.h"

#include <vector>

namespace onggi::image {

namespace {

constexpr const char* kPartial = ".onggi-partial";

Result<> receive(const LayoutWriter& layout, const Descriptor& descriptor, ImageSource& source,
                 std::atomic<uint64_t>& done) {
  PartialBlob blob = TRY(layout.begin(descriptor));
  // Somebody else may have brought it while we waited for the lock.
  if (TRY(layout.has(descriptor))) return blob.remove();
  blob.count_in(done);
  TRY(source.fetch(blob));
  return layout.publish(blob);
}

}  // namespace

Result<ImageSource::Named> LayoutSource::named() {
  Document document = TRY(this->document(named_));
  return with_type(named_, std::move(document));
}

Result<Document> LayoutSource::document(const Descriptor& descriptor) {
  std::string bytes = TRY(layout_.read(descriptor, kManifestLimit));
  return parse_document(std::move(bytes), descriptor.media_type);
}

Result<> LayoutSource::fetch(PartialBlob& blob) {
  const std::string& name = blob.descriptor().digest.text();
  const UniqueFd file = TRY(open(blob.descriptor()));
  std::vector<char> buffer(256u << 10);
  while (!blob.is_complete()) {
    const long count =
        sys::pread(file.get(), buffer.data(), buffer.size(), static_cast<int64_t>(blob.size()));
    if (count < 0) return system_error(count, "read", name);
    if (count == 0) break;
    TRY(blob.append({buffer.data(), static_cast<size_t>(count)}));
  }
  return {};
}

Result<UniqueFd> LayoutSource::open(const Descriptor& descriptor) {
  UniqueFd file = TRY(layout_.open_blob(descriptor));
  struct statx info = {};
  const long found = sys::statx(file.get(), "", AT_EMPTY_PATH, STATX_SIZE, &info);
  if (found < 0) return system_error(found, "statx", descriptor.digest.text());
  if (info.stx_size == descriptor.size) return file;
  return make_error(ErrorKind::invalid_config, descriptor.digest.text(), " has ", info.stx_size,
                    " bytes in the layout, but its descriptor says ", descriptor.size);
}

Result<std::unique_ptr<LayoutTarget>> LayoutTarget::open(const std::string& path,
                                                         std::string name) {
  const long made = sys::mkdirat(AT_FDCWD, path.c_str(), 0777);
  if (made < 0 && made != -EEXIST) return system_error(made, "mkdir", path);
  UniqueFd directory = TRY(open_directory(AT_FDCWD, path));
  LayoutWriter layout = TRY(LayoutWriter::open(std::move(directory), kPartial));
  return std::make_unique<LayoutTarget>(std::move(layout), std::move(name));
}

Result<bool> LayoutTarget::needs(const Descriptor& blob) {
  return !TRY(layout_.has(blob));
}

Result<> LayoutTarget::put_blob(const Descriptor& blob, ImageSource& source,
                                std::atomic<uint64_t>& done) {
  return receive(layout_, blob, source, done);
}

Result<> LayoutTarget::put_document(const Descriptor& descriptor, std::string_view bytes) {
  return layout_.write(descriptor, bytes);
}

Result<> LayoutTarget::put_named(const Descriptor& descriptor, std::string_view bytes) {
  TRY(layout_.write(descriptor, bytes));
  LayoutWriter::Edit edit = TRY(layout_.edit());
  TRY(edit.index.set_name(name_, descriptor));
  TRY(edit.commit());
  layout_.remove_empty_partial();
  return {};
}

Result<bool> StoreTarget::needs(const Descriptor& blob) {
  return !TRY(store_.layout().has(blob));
}

Result<> StoreTarget::put_blob(const Descriptor& blob, ImageSource& source,
                               std::atomic<uint64_t>& done) {
  return receive(store_.layout(), blob, source, done);
}

Result<> StoreTarget::put_document(const Descriptor& descriptor, std::string_view bytes) {
  return store_.layout().write(descriptor, bytes);
}

Result<> StoreTarget::put_named(const Descriptor& descriptor, std::string_view bytes) {
  TRY(store_.layout().write(descriptor, bytes));
  return store_.set_name(name_, descriptor);
}

}  // namespace onggi::image
