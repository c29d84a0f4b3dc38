// SPDX-License-Identifier: Apache-2.0
// A network without any rights on the host by slirp4netns(1): a TCP/IP stack in a process of the
// user, which speaks for the container by sockets of the host. Ports are published through the
// program's socket, one request a connection (slirp4netns(1), "API socket"). The socket's path goes
// over the number of a descriptor: that of a store may be too long.
#include "base/file.h"
#include "base/json_writer.h"
#include "model/json.h"
#include "network/installed.h"
#include "network/network.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace onggi::image {
namespace {

// Of the container and of the name server that asks the host's, in a network that only those two
// know (slirp4netns(1), "Description").
constexpr const char *kAddress = "10.0.2.100", *kNameServer = "10.0.2.3";
constexpr const char *kProgram = "slirp4netns", *kSocket = "slirp4netns.socket";
constexpr size_t kAnswerLimit = 64u << 10;
constexpr timeval kPatience = {30, 0};

std::string socket_path(int directory) {
  return "/proc/self/fd/" + std::to_string(directory) + "/" + kSocket;
}

Result<UniqueFd> connect_to(const std::string& path) {
  UniqueFd connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connection) return system_error(-errno, "socket");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  if (connect(connection.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return system_error(-errno, "connect", kSocket);
  (void)setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  return connection;
}

std::string forwarding_of(const PortMapping& port) {
  JsonWriter json;
  json.begin_object().field("execute", "add_hostfwd").key("arguments").begin_object();
  json.field("proto", name_of(port.protocol))
      .field("host_addr", port.address ? port.address->text() : "0.0.0.0")
      .field("host_port", port.host)
      .field("guest_addr", kAddress)
      .field("guest_port", port.container);
  return std::move(json.end_object().end_object()).take();
}

Result<std::string> ask(int directory, const std::string& request) {
  const UniqueFd connection = TRY(connect_to(socket_path(directory)));
  TRY(write_all(connection.get(), kSocket, request));
  if (shutdown(connection.get(), SHUT_WR) != 0) return system_error(-errno, "shutdown", kSocket);
  std::string answer;
  for (;;) {
    char buffer[1024];
    const long size = sys::read(connection.get(), buffer, sizeof buffer);
    if (size < 0) return system_error(size, "read", kSocket);
    if (size == 0) return answer;
    answer.append(buffer, static_cast<size_t>(size));
    if (answer.size() > kAnswerLimit) return state_error(kProgram, " printed too much output");
  }
}

// {"return": {"id": 1}} or {"error": {"desc": "..."}}
Result<> publish(const PortMapping& port, int directory) {
  const std::string answer = TRY(ask(directory, forwarding_of(port)));
  rapidjson::Document json;
  TRY(parse_json_object(answer, kProgram, kAnswerLimit, json));
  if (member_of(json, "return") != nullptr) return {};
  const rapidjson::Value* error = member_of(json, "error");
  const std::string_view reason = error != nullptr && error->IsObject()
                                      ? text_member(*error, "desc")
                                      : "slirp4netns gave no reason";
  return with_hint(
      state_error(kProgram, " cannot publish the port ", host_side_of(port), ": ", reason),
      "choose a port that is not in use and not below the sysctl "
      "net.ipv4.ip_unprivileged_port_start");
}

Families families() {
  return {};
}

Result<> check(const std::vector<PortRequest>& ports) {
  if (!is_installed(kProgram)) {
    return with_hint(unsupported("", "slirp4netns is not installed: the container has no network"),
                     "install slirp4netns, or use --network host or none");
  }
  for (const PortRequest& port : ports) {
    const bool is_ipv6 = port.address && port.address->is_ipv6();
    if (port.protocol == Protocol::sctp || is_ipv6) {
      return with_hint(unsupported("", "slirp4netns cannot publish a port of ",
                                   is_ipv6 ? "an IPv6 address" : "SCTP"),
                       "use --network host, or run as root");
    }
  }
  return {};
}

Result<AttachedNetwork> attach(const NetworkRequest& request) {
  CompanionCall call;
  call.arguments = {kProgram, "--configure", "--mtu=65520",
                    // Services of the host's loopback are not the container's.
                    "--disable-host-loopback", "--enable-sandbox", "--enable-seccomp",
                    "--api-socket=" + socket_path(request.directory), "--netns-type=path",
                    request.path, "eth0"};
  call.ready_option = "--ready-fd=";
  call.end_option = "--exit-fd=";
  call.inherited = {request.directory};
  Companion network = TRY(Companion::start(call));
  for (const PortMapping& port : request.ports) TRY(publish(port, request.directory));
  // Nobody else shall open ports.
  if (const long gone = sys::unlinkat(request.directory, kSocket, 0); gone < 0)
    return system_error(gone, "unlink", kSocket);
  AttachedNetwork attached;
  attached.address = kAddress;
  attached.name_server = kNameServer;
  attached.companion.emplace(std::move(network));
  return attached;
}

}  // namespace

const NetworkBackend kSlirp4netns = {"slirp4netns", false, true, families, check, attach, nullptr};

}  // namespace onggi::image
