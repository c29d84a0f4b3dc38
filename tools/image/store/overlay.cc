// SPDX-License-Identifier: Apache-2.0
// fsopen(2) and its siblings. Directories are named by their descriptors' numbers, the shortest
// names there are, because a value of fsconfig(2) may have 255 bytes.
#include "store/overlay.h"

#include "base/file.h"
#include "base/split.h"

#include <sched.h>
#include <unistd.h>

#include <string>
#include <thread>

namespace onggi::image {

namespace {

constexpr size_t kMostLayers = 500;    // OVL_MAX_STACK
constexpr size_t kLongestValue = 255;  // fsconfig(2)

// Features that would tie an upper directory to its lower ones, so that it could be no lower
// directory of another mount later. Kernels may be built with them as the default.
struct Option {
  const char *key, *value;
};
constexpr Option kOptions[] = {
    {"index", "off"}, {"metacopy", "off"}, {"redirect_dir", "nofollow"}, {"nfs_export", "off"}};

struct Notation {
  LowerNotation lower;
  bool is_volatile;  // Linux 5.10; else the end of the mount syncs the whole filesystem
};
constexpr Notation kNotations[] = {{LowerNotation::one_by_one, true},
                                   {LowerNotation::joined, true},
                                   {LowerNotation::joined, false}};

Result<> set(const UniqueFd& context, const char* key, const std::string& value) {
  const long done = sys::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value.c_str());
  if (done < 0) return system_error(done, "fsconfig", std::string(key) + "=" + value);
  return {};
}

Result<> set_lower(const UniqueFd& context, std::span<const UniqueFd> lower,
                   LowerNotation notation) {
  std::string joined;
  for (const UniqueFd& each : lower) {
    const std::string name = std::to_string(each.get());
    if (notation == LowerNotation::one_by_one) TRY(set(context, "lowerdir+", name));
    joined.append(joined.empty() ? "" : ":").append(name);
  }
  if (notation == LowerNotation::one_by_one) return {};
  if (joined.size() > kLongestValue) {
    return with_hint(
        make_error(ErrorKind::unsupported,
                   "more layers than this kernel supports in one mount: ", lower.size()),
        "use Linux 6.8, which supports 500");
  }
  return set(context, "lowerdir", joined);
}

// Kernels tell more in the context's log than by the error number: "e overlay: ...".
Error explained(const UniqueFd& context, Error error) {
  char line[256];
  const long size = sys::read(context.get(), line, sizeof line);
  if (size <= 2) return error;
  std::string_view text(line + 2, static_cast<size_t>(size) - 2);
  while (text.ends_with('\n')) text.remove_suffix(1);
  error.message.append(" (", text, ")");
  return error;
}

Result<> set_flag(const UniqueFd& context, const char* key) {
  const long done = sys::fsconfig(context.get(), FSCONFIG_SET_FLAG, key, nullptr);
  if (done < 0) return system_error(done, "fsconfig", key);
  return {};
}

Result<UniqueFd> create(const OverlayLayers& layers, const Notation& notation) {
  const long opened = sys::fsopen("overlay");
  if (opened < 0) return system_error(opened, "fsopen", "overlay");
  const UniqueFd context(opened);
  TRY(set_lower(context, layers.lower, notation.lower));
  if (layers.upper >= 0) {
    TRY(set(context, "upperdir", std::to_string(layers.upper)));
    TRY(set(context, "workdir", std::to_string(layers.work)));
  }
  for (const Option& option : kOptions) TRY(set(context, option.key, option.value));
  if (notation.is_volatile && layers.is_volatile && layers.upper >= 0)
    TRY(set_flag(context, "volatile"));
  // Attributes trusted.* are the host's root's alone.
  if (in_user_namespace()) TRY(set_flag(context, "userxattr"));
  const long created = sys::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr);
  if (created < 0) return explained(context, system_error(created, "mount", "overlay"));
  const long mounted = sys::fsmount(context.get(), 0);
  if (mounted < 0) return system_error(mounted, "fsmount", "overlay");
  return UniqueFd(mounted);
}

Result<UniqueFd> create_by_any(const OverlayLayers& layers, LowerNotation first) {
  const long moved = sys::chdir("/proc/self/fd");
  if (moved < 0) return system_error(moved, "chdir", "/proc/self/fd");
  Error last;
  for (const Notation& notation : kNotations) {
    if (notation.lower < first) continue;
    Result<UniqueFd> root = create(layers, notation);
    if (root || root.error().errnum != EINVAL) return root;
    last = root.error();
  }
  return last;
}

}  // namespace

bool in_user_namespace() {
  static const bool inside = [] {
    const Result<std::string> map = read_file(AT_FDCWD, "/proc/self/uid_map", 4096);
    if (!map) return false;
    const std::vector<std::string_view> words = split(lines_of(map.value()).all().at(0), ' ').all();
    return words.size() != 3 || words[0] != "0" || words[1] != "0" || words[2] != "4294967295";
  }();
  return inside;
}

Result<UniqueFd> mount_overlay(const OverlayLayers& layers, LowerNotation first) {
  if (layers.lower.size() > kMostLayers) {
    return with_hint(make_error(ErrorKind::unsupported, "an overlay of ", layers.lower.size(),
                                " layers, but Linux supports ", kMostLayers),
                     "use 'onggi-image unpack', which supports any number of layers");
  }
  UniqueFd mounted;
  Error error;
  // Short names need a working directory, which only a thread can have of its own.
  std::thread([&] {
    const long own = sys::unshare(CLONE_FS);
    if (own < 0) {
      error = system_error(own, "unshare");
      return;
    }
    Result<UniqueFd> created = create_by_any(layers, first);
    if (created) {
      mounted = std::move(*created);
    } else {
      error = created.error();
    }
  }).join();
  if (mounted) return mounted;
  return error;
}

}  // namespace onggi::image
