// SPDX-License-Identifier: Apache-2.0
// Networks made by netavark, podman's program: a bridge with IPv4 and IPv6, masquerading, published
// ports; and aardvark-dns, where it is installed, by which containers find each other by their ids.
// One call sets up and one tears down; both read the same JSON, which is therefore the state.
#include "base/file.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"
#include "model/json.h"
#include "network/installed.h"
#include "network/leases.h"
#include "network/namespace.h"
#include "network/network.h"
#include "process/program.h"

#include <rapidjson/pointer.h>
#include <unistd.h>

namespace onggi::image {
namespace {

constexpr const char *kName = "onggi", *kBridge = "onggi1";
// netavark derives the names of chains and interfaces from it: the SHA-256 of "onggi".
constexpr const char* kNetworkId =
    "9a8cd4065026160e2b803f72e0b27bf761560f375e1384c8929e55d5e45fe8b1";
constexpr std::string_view kNetwork4 = "10.86.", kPrefix4 = "/16";
// A unique local one (RFC 4193).
constexpr std::string_view kNetwork6 = "fd6f:6e67:6769::", kPrefix6 = "/64";
constexpr size_t kAnswerLimit = 1u << 20;

std::string program() {
  return podman_helper("netavark");
}

bool host_has_ipv6() {
  const Result<std::string> text =
      read_file(AT_FDCWD, "/proc/sys/net/ipv6/conf/all/disable_ipv6", 16);
  return text && text.value().starts_with('0');
}

Families families() {
  return {true, host_has_ipv6()};
}

std::string address4(unsigned number) {
  return std::string(kNetwork4) + std::to_string(number >> 8) + "." + std::to_string(number & 255);
}

std::string address6(unsigned number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (; number != 0; number >>= 4) text.insert(text.begin(), kDigits[number & 15]);
  return std::string(kNetwork6) + text;
}

void write_subnet(JsonWriter& json, const std::string& subnet, const std::string& gateway) {
  json.begin_object().field("subnet", subnet).field("gateway", gateway).end_object();
}

void write_network(JsonWriter& json, bool has_ipv6, bool has_names) {
  json.begin_object().field("name", kName).field("id", kNetworkId).field("driver", "bridge");
  json.field("network_interface", kBridge).field("internal", false);
  json.field("ipv6_enabled", has_ipv6).field("dns_enabled", has_names);
  json.key("subnets").begin_array();
  write_subnet(json, address4(0) + std::string(kPrefix4), address4(1));
  if (has_ipv6) write_subnet(json, std::string(kNetwork6) + std::string(kPrefix6), address6(1));
  json.end_array().end_object();
}

void write_port(JsonWriter& json, const PortMapping& port) {
  json.begin_object();
  // Empty: of both families.
  json.field("host_ip", port.address ? port.address->text() : std::string());
  json.field("host_port", port.host).field("container_port", port.container).field("range", 1);
  json.field("protocol", name_of(port.protocol)).end_object();
}

// What netavark reads (its README, "setup").
std::string request_text(const NetworkRequest& request, unsigned number, bool has_ipv6,
                         bool has_names) {
  JsonWriter json;
  json.begin_object().field("container_id", request.id).field("container_name", request.id);
  json.key("networks").begin_object().key(kName).begin_object();
  json.field("interface_name", "eth0").key("static_ips").begin_array().value(address4(number));
  if (has_ipv6) json.value(address6(number));
  json.end_array().end_object().end_object();
  json.key("network_info").begin_object().key(kName);
  write_network(json, has_ipv6, has_names);
  json.end_object().key("port_mappings").begin_array();
  for (const PortMapping& port : request.ports) write_port(json, port);
  return std::move(json.end_array().end_object()).take();
}

// {"error": "..."}
Error netavark_error(const std::string& output) {
  rapidjson::Document json;
  std::string said;
  if (parse_json_object(output, "error", kAnswerLimit, json)) said = text_member(json, "error");
  if (said.empty()) said = "it gave no reason";
  return make_error(ErrorKind::state, "netavark: ", said);
}

Result<> call_netavark(const char* command, const std::string& path, const std::string& input,
                       const Leases& leases) {
  const std::string names = podman_helper("aardvark-dns");
  ProgramCall call;
  call.arguments = {program(), "--config", leases.directory()};
  if (!names.empty()) call.arguments.insert(call.arguments.end(), {"--aardvark-binary", names});
  call.arguments.insert(call.arguments.end(), {command, path});
  call.input = input;
  call.limit = kAnswerLimit;
  // What it says on standard error is that there is no syslog; a failure is in its answer.
  call.is_quiet = true;
  // The name server stays, and ^C is not for it.
  call.leads_process_group = true;
  const ProgramAnswer answer = TRY(call_program(call));
  if (answer.status != 0) return netavark_error(answer.output);
  return {};
}

// Linux sends nothing from ::1 out of another interface, so who connects to ::1 would wait in vain
// where netavark's rules take the packets to the container. Without them he is refused, and tries
// 127.0.0.1. A netavark without such a chain needs nothing.
void spare_loopback6() {
  for (const char* action : {"--check", "--insert"}) {
    ProgramCall call;
    call.arguments = {
        "ip6tables",     "--wait",  "--table", "nat",   action, "NETAVARK-HOSTPORT-DNAT",
        "--destination", "::1/128", "--jump",  "RETURN"};
    call.is_quiet = true;
    const Result<ProgramAnswer> answer = call_program(call);
    if (!answer || answer.value().status == 0) return;
  }
}

Result<> check(const std::vector<PortRequest>& ports) {
  if (program().empty()) {
    return with_hint(unsupported("", "netavark is not installed"),
                     "install netavark and aardvark-dns, or use --network none or host");
  }
  for (const PortRequest& port : ports) {
    if (!port.address || !port.address->is_ipv6()) continue;
    if (!host_has_ipv6())
      return unsupported(
          "", "IPv6 is off on this host, so no port of an IPv6 address can be published");
    if (*port.address == *parse_address("::1")) {
      return with_hint(unsupported("",
                                   "the kernel forwards nothing from the IPv6 loopback, so a port "
                                   "of [::1] cannot be published"),
                       "use 127.0.0.1, another address of the host, or --network host");
    }
  }
  return {};
}

Result<AttachedNetwork> attach(const NetworkRequest& request) {
  const Leases leases = TRY(Leases::open());
  const uint16_t number = TRY(leases.take(request.id));
  const bool has_names = !podman_helper("aardvark-dns").empty();
  AttachedNetwork attached;
  attached.address = address4(number);
  if (has_names) attached.name_server = address4(1);
  attached.state = request_text(request, number, host_has_ipv6(), has_names);
  const Result<> set_up = call_netavark("setup", request.path, attached.state, leases);
  if (set_up && host_has_ipv6() && !request.ports.empty()) spare_loopback6();
  if (set_up) return attached;
  (void)call_netavark("teardown", request.path, attached.state, leases);
  (void)leases.give_back(request.id);
  return set_up.error();
}

// netavark removes eth0 before its rules, and does not look at those where it cannot: where the
// namespace has gone, another one stands in.
Result<> detach(const NetworkRequest& request, const std::string& state) {
  const Leases leases = TRY(Leases::open());
  const uint16_t number = TRY(leases.of(request.id));
  if (number == 0) return {};
  const std::string input = !state.empty() ? state
                                           : request_text(request, number, host_has_ipv6(),
                                                          !podman_helper("aardvark-dns").empty());
  UniqueFd stand_in;
  if (request.path.empty()) stand_in = TRY(make_stand_in_namespace(address4(number)));
  const std::string path = stand_in ? path_of(stand_in) : request.path;
  const Result<> torn_down = call_netavark("teardown", path, input, leases);
  TRY(leases.give_back(request.id));
  // A part may have gone before.
  if (!torn_down && request.path.empty()) {
    log::warn(text<1024>("network: ", torn_down.error().message.view(), ", ignoring").view());
    return {};
  }
  return torn_down;
}

}  // namespace

const NetworkBackend kNetavark = {"netavark", true, false, families, check, attach, detach};

}  // namespace onggi::image
