// SPDX-License-Identifier: Apache-2.0
// Platforms as containerd and Docker write them: Go's names, and variants v1, v2, ... that include
// the lower ones.
#include "model/platform.h"

#include "base/split.h"

#include <sys/utsname.h>

#include <algorithm>

namespace onggi::image {
namespace {

struct Architecture {
  std::string_view machine, name;  // uname -m, and Go's
};
constexpr Architecture kArchitectures[] = {
    {"x86_64", "amd64"},    {"aarch64", "arm64"},   {"armv7l", "arm"},  {"i686", "386"},
    {"ppc64le", "ppc64le"}, {"riscv64", "riscv64"}, {"s390x", "s390x"},
};

// What an architecture without variant means.
std::string_view default_variant(std::string_view architecture) {
  if (architecture == "arm64") return "v8";
  if (architecture == "arm") return "v7";
  return "v1";
}

// 7 of "v7"; nothing for a variant of another form.
std::optional<unsigned> level(const Platform& platform) {
  std::string_view variant = platform.variant;
  if (variant.empty()) variant = default_variant(platform.architecture);
  if (!variant.starts_with('v')) return std::nullopt;
  return parse_decimal<unsigned>(variant.substr(1));
}

// 0: cannot be used; else the better the higher.
unsigned fitness(const Platform& offered, const Platform& wanted) {
  if (offered.os != wanted.os || offered.architecture != wanted.architecture) return 0;
  if (offered.variant == wanted.variant) return 1000;
  const std::optional<unsigned> has = level(offered), may = level(wanted);
  if (!has || !may || *has > *may || *has > 998) return 0;
  return *has + 1;
}

}  // namespace

bool is_attestation(const Descriptor& descriptor) {
  if (descriptor.annotations.find("vnd.docker.reference.type") != nullptr) return true;
  return descriptor.platform && descriptor.platform->os == "unknown";
}

Result<Platform> parse_platform(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '/').all();
  if (parts.size() < 2 || parts.size() > 3) {
    return make_error(ErrorKind::invalid_config, "platform '", text,
                      "' must have the form OS/ARCHITECTURE[/VARIANT]");
  }
  Platform platform;
  platform.os = parts[0];
  platform.architecture = parts[1];
  if (parts.size() == 3) platform.variant = parts[2];
  return platform;
}

std::string platform_text(const Platform& platform) {
  std::string text = platform.os + "/" + platform.architecture;
  if (!platform.variant.empty()) text += "/" + platform.variant;
  return text;
}

Platform host_platform() {
  utsname name = {};
  (void)uname(&name);  // fails only for a bad address
  const std::string_view machine = static_cast<const char*>(name.machine);
  const auto row = std::ranges::find(kArchitectures, machine, &Architecture::machine);
  Platform platform;
  platform.os = "linux";
  platform.architecture = row == std::end(kArchitectures) ? machine : row->name;
  return platform;
}

Result<const Descriptor*> choose_manifest(const Index& index, const Platform& wanted) {
  const Descriptor* best = nullptr;
  unsigned best_fitness = 0;
  size_t candidates = 0;
  std::string offered;
  for (const Descriptor& each : index.manifests) {
    if (is_attestation(each)) continue;
    ++candidates;
    if (!each.platform) continue;
    offered.append(offered.empty() ? "" : ", ").append(platform_text(*each.platform));
    const unsigned fits = fitness(*each.platform, wanted);
    if (fits <= best_fitness) continue;
    best = &each;
    best_fitness = fits;
  }
  if (best != nullptr) return best;
  // One image whose index does not say for what: its config will.
  if (candidates == 1 && offered.empty()) {
    return &*std::ranges::find_if_not(index.manifests, is_attestation);
  }
  return with_hint(make_error(ErrorKind::invalid_config, "no image for ", platform_text(wanted)),
                   "available: " + (offered.empty() ? "no platforms" : offered));
}

}  // namespace onggi::image
