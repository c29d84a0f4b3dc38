// SPDX-License-Identifier: Apache-2.0
#include "network/network.h"

#include <algorithm>

namespace onggi::image {
namespace {

// The first of a kind is taken where several are installed. CNI and slirp4netns are for hosts that
// have nothing else: those who wrote for them have moved on.
constexpr const NetworkBackend* kBackends[] = {&kNetavark, &kCni, &kPasta, &kSlirp4netns};

Error nothing_installed(bool is_root) {
  if (is_root) {
    return with_hint(unsupported("", "no program that makes a bridge network is installed"),
                     "install netavark and aardvark-dns, or containernetworking-plugins, or use "
                     "--network none or host");
  }
  return with_hint(
      unsupported("", "no program that makes a network for rootless users can be used"),
      "install passt, which requires a default route, or slirp4netns; or use "
      "--network host or none");
}

}  // namespace

Connection connection_named(std::string_view name) {
  const auto* found =
      std::ranges::find_if(kBackends, [&](Connection each) { return each->name == name; });
  return found == std::end(kBackends) ? nullptr : *found;
}

Result<Connection> choose_connection(std::string_view name, bool is_root,
                                     const std::vector<PortRequest>& ports) {
  if (const Connection asked = connection_named(name); asked != nullptr) {
    TRY(asked->check(ports));
    return asked;
  }
  std::optional<Error> first_failure;
  for (Connection each : kBackends) {
    if (each->is_roots != is_root) continue;
    // Installed, but not for such ports: that is what the user wants to know.
    const Result<> without_ports = each->check({});
    if (!without_ports) continue;
    const Result<> checked = each->check(ports);
    if (checked) return each;
    if (!first_failure) first_failure = checked.error();
  }
  return first_failure ? *first_failure : nothing_installed(is_root);
}

}  // namespace onggi::image
