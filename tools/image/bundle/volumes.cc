// SPDX-License-Identifier: Apache-2.0
// The first content of a volume is found within the image's root, whatever links it has
// (CVE-2022-23648), and the volume appears when it is complete.
#include "bundle/volumes.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/split.h"
#include "process/program.h"
#include "store/new_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

namespace onggi::image {
namespace {

// Those of mount(8) that docker and podman take for a volume.
constexpr std::string_view kOptions[] = {
    "ro",      "rw",       "nosuid", "suid",    "nodev", "dev",    "noexec", "exec",
    "private", "rprivate", "shared", "rshared", "slave", "rslave", "bind",   "rbind"};

bool is_volume_name(std::string_view name) {
  constexpr std::string_view kFirst =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  return !name.empty() && name.size() <= 128 && kFirst.find(name[0]) != name.npos &&
         name.find_first_not_of(std::string(kFirst) + "_.-") == name.npos;
}

Result<Strings> parse_mount_options(std::string_view text) {
  Strings options;
  for (std::string_view each : split(text, ',')) {
    if (each == "z" || each == "Z") {
      return with_hint(unsupported("", "--volume option ", each, ": relabelling is not supported"),
                       "use chcon(1) to change the labels");
    }
    if (std::ranges::find(kOptions, each) == std::end(kOptions))
      return make_error(ErrorKind::invalid_config, "--volume option '", each, "' is unknown");
    options.emplace_back(each);
  }
  return options;
}

Result<std::string> existing_path(const std::string& path) {
  char resolved[PATH_MAX];
  if (realpath(path.c_str(), resolved) == nullptr) {
    return with_hint(system_error(-errno, "open", path),
                     "create the source directory, or use a volume name without a slash");
  }
  return std::string(resolved);
}

// Nothing: the image has no directory there.
Result<UniqueFd> image_directory(int rootfs, const std::string& destination) {
  const long opened = sys::openat2(rootfs, destination.c_str() + 1, O_RDONLY | O_DIRECTORY,
                                   RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  if (opened == -ENOENT || opened == -ENOTDIR) return UniqueFd();
  if (opened < 0) return system_error(opened, "open", destination);
  return UniqueFd(opened);
}

Result<> copy_content(int from, int to) {
  const auto path = [](int fd) {
    return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd) + "/.";
  };
  ProgramCall call;
  call.arguments = {"cp", "--archive", "--reflink=auto", "--", path(from), path(to)};
  call.seconds = 86'400;  // a day: some volumes are large
  const ProgramAnswer answer = TRY(call_program(call));
  if (answer.status == 0) return {};
  return state_error("cp(1) could not copy the files of the image: exit status ", answer.status);
}

Result<> make_volume(const std::string& path, const std::string& destination, int rootfs) {
  NewDirectory made = TRY(NewDirectory::make(path));
  const UniqueFd content = TRY(image_directory(rootfs, destination));
  if (content) {
    TRY(copy_content(content.get(), made.fd()));
  } else if (fchmod(made.fd(), 0755) != 0) {
    return system_error(-errno, "chmod", path);
  }
  const Result<> published = made.publish();
  // Another process was faster: its volume is as good.
  if (!published && (published.error().errnum == ENOTEMPTY || published.error().errnum == EEXIST))
    return {};
  return published;
}

}  // namespace

Result<Volume> parse_volume(std::string_view text) {
  Strings parts;
  for (std::string_view each : split(text, ':')) parts.emplace_back(each);
  const bool has_gap = text.starts_with(':') || text.ends_with(':') || text.find("::") != text.npos;
  if (parts.empty() || parts.size() > 3 || has_gap) {
    return with_hint(
        make_error(ErrorKind::invalid_config, "--volume '", text, "' is not a valid volume"),
        "[SOURCE:]DESTINATION[:OPTION,...]");
  }
  Volume volume;
  if (parts.size() == 3) volume.options = TRY(parse_mount_options(parts[2]));
  volume.destination = parts.size() == 1 ? parts[0] : parts[1];
  if (parts.size() == 1) {
    volume.kind = Volume::Kind::anonymous;
  } else {
    volume.source = parts[0];
    const bool is_path = volume.source.find('/') != volume.source.npos || volume.source == ".";
    volume.kind = is_path ? Volume::Kind::bind : Volume::Kind::named;
    if (!is_path && !is_volume_name(volume.source)) {
      return with_hint(make_error(ErrorKind::invalid_config, "--volume: '", volume.source,
                                  "' is not a valid volume name"),
                       "for a path, include a slash: ./DIRECTORY");
    }
  }
  if (!volume.destination.starts_with('/') || clean_path(volume.destination) == "/") {
    return make_error(ErrorKind::invalid_config, "--volume: '", volume.destination,
                      "' must be an absolute path below /");
  }
  volume.destination = clean_path(volume.destination);
  return volume;
}

void add_image_volumes(const ImageConfig& image, std::vector<Volume>& volumes) {
  for (const std::string& key : image.config.volumes.keys) {
    Volume volume;
    volume.kind = Volume::Kind::anonymous;
    volume.destination = clean_path(key);
    if (std::ranges::find(volumes, volume.destination, &Volume::destination) == volumes.end())
      volumes.push_back(std::move(volume));
  }
}

Result<BundleMount> prepare_volume(const Volume& volume, const VolumePlaces& places) {
  BundleMount mount{{}, volume.destination, volume.options};
  mount.options.emplace_back("rbind");
  if (volume.kind == Volume::Kind::bind) {
    mount.source = TRY(existing_path(volume.source));
    return mount;
  }
  std::string name = volume.source;
  if (volume.kind == Volume::Kind::anonymous) {
    name = volume.destination.substr(1);
    std::ranges::replace(name, '/', '_');
  }
  mount.source =
      (volume.kind == Volume::Kind::named ? places.named : places.anonymous) + "/" + name;
  if (access(mount.source.c_str(), F_OK) != 0)
    TRY_AT(volume.destination, make_volume(mount.source, volume.destination, places.rootfs));
  return mount;
}

}  // namespace onggi::image
