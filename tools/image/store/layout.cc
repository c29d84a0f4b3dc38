// SPDX-License-Identifier: Apache-2.0
// A layout may come from anybody: every file in it is limited, checked, and must be a regular one.
#include "store/layout.h"

#include "base/file.h"
#include "base/log.h"
#include "spec/reader.h"

#include <sys/stat.h>

#include <algorithm>

namespace onggi::image {
namespace {

struct LayoutVersion {
  std::string version;
};
constexpr spec::Field<LayoutVersion> kVersionFields[] = {
    {"imageLayoutVersion", spec::into<&LayoutVersion::version>, spec::kRequired},
};

// Links may lead to a shared blob directory, but not to a FIFO or a device that never ends.
Result<UniqueFd> open_regular(int directory, const std::string& path) {
  const long opened = sys::openat(directory, path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (opened < 0) return system_error(opened, "open", path);
  UniqueFd fd(opened);
  struct statx info = {};
  const long found = sys::statx(fd.get(), "", AT_EMPTY_PATH, STATX_TYPE, &info);
  if (found < 0) return system_error(found, "statx", path);
  if (!S_ISREG(info.stx_mode))
    return make_error(ErrorKind::invalid_config, "'", path, "' is not a regular file");
  return fd;
}

Result<std::string> read_regular(int directory, const std::string& path, size_t limit) {
  const UniqueFd fd = TRY(open_regular(directory, path));
  return read_all(fd.get(), path, limit);
}

std::string names_of(const Index& index) {
  std::string names;
  for (const Descriptor& each : index.manifests) {
    const std::string name = reference_name(each);
    if (!name.empty()) names.append(names.empty() ? "" : ", ").append(name);
  }
  return names;
}

}  // namespace

Result<> check_layout_version(const std::string& text) {
  rapidjson::Document json;
  json.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (json.HasParseError() || !json.IsObject())
    return make_error(ErrorKind::invalid_config, "oci-layout is not a JSON object");
  std::vector<std::string> warnings;
  std::string unknown_key;
  LayoutVersion layout;
  const spec::Source source{"config.json", "", warnings, unknown_key};
  TRY(spec::read_object(spec::Cursor(json, source), kVersionFields, layout));
  if (layout.version == "1.0.0") return {};
  return unsupported("oci-layout", "layout version ", layout.version, ", not 1.0.0");
}

void warn_of_missing_version(std::string_view place) {
  log::warn(std::string(place) + " has no oci-layout, assuming version 1.0.0");
}

std::string reference_name(const Descriptor& descriptor) {
  const std::string* name = descriptor.annotations.find(kReferenceName);
  if (name == nullptr) name = descriptor.annotations.find(kContainerdName);
  return name == nullptr ? "" : *name;
}

bool has_name(const Descriptor& descriptor, std::string_view name) {
  for (std::string_view key : {kReferenceName, kContainerdName}) {
    const std::string* value = descriptor.annotations.find(key);
    if (value != nullptr && *value == name) return true;
  }
  return false;
}

Result<Layout> Layout::open(const std::string& path) {
  return open(TRY(open_directory(AT_FDCWD, path)));
}

Result<Layout> Layout::open(UniqueFd directory) {
  constexpr std::string_view kHint = "check that this directory is an OCI image layout";
  Result<std::string> text = read_regular(directory.get(), "index.json", kManifestLimit);
  const Result<std::string> version = read_regular(directory.get(), "oci-layout", 4096);
  if (version) {
    TRY(check_layout_version(version.value()));
  } else if (version.error().errnum != ENOENT || !text) {
    return with_hint(version.error(), kHint);
  }
  if (!text) return with_hint(text.error(), kHint);
  Index index = TRY(parse_index(std::move(text).value(), {}));
  if (!version) warn_of_missing_version("the layout");
  return Layout(std::move(directory), std::move(index));
}

Result<const Descriptor*> Layout::find(std::string_view reference, const Platform& platform) const {
  return find_image(index_, reference, platform);
}

Result<const Descriptor*> find_image(const Index& index, std::string_view reference,
                                     const Platform& platform) {
  const std::vector<Descriptor>& all = index.manifests;
  const std::string names = names_of(index);
  if (reference.empty()) {
    if (all.size() == 1) return &all.front();
    if (all.empty()) return make_error(ErrorKind::invalid_config, "the layout contains no image");
    if (names.empty()) return choose_manifest(index, platform);
    return with_hint(make_error(ErrorKind::invalid_config, "the layout contains several images"),
                     text<160>("name one of: ", names).view());
  }
  const auto found =
      std::ranges::find_if(all, [&](const Descriptor& each) { return has_name(each, reference); });
  if (found != all.end()) return &*found;
  return with_hint(
      make_error(ErrorKind::invalid_config, "no image is named '", reference, "' in the layout"),
      text<160>("available: ", names.empty() ? "no named images" : names).view());
}

Result<UniqueFd> Layout::open_blob(const Descriptor& descriptor) const {
  const Digest& digest = descriptor.digest;
  const std::string algorithm = digest.text().substr(0, digest.text().find(':'));
  return open_regular(directory_.get(), (("blobs/" + algorithm) + "/").append(digest.hex()));
}

Result<std::string> Layout::read(const Descriptor& descriptor, uint64_t limit) const {
  if (descriptor.size > limit) {
    return make_error(ErrorKind::invalid_config, descriptor.digest.text(), " has ", descriptor.size,
                      " bytes, more than the limit of ", limit);
  }
  std::optional<std::string> embedded = TRY(decoded_data(descriptor));
  if (embedded) return std::move(*embedded);
  const UniqueFd fd = TRY(open_blob(descriptor));
  std::string bytes = TRY(read_all(fd.get(), descriptor.digest.text(), descriptor.size));
  TRY(verify(bytes, descriptor.digest, descriptor.size));
  return bytes;
}

}  // namespace onggi::image
