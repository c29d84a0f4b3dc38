// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "command/image_lookup.h"

namespace onggi::image {
namespace {

// An image that is there, but not for this platform, is fetched as well.
Result<Image> find_image(const Store& store, const std::string& name, const Platform& platform) {
  const StoredImage stored = TRY(store.find(name));
  const Layout layout = TRY(store.read());
  return read_image(layout, stored.descriptor, platform);
}

}  // namespace

Result<Platform> platform_or_host(const std::string& text) {
  if (text.empty()) return host_platform();
  return parse_platform(text);
}

Result<Image> image_in_store(const Store& store, const std::string& name,
                             const LookupFlags& flags) {
  const Endpoint endpoint = TRY(parse_endpoint(name));
  if (endpoint.transport != Transport::store && endpoint.transport != Transport::registry) {
    return with_hint(unsupported("", "'", name, "' is not in the store"),
                     "use 'onggi-image copy' to copy it there");
  }
  const bool is_remote = endpoint.transport == Transport::registry;
  const std::string place = is_remote ? TRY(full_name(endpoint.place)) : endpoint.place;
  const Platform platform = TRY(platform_or_host(flags.platform));
  if (flags.pull != Pull::always) {
    Result<Image> found = find_image(store, place, platform);
    if (found || flags.pull == Pull::never) return found;
  }
  CopyFlags copy;
  copy.platform = flags.platform;
  copy.authfile = flags.authfile;
  copy.plain_http = flags.plain_http;
  copy.limits = flags.limits;
  copy.stall_seconds = flags.stall_seconds;
  const std::string pulled = TRY(pull_image(store, place, copy));
  return find_image(store, pulled, platform);
}

}  // namespace onggi::image
