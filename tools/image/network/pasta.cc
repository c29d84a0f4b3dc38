// SPDX-License-Identifier: Apache-2.0
// A network without any rights on the host by pasta(1), of the package passt: a process of the user
// that speaks for the container by sockets of the host, for IPv4 and IPv6. The container has the
// addresses and routes of the host's interface with the default route, so what it says looks as if
// the host had said it; it does not reach the host's loopback.
#include "base/file.h"
#include "base/split.h"
#include "network/installed.h"
#include "network/network.h"

#include <sys/mount.h>

namespace onggi::image {
namespace {

constexpr const char *kProgram = "pasta", *kNamespace = "netns";
// Link-local, and so nobody's on the way out: pasta sends what comes for it to the host's own name
// server, which may be on its loopback.
constexpr const char* kNameServer = "169.254.1.1";
constexpr size_t kRoutesLimit = 4u << 20;

// A line of /proc/net/route begins with "eth0 00000000" for it, one of ipv6_route with 32 zeros and
// " 00"; the loopback has one that rejects.
bool has_default_route() {
  const Result<std::string> routes = read_file(AT_FDCWD, "/proc/net/route", kRoutesLimit);
  if (routes) {
    for (std::string_view line : lines_of(routes.value())) {
      const std::vector<std::string_view> words = split(line, '\t').all();
      if (words.size() > 7 && words[1] == "00000000" && words[7] == "00000000") return true;
    }
  }
  const Result<std::string> routes6 = read_file(AT_FDCWD, "/proc/net/ipv6_route", kRoutesLimit);
  if (!routes6) return false;
  for (std::string_view line : lines_of(routes6.value())) {
    if (line.starts_with(std::string(32, '0') + " 00 ") && !line.ends_with(" lo")) return true;
  }
  return false;
}

Families families() {
  return {true, true};
}

Result<> check(const std::vector<PortRequest>& ports) {
  if (!is_installed(kProgram))
    return with_hint(unsupported("", "pasta is not installed"),
                     "install passt, or use --network host or none");
  if (!has_default_route()) {
    return with_hint(
        unsupported("", "pasta requires a default route, which this host does not have"),
        "use --network slirp4netns, host or none");
  }
  for (const PortRequest& port : ports) {
    if (port.protocol == Protocol::sctp)
      return with_hint(unsupported("", "pasta cannot publish a port of SCTP"),
                       "use --network host, or run as root");
  }
  return {};
}

// "127.0.0.1/8080:80"
std::string specification(const PortMapping& port) {
  const std::string address = port.address ? port.address->text() + "/" : std::string();
  return address + std::to_string(port.host) + ":" + std::to_string(port.container);
}

void add_ports(const std::vector<PortMapping>& ports, Protocol protocol, const char* option,
               std::vector<std::string>& arguments) {
  bool has_one = false;
  for (const PortMapping& port : ports) {
    if (port.protocol != protocol) continue;
    arguments.insert(arguments.end(), {option, specification(port)});
    has_one = true;
  }
  if (!has_one) arguments.insert(arguments.end(), {option, "none"});
}

// pasta gives up the right to look into other processes before it opens the namespace, so not by a
// path below /proc/PID.
Result<std::string> name_namespace(const NetworkRequest& request) {
  TRY(replace_atomically(request.directory, kNamespace, "", 0600));
  const std::string path = "/proc/self/fd/" + std::to_string(request.directory) + "/" + kNamespace;
  const long done = sys::mount(request.path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr);
  if (done < 0) return system_error(done, "mount", kNamespace);
  return path;
}

void forget_namespace(const std::string& path, int directory) {
  (void)sys::umount2(path.c_str(), MNT_DETACH);
  (void)sys::unlinkat(directory, kNamespace, 0);
}

Result<AttachedNetwork> attach(const NetworkRequest& request) {
  const std::string path = TRY(name_namespace(request));
  CompanionCall call;
  call.arguments = {kProgram, "--foreground", "--quiet", "--config-net", "--ns-ifname", "eth0",
                    // Services of the host's loopback are not the container's.
                    "--no-map-gw", "--tcp-ns", "none", "--udp-ns", "none", "--no-netns-quit",
                    "--dns-forward", kNameServer, "--netns", path};
  add_ports(request.ports, Protocol::tcp, "--tcp-ports", call.arguments);
  add_ports(request.ports, Protocol::udp, "--udp-ports", call.arguments);
  // It writes the file when it is ready.
  call.ready_option = "--pid=/proc/self/fd/";
  call.inherited = {request.directory};
  Result<Companion> started = Companion::start(call);
  forget_namespace(path, request.directory);
  AttachedNetwork attached;
  attached.companion.emplace(TRY(std::move(started)));
  attached.name_server = kNameServer;
  return attached;
}

}  // namespace

const NetworkBackend kPasta = {"pasta", false, true, families, check, attach, nullptr};

}  // namespace onggi::image
