// SPDX-License-Identifier: Apache-2.0
// See the header. One file of a name is written at a time: it is locked under its hidden name.
#include "transfer/archive_target.h"

#include "base/file.h"
#include "base/json_writer.h"
#include "model/reference.h"
#include "store/index_text.h"
#include "store/layout_writer.h"
#include "store/lock.h"

#include <sys/stat.h>
#include <unistd.h>

#include <vector>

namespace onggi::image {

namespace {

constexpr size_t kPortion = 256u << 10;

// Never a device or a link: something else would be replaced than the user means.
Result<> check_replaceable(int parent, const std::string& name) {
  struct statx info = {};
  const long found = sys::statx(parent, name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info);
  if (found == -ENOENT) return {};
  if (found < 0) return system_error(found, "statx", name);
  if (S_ISREG(info.stx_mode)) return {};
  return make_error(ErrorKind::invalid_config, "'", name,
                    "' already exists and is not a regular file");
}

// What docker shows and understands: "alpine:latest". Empty: no tag.
std::string repo_tag(const std::string& name) {
  Result<Reference> reference = parse_reference(name);
  if (name.empty() || !reference) return name;
  reference->digest.clear();
  if (reference->tag.empty()) return {};
  std::string text = to_text(*reference);
  for (std::string_view prefix : {"docker.io/library/", "docker.io/"}) {
    if (text.starts_with(prefix)) return text.substr(prefix.size());
  }
  return text;
}

}  // namespace

ArchiveTarget::ArchiveTarget(ArchiveKind kind, UniqueFd parent, UniqueFd file, std::string name,
                             std::string reference)
    : kind_(kind),
      parent_(std::move(parent)),
      file_(std::move(file)),
      name_(std::move(name)),
      reference_(std::move(reference)),
      sink_(file_.get()),
      output_(sink_) {}

ArchiveTarget::~ArchiveTarget() {
  if (!is_published_) (void)sys::unlinkat(parent_.get(), hidden().c_str(), 0);
}

Result<std::unique_ptr<ArchiveTarget>> ArchiveTarget::open(ArchiveKind kind,
                                                           const std::string& path,
                                                           std::string reference) {
  if (path == "-") {
    return with_hint(unsupported("", "an archive cannot be written to standard output"),
                     "name a file: standard output is for messages");
  }
  const size_t slash = path.rfind('/');
  const std::string directory = slash == path.npos ? "." : path.substr(0, slash + 1);
  std::string name = slash == path.npos ? path : path.substr(slash + 1);
  UniqueFd parent = TRY(open_directory(AT_FDCWD, directory));
  TRY_AT(path, check_replaceable(parent.get(), name));
  UniqueFd file = TRY(open_locked_file(parent.get(), "." + name + ".new", LockKind::exclusive));
  // Of a process that was killed.
  if (ftruncate(file.get(), 0) != 0) return system_error(-errno, "ftruncate", path);
  return std::unique_ptr<ArchiveTarget>(new ArchiveTarget(kind, std::move(parent), std::move(file),
                                                          std::move(name), std::move(reference)));
}

Result<> ArchiveTarget::FileSink::write(std::string_view bytes) {
  return write_all(file_, "archive", bytes);
}

// No owner and no time: nothing of this machine is in the archive.
Result<> ArchiveTarget::begin(const std::string& name, uint64_t size) {
  TarEntry entry;
  entry.name = name;
  entry.mode = 0644;
  entry.size = size;
  return output_.entry(entry);
}

Result<> ArchiveTarget::add(const std::string& name, std::string_view bytes) {
  TRY(begin(name, bytes.size()));
  return output_.data(bytes);
}

Result<bool> ArchiveTarget::needs(const Descriptor&) {
  return true;  // the engine asks for each digest once
}

Result<> ArchiveTarget::put_blob(const Descriptor& blob, ImageSource& source,
                                 std::atomic<uint64_t>& done) {
  const UniqueFd file = TRY(source.open(blob));
  const std::scoped_lock lock(mutex_);
  return append(blob, file.get(), done);
}

Result<> ArchiveTarget::append(const Descriptor& blob, int file, std::atomic<uint64_t>& done) {
  TRY(begin(blob_path(blob.digest), blob.size));
  Verifier verifier(blob.digest, blob.size);
  std::vector<char> buffer(kPortion);
  for (;;) {
    const long count = sys::read(file, buffer.data(), buffer.size());
    if (count < 0) return system_error(count, "read", blob.digest.text());
    if (count == 0) return verifier.finish();
    const std::string_view bytes(buffer.data(), static_cast<size_t>(count));
    TRY(verifier.update(bytes));
    TRY(output_.data(bytes));
    done += bytes.size();
  }
}

Result<> ArchiveTarget::put_document(const Descriptor& descriptor, std::string_view bytes) {
  return add(blob_path(descriptor.digest), bytes);
}

Result<> ArchiveTarget::add_docker_manifest(std::string_view bytes, const Descriptor& descriptor) {
  const Document document = TRY(parse_document(std::string(bytes), descriptor.media_type));
  const auto* manifest = std::get_if<Manifest>(&document);
  if (manifest == nullptr) {
    return with_hint(unsupported("", "a docker-archive has images for one platform, not an index"),
                     "choose one with --platform, or write an oci-archive");
  }
  JsonWriter json;
  json.begin_array().begin_object();
  json.field("Config", blob_path(manifest->config.digest));
  json.key("RepoTags").begin_array();
  const std::string tag = repo_tag(reference_);
  if (!tag.empty()) json.value(tag);
  json.end_array();
  json.key("Layers").begin_array();
  for (const Descriptor& layer : manifest->layers) json.value(blob_path(layer.digest));
  json.end_array().end_object().end_array();
  return add("manifest.json", std::move(json).take());
}

Result<> ArchiveTarget::put_named(const Descriptor& descriptor, std::string_view bytes) {
  TRY(put_document(descriptor, bytes));
  if (kind_ == ArchiveKind::docker) TRY(add_docker_manifest(bytes, descriptor));
  IndexText index = TRY(IndexText::parse(IndexText::empty()));
  TRY(index.set_name(reference_, descriptor));
  TRY(add("index.json", index.text()));
  TRY(add("oci-layout", kLayoutVersionText));
  TRY(output_.finish());
  if (fsync(file_.get()) != 0) return system_error(-errno, "fsync", name_);
  if (fchmod(file_.get(), 0644) != 0) return system_error(-errno, "fchmod", name_);
  const long renamed = sys::renameat(parent_.get(), hidden().c_str(), parent_.get(), name_.c_str());
  if (renamed < 0) return system_error(renamed, "rename", name_);
  is_published_ = true;
  return {};
}

}  // namespace onggi::image
