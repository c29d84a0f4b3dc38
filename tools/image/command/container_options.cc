// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "command/container_options.h"

#include "base/file.h"
#include "base/log.h"
#include "bundle/seccomp_profile.h"
#include "commandline/size.h"

#include <unistd.h>

#include <algorithm>

namespace onggi::image {
namespace {

constexpr int64_t kCpuPeriod = 100'000;  // microseconds
constexpr size_t kProfileLimit = 4u << 20;
constexpr int64_t kMostCpus = 1'000'000;
constexpr size_t kDigits = 5;  // of a fraction: one microsecond

Error wrong(std::string_view option, std::string_view text, std::string_view hint) {
  return with_hint(
      make_error(ErrorKind::invalid_config, "--", option, " '", text, "' is not valid"), hint);
}

// "1.5" -> 150000 microseconds in a period, without floating point and its locale.
Result<int64_t> parse_cpus(const std::string& text) {
  const size_t point = std::min(text.find('.'), text.size());
  std::string fraction = text.substr(std::min(point + 1, text.size()));
  const auto whole = point == 0 ? std::optional<int64_t>(0)
                                : parse_decimal<int64_t>(std::string_view(text).substr(0, point));
  const Error error = wrong("cpus", text, "a number such as 0.5 or 2");
  if (!whole || *whole < 0 || *whole > kMostCpus || fraction.size() > kDigits ||
      (point < text.size() && fraction.empty()))
    return error;
  fraction.resize(kDigits, '0');
  const auto part = parse_decimal<int64_t>(fraction);
  if (!part || *part < 0) return error;
  const int64_t quota = *whole * kCpuPeriod + *part;
  // The kernel's least quota is a millisecond.
  return quota < 1000 ? Result<int64_t>(error) : quota;
}

Result<> read_limits(const ContainerFlags& flags, BundleOptions& bundle) {
  if (!flags.memory.empty()) {
    const std::optional<int64_t> size = cli::parse_size(flags.memory);
    if (!size || *size <= 0) return wrong("memory", flags.memory, "a size such as 512m or 2g");
    bundle.memory = *size;
  }
  if (!flags.pids_limit.empty()) {
    const auto count = parse_decimal<int64_t>(flags.pids_limit);
    if (!count || *count < -1 || *count == 0)
      return wrong("pids-limit", flags.pids_limit, "a number, or -1 for no limit");
    bundle.pids = std::max<int64_t>(*count, 0);
  }
  if (!flags.cpus.empty()) bundle.cpu_quota = TRY(parse_cpus(flags.cpus));
  return {};
}

Result<std::string> read_seccomp(const std::string& asked) {
  if (asked == "none") return std::string();
  const std::string file = asked.empty() ? default_seccomp_file() : asked;
  if (file.empty()) {
    log::warn(
        "no seccomp profile is installed: the container can make every system call; install "
        "golang-github-containers-common");
    return std::string();
  }
  const std::string text = TRY(read_file(AT_FDCWD, file, kProfileLimit));
  Result<std::string> profile = seccomp_for(text, default_capabilities(), seccomp_host());
  if (!profile) return at_place(profile.error(), file);
  return profile;
}

}  // namespace

Result<ContainerRequest> container_request(const ContainerFlags& flags, cli::Arguments arguments) {
  ContainerRequest request;
  for (std::string_view argument : arguments) request.overrides.arguments.emplace_back(argument);
  if (!flags.entrypoint.empty()) request.overrides.entrypoint = flags.entrypoint.back();
  request.overrides.environment = flags.env;
  request.overrides.user = flags.user;
  request.overrides.working_dir = flags.workdir;
  request.bundle.terminal = flags.tty;
  request.bundle.read_only = flags.read_only;
  request.bundle.no_new_privileges = flags.no_new_privileges;
  request.bundle.hostname = flags.hostname;
  for (const std::string& text : flags.volume) request.volumes.push_back(TRY(parse_volume(text)));
  request.bundle.seccomp = TRY(read_seccomp(flags.seccomp));
  TRY(read_limits(flags, request.bundle));
  request.lookup = {flags.platform, flags.authfile, flags.pull, flags.plain_http};
  TRY(platform_or_host(flags.platform));
  return request;
}

Result<> read_network(const ContainerFlags& flags, ContainerRequest& request) {
  const bool is_root = geteuid() == 0;
  const std::string& name = flags.network;
  if (name == "none" || name == "host") {
    request.bundle.network = name == "host" ? NetworkKind::host : NetworkKind::none;
    if (flags.publish.empty()) return {};
    return with_hint(
        make_error(ErrorKind::invalid_config, "--publish cannot be used with --network ", name),
        name == "host" ? "remove --publish: the program uses the ports of the host directly" : "");
  }
  request.bundle.network = NetworkKind::joined;
  const Connection asked = connection_named(name);
  if (!name.empty() && name != "bridge" && asked == nullptr)
    return wrong("network", name, "bridge, pasta, slirp4netns, none or host");
  const bool requires_root = name == "bridge" || (asked != nullptr && asked->is_roots);
  if (requires_root && !is_root) {
    return with_hint(unsupported("", "--network ", name, " requires root"),
                     "use --network pasta or slirp4netns");
  }
  // It runs as nobody then, who may not enter the namespace.
  if (asked == &kPasta && is_root)
    return with_hint(unsupported("", "--network pasta is for rootless users"),
                     "use --network bridge");
  for (const std::string& text : flags.publish) {
    const std::vector<PortRequest> ports = TRY(parse_ports(text));
    request.ports.insert(request.ports.end(), ports.begin(), ports.end());
  }
  request.connection = TRY(choose_connection(name, is_root, request.ports));
  return {};
}

}  // namespace onggi::image
