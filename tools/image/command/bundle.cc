// SPDX-License-Identifier: Apache-2.0
// The bundle appears when it is complete; before it refers to layers, the store knows of it.
#include "command/bundle.h"

#include "base/file.h"
#include "base/json_writer.h"
#include "base/path.h"
#include "bundle/bundle_config.h"
#include "bundle/mounted_image.h"
#include "bundle/volumes.h"
#include "command/image_lookup.h"
#include "layer/remove_tree.h"
#include "model/json.h"
#include "process/user_namespace.h"
#include "store/new_directory.h"
#include "store/uses.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

namespace onggi::image {
namespace {

constexpr const char* kRecord = "onggi-image.json";
constexpr size_t kRecordLimit = 64u << 10;

// What a bundle says of itself, for the commands on it.
struct BundleRecord {
  std::string store;  // an absolute path
  Descriptor manifest;
};

Result<> write_record(int directory, const BundleRecord& record) {
  JsonWriter json(JsonWriter::Style::two_spaces);
  json.begin_object()
      .field("store", record.store)
      .field("manifest", record.manifest.digest.text())
      .field("mediaType", record.manifest.media_type)
      .field("size", record.manifest.size)
      .end_object();
  return replace_atomically(directory, kRecord, std::move(json).take() + "\n", 0600);
}

Result<> make_subdirectory(int parent, const char* name) {
  const long made = sys::mkdirat(parent, name, 0755);
  if (made < 0) return system_error(made, "mkdir", name);
  return {};
}

// Its rootfs is attached while this object lives, or for good.
class Attached {
 public:
  explicit Attached(int directory) : directory_(directory) {}
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;
  ~Attached() {
    if (directory_ < 0) return;
    const std::string path = "/proc/self/fd/" + std::to_string(directory_) + "/rootfs";
    (void)sys::umount2(path.c_str(), MNT_DETACH);
  }
  void keep() { directory_ = -1; }

 private:
  int directory_;
};

Result<> write_config(int directory, const std::string& path, const Image& image,
                      ContainerRequest& request) {
  const UniqueFd rootfs = TRY(open_directory(directory, "rootfs"));
  const VolumePlaces places{path + "/volumes", path + "/volumes", rootfs.get()};
  for (const Volume& volume : request.volumes) {
    request.bundle.mounts.push_back(TRY(prepare_volume(volume, places)));
  }
  const ContainerUser user = TRY(resolve_user(image.config.config.user, rootfs.get()));
  return replace_atomically(directory, "config.json",
                            bundle_config(image.config, user, request.bundle), 0600);
}

Result<> make_bundle(const Store& store, const Image& image, ContainerRequest& request,
                     NewDirectory& bundle) {
  TRY(write_record(bundle.fd(), {store.path(), image.descriptor}));
  TRY(make_subdirectory(bundle.fd(), "rootfs"));
  const Layout layout = TRY(store.read());
  if (request.bundle.mappings) {
    UniqueFd rootfs = TRY(open_directory(bundle.fd(), "rootfs"));
    TRY(unpack_layers(layout, image, std::move(rootfs), request.lookup.limits));
    TRY(write_config(bundle.fd(), bundle.path(), image, request));
    return bundle.publish();
  }
  TRY(make_subdirectory(bundle.fd(), "upper"));
  TRY(make_subdirectory(bundle.fd(), "work"));
  const Snapshots snapshots(store);
  TRY(snapshots.make(layout, image, request.lookup.limits));
  TRY(snapshots.sync(image));
  TRY(record_bundle(store, bundle.path(), image.descriptor.digest));
  const UniqueFd directory = TRY(open_directory(bundle.fd(), "."));
  TRY(attach_image(snapshots, image, {directory.get()}));
  Attached mounted(directory.get());
  TRY(write_config(bundle.fd(), bundle.path(), image, request));
  TRY(bundle.publish());
  mounted.keep();
  return {};
}

Result<BundleRecord> parse_record(const std::string& text) {
  rapidjson::Document json;
  TRY(parse_json_object(text, kRecord, kRecordLimit, json));
  BundleRecord record{std::string(text_member(json, "store")), {}};
  record.manifest.digest = TRY_AT(kRecord, Digest::parse(text_member(json, "manifest")));
  record.manifest.media_type = text_member(json, "mediaType");
  const rapidjson::Value* size = member_of(json, "size");
  if (size == nullptr || !size->IsUint64())
    return config_error(kRecord, "the manifest has no size");
  record.manifest.size = size->GetUint64();
  return record;
}

// Named and anonymous volumes belong to containers of the store.
Result<> check_volumes(const std::vector<Volume>& volumes) {
  for (const Volume& volume : volumes) {
    if (volume.kind == Volume::Kind::bind) continue;
    return with_hint(
        unsupported("", "--volume for ", volume.destination, ": bundles support only host paths"),
        "use SOURCE:DESTINATION with a slash in SOURCE, or use run");
  }
  return {};
}

struct OpenBundle {
  UniqueFd directory;
  std::string path;
  BundleRecord record;
};

Result<OpenBundle> open_bundle(std::string_view name) {
  char path[PATH_MAX];
  if (realpath(std::string(name).c_str(), path) == nullptr)
    return system_error(-errno, "open", name);
  UniqueFd directory = TRY(open_directory(AT_FDCWD, path));
  Result<std::string> text = read_file(directory.get(), kRecord, kRecordLimit);
  if (!text) {
    return with_hint(text.error(), "name a bundle that onggi-image created");
  }
  BundleRecord record = TRY(parse_record(*text));
  return OpenBundle{std::move(directory), path, std::move(record)};
}

bool is_attached(const OpenBundle& bundle) {
  struct statx info = {};
  const long found =
      sys::statx(bundle.directory.get(), "rootfs", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info);
  return found == 0 && (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

Result<> detach(const OpenBundle& bundle) {
  if (!is_attached(bundle)) return {};
  const std::string rootfs = bundle.path + "/rootfs";
  const long unmounted = sys::umount2(rootfs.c_str(), UMOUNT_NOFOLLOW);
  if (unmounted == 0) return {};
  return with_hint(
      system_error(unmounted, "umount", rootfs),
      unmounted == -EBUSY ? "stop the containers and leave the shells that use it" : "");
}

}  // namespace

Result<int> bundle_command(const Context& context, const ContainerFlags& flags) {
  ContainerRequest request = TRY(container_request(flags, context.operands.subspan(2)));
  TRY(check_volumes(request.volumes));
  request.lookup.limits = context.global.limits;
  request.lookup.stall_seconds = context.global.stall_seconds;
  request.bundle.mappings = TRY(enter_user_namespace());
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  Image image = TRY(image_in_store(store, std::string(context.operands[0]), request.lookup));
  TRY(apply_overrides(request.overrides, image.config.config));
  TRY(check_runnable(image.config));
  NewDirectory bundle = TRY(NewDirectory::make(std::string(context.operands[1])));
  const Result<> made = make_bundle(store, image, request, bundle);
  if (made) return 0;
  (void)forget_bundle(store, bundle.path());
  return made.error();
}

Result<int> mount_command(const Context& context, const NoOptions&) {
  const OpenBundle bundle = TRY(open_bundle(context.operands[0]));
  if (is_attached(bundle)) return 0;
  const Store store = TRY(Store::open(bundle.record.store, LockKind::shared));
  const Layout layout = TRY(store.read());
  const Image image = TRY(read_image(layout, bundle.record.manifest, host_platform()));
  const Snapshots snapshots(store);
  TRY(snapshots.make(layout, image, context.global.limits));
  TRY(snapshots.sync(image));
  TRY(attach_image(snapshots, image, {bundle.directory.get()}));
  return 0;
}

Result<int> unmount_command(const Context& context, const NoOptions&) {
  const OpenBundle bundle = TRY(open_bundle(context.operands[0]));
  TRY(detach(bundle));
  return 0;
}

Result<int> unbundle_command(const Context& context, const NoOptions&) {
  TRY(enter_user_namespace());
  const OpenBundle bundle = TRY(open_bundle(context.operands[0]));
  TRY(detach(bundle));
  const size_t slash = bundle.path.rfind('/');
  const UniqueFd parent =
      TRY(open_directory(AT_FDCWD, slash == 0 ? "/" : bundle.path.substr(0, slash)));
  TRY(remove_tree(parent.get(), bundle.path.substr(slash + 1)));
  const Store store = TRY(Store::open(bundle.record.store, LockKind::shared));
  TRY(forget_bundle(store, bundle.path));
  return 0;
}

}  // namespace onggi::image
