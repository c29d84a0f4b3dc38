// SPDX-License-Identifier: Apache-2.0
// Networks made by the plugins of the Container Network Interface (CNI, Debian's
// containernetworking-plugins): a bridge with addresses of its own, masquerading, published ports.
// The plugins are called one after the other, each with the result of the one before, as the CNI
// specification has it for a list; for the way back in the other order.
#include "base/log.h"
#include "base/text.h"
#include "model/json.h"
#include "network/namespace.h"
#include "network/network.h"
#include "process/program.h"

#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <unistd.h>

#include <cstdlib>

namespace onggi::image {
namespace {

constexpr std::string_view kVersion = "1.0.0", kName = "onggi";
constexpr size_t kResultLimit = 1u << 20;
constexpr char kInterface[] = "eth0";
// Where Debian and others install them.
constexpr std::string_view kDirectories[] = {"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"};

// The bridge of all containers of this program. Leases are gone with the machine's next start, as
// the containers are.
constexpr std::string_view kBridge = R"({
  "bridge": "onggi0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
  "ipam": {"type": "host-local", "dataDir": "/run/onggi-image/networks",
           "ranges": [[{"subnet": "10.87.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}})";
constexpr std::string_view kPortmap = R"({"capabilities": {"portMappings": true}})";
// Where the host drops what it would forward (Docker's policy), this lets the container's pass.
constexpr std::string_view kFirewall = R"({})";

struct Plugin {
  const char* type;
  std::string_view configuration;
};
constexpr Plugin kPlugins[] = {{"bridge", kBridge}, {"portmap", kPortmap}, {"firewall", kFirewall}};

using Value = rapidjson::Value;

Result<std::string> plugin_directory() {
  const char* asked = std::getenv("CNI_PATH");
  if (asked != nullptr && *asked != 0) return std::string(asked);
  for (std::string_view each : kDirectories) {
    const std::string bridge = std::string(each) + "/bridge";
    if (access(bridge.c_str(), X_OK) == 0) return std::string(each);
  }
  return with_hint(unsupported("", "the network plugins are not installed"),
                   "install containernetworking-plugins, or use --network none or host");
}

Value port_array(const std::vector<PortMapping>& ports, rapidjson::Document& json) {
  auto& allocator = json.GetAllocator();
  Value array(rapidjson::kArrayType);
  for (const PortMapping& port : ports) {
    Value entry(rapidjson::kObjectType);
    entry.AddMember("hostPort", port.host, allocator);
    entry.AddMember("containerPort", port.container, allocator);
    entry.AddMember("protocol", Value(name_of(port.protocol).data(), allocator), allocator);
    if (port.address && !port.address->is_unspecified())
      entry.AddMember("hostIP", Value(port.address->text().c_str(), allocator), allocator);
    array.PushBack(entry, allocator);
  }
  return array;
}

std::string configuration_of(const Plugin& plugin, const NetworkRequest& request,
                             const std::string& previous) {
  rapidjson::Document json;
  json.Parse(plugin.configuration.data(), plugin.configuration.size());
  auto& allocator = json.GetAllocator();
  json.AddMember("cniVersion", Value(kVersion.data(), allocator), allocator);
  json.AddMember("name", Value(kName.data(), allocator), allocator);
  json.AddMember("type", Value(plugin.type, allocator), allocator);
  if (json.HasMember("capabilities")) {
    rapidjson::Pointer("/runtimeConfig/portMappings").Set(json, port_array(request.ports, json));
  }
  if (!previous.empty()) {
    rapidjson::Document result(&allocator);
    result.Parse(previous.data(), previous.size());
    json.AddMember("prevResult", result, allocator);
  }
  rapidjson::StringBuffer text;
  rapidjson::Writer<rapidjson::StringBuffer> writer(text);
  json.Accept(writer);
  return {text.GetString(), text.GetSize()};
}

// {"code": 7, "msg": "...", "details": "..."}
Error plugin_error(const Plugin& plugin, const std::string& output) {
  rapidjson::Document json;
  std::string said;
  if (parse_json_object(output, "error", kResultLimit, json)) {
    said = text_member(json, "msg");
    const std::string_view details = text_member(json, "details");
    if (!details.empty()) said.append(": ").append(details);
  }
  if (said.empty()) said = "the plugin gave no reason";
  return make_error(ErrorKind::state, "network plugin ", plugin.type, ": ", said);
}

Result<std::string> call_plugin(const Plugin& plugin, std::string_view command,
                                const NetworkRequest& request, const std::string& previous) {
  const std::string directory = TRY(plugin_directory());
  ProgramCall call;
  call.arguments = {directory + "/" + plugin.type};
  call.environment = {"CNI_COMMAND=" + std::string(command), "CNI_CONTAINERID=" + request.id,
                      "CNI_NETNS=" + request.path, "CNI_IFNAME=" + std::string(kInterface),
                      "CNI_PATH=" + directory};
  call.input = configuration_of(plugin, request, previous);
  call.limit = kResultLimit;
  ProgramAnswer answer = TRY(call_program(call));
  if (answer.status != 0) return plugin_error(plugin, answer.output);
  return std::move(answer.output);
}

Result<std::string> address_in(const std::string& result) {
  rapidjson::Document json;
  TRY(parse_json_object(result, "the network's description", kResultLimit, json));
  const Value* address = rapidjson::Pointer("/ips/0/address").Get(json);
  if (address == nullptr || !address->IsString())
    return make_error(ErrorKind::state, "the network plugins returned no address");
  const std::string_view text(address->GetString(), address->GetStringLength());
  return std::string(text.substr(0, text.find('/')));
}

Families families() {
  return {};
}

Result<> check(const std::vector<PortRequest>& ports) {
  { const std::string directory = TRY(plugin_directory()); }
  for (const PortRequest& port : ports) {
    if (port.address && port.address->is_ipv6())
      return with_hint(unsupported("", "the CNI plugins cannot publish a port of an IPv6 address"),
                       "install netavark, or use --network host");
  }
  return {};
}

Result<> detach(const NetworkRequest& request, const std::string& result);

Result<AttachedNetwork> attach(const NetworkRequest& request) {
  std::string previous;
  for (const Plugin& plugin : kPlugins) {
    Result<std::string> result = call_plugin(plugin, "ADD", request, previous);
    if (!result) {
      (void)detach(request, previous);
      return result.error();
    }
    previous = std::move(result).value();
  }
  std::string address = TRY(address_in(previous));
  AttachedNetwork attached;
  attached.address = std::move(address);
  attached.state = std::move(previous);
  return attached;
}

// The bridge plugin masquerades no longer what has the addresses of an interface that it removes.
// Where that has gone with its namespace, another one stands in.
Result<> detach(const NetworkRequest& request, const std::string& result) {
  if (request.path.empty() && !result.empty()) {
    const std::string address = TRY(address_in(result));
    const UniqueFd stand_in = TRY(make_stand_in_namespace(address));
    const Result<> detached =
        detach({request.id, path_of(stand_in), request.directory, request.ports}, result);
    // A part may have gone before, which the plugins miss then.
    if (!detached)
      log::warn(text<1024>("network: ", detached.error().message.view(), ", ignoring").view());
    return {};
  }
  Result<> first_failure = {};
  for (size_t i = std::size(kPlugins); i-- > 0;) {
    const Result<std::string> called = call_plugin(kPlugins[i], "DEL", request, result);
    if (!called && first_failure) first_failure = called.error();
  }
  return first_failure;
}

}  // namespace

const NetworkBackend kCni = {"cni", true, false, families, check, attach, detach};

}  // namespace onggi::image
