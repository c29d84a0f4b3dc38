// SPDX-License-Identifier: Apache-2.0
// config-linux.md: network devices, with veth pairs in a network namespace of the test.
#include "oci-validation/newer.h"
#include "support/network.h"

using namespace onggi::test;

namespace {

std::string inside(const Container& container, const Strings& words) {
  return ip(words, "/proc/" + std::to_string(container.pid()) + "/ns/net");
}

}  // namespace

TEST_SUITE_BEGIN("network_devices");

CASE("network devices: a listed one is available in the container") {
  CITE(
      "config-linux.md#network-devices: netDevices (object, OPTIONAL) - A set of network devices "
      "that MUST be made available in the container.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  Bundle bundle;
  bundle.set_json("/linux/netDevices", R"({"v0": {}})").guest({"interfaces"});
  CHECK(contains(run(bundle).out, "interface v0 "));
}

CASE("network devices: name is the one inside") {
  CITE(
      "config-linux.md#network-devices: name (string, OPTIONAL) - the name of the network device "
      "inside the container namespace. If not specified, the host name is used.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  host.add_interface("v1");
  Bundle bundle;
  bundle.set_json("/linux/netDevices", R"({"v0": {"name": "container_eth0"}, "v1": {}})")
      .guest({"interfaces"});
  const std::string seen = run(bundle).out;
  CHECK(contains(seen, "interface container_eth0 "));
  CHECK(contains(seen, "interface v1 "));
  CHECK_FALSE(contains(seen, "interface v0 "));
}

CASE("network devices: a missing one is an error") {
  CITE(
      "config-linux.md#network-devices: The runtime MUST check if moving the network interface to "
      "the container namespace is possible.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  CHECK(refuses("/linux/netDevices", R"({"no-such-device": {}})"));
}

CASE("network devices: a name that exists inside is an error") {
  CITE(
      "config-linux.md#network-devices: If a network device with the specified name already exists "
      "in the container namespace, the runtime MUST generate an error, unless the user has "
      "provided "
      "a template by appending %d to the new name.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  CHECK(refuses("/linux/netDevices", R"({"v0": {"name": "lo"}})"));
  CHECK(contains(ip({"-o", "link", "show", "v0"}), "v0"));
}

CASE("network devices: a template has a unique name made") {
  CITE(
      "config-linux.md#network-devices: In that case, the runtime MUST allow the move, and the "
      "kernel will generate a unique name for the interface within the container's network "
      "namespace.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  host.add_interface("v1");
  Bundle bundle;
  bundle.set_json("/linux/netDevices", R"({"v0": {"name": "eth%d"}, "v1": {"name": "eth%d"}})")
      .guest({"interfaces"});
  const std::string seen = run(bundle).out;
  CHECK(contains(seen, "interface eth0 "));
  CHECK(contains(seen, "interface eth1 "));
}

CASE("network devices: permanent addresses of global scope are preserved") {
  CITE(
      "config-linux.md#network-devices: The runtime MUST preserve existing network interface "
      "attributes, including all permanent IP addresses (IFA_F_PERMANENT flag) of any family with "
      "global scope (RT_SCOPE_UNIVERSE value) as defined in RFC 3549 Section 2.3.3.2.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  ip({"link", "set", "v0", "mtu", "1300"});
  for (const char* address : {"192.0.2.7/24", "198.51.100.1/32", "2001:db8::7/64"})
    ip({"addr", "add", address, "dev", "v0"});
  Bundle bundle;
  Container container(bundle.set_json("/linux/netDevices", R"({"v0": {"name": "c0"}})"));
  REQUIRE(container.create().ok());
  const std::string addresses = inside(container, {"-o", "addr", "show", "dev", "c0"});
  for (const char* address : {"192.0.2.7/24", "198.51.100.1/32", "2001:db8::7/64"})
    CHECK(contains(addresses, address));
  CHECK(contains(inside(container, {"-o", "link", "show", "c0"}), "mtu 1300"));
}

CASE("network devices: other addresses stay behind") {
  CITE(
      "config-linux.md#network-devices: This ensures that only addresses intended for persistent, "
      "external communication are transferred.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  ip({"addr", "add", "192.0.2.7/24", "valid_lft", "900", "preferred_lft", "900", "dev", "v0"});
  ip({"addr", "add", "169.254.9.9/16", "scope", "link", "dev", "v0"});
  Bundle bundle;
  Container container(bundle.set_json("/linux/netDevices", R"({"v0": {"name": "c0"}})"));
  REQUIRE(container.create().ok());
  const std::string addresses = inside(container, {"-o", "-4", "addr", "show"});
  CHECK(contains(inside(container, {"-o", "link", "show"}), "c0"));
  CHECK_FALSE(contains(addresses, "192.0.2.7"));
  CHECK_FALSE(contains(addresses, "169.254.9.9"));
}

CASE("network devices: one that was down is up inside") {
  CITE(
      "config-linux.md#network-devices: The runtime MUST set the network device state to \"up\" "
      "after moving it to the network namespace to allow the container to send and receive network "
      "traffic through that device.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  ip({"link", "set", "v0", "down"});
  Bundle bundle;
  bundle.set_json("/linux/netDevices", R"({"v0": {}})").guest({"interfaces"});
  CHECK(contains(run(bundle).out, "interface v0 up"));
}

CASE("network devices: one is not moved out of the namespace") {
  CITE(
      "config-linux.md#network-devices: The runtime MUST NOT attempt to move the interface out of "
      "the namespace before deletion.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  Bundle keeper_bundle;
  Container keeper(keeper_bundle.guest({"pause"}));
  REQUIRE(keeper.create().ok());
  const std::string joined = "/proc/" + std::to_string(keeper.pid()) + "/ns/net";
  const NetworkNamespace host;
  host.add_interface("v0");
  Bundle bundle;
  bundle.set_namespace("network", joined).set_json("/linux/netDevices", R"({"v0": {}})");
  CHECK(run(bundle).ok());
  CHECK(ip({"-o", "link", "show", "v0"}) == "");
  CHECK(contains(ip({"-o", "link", "show", "v0"}, joined), ",UP"));
}

CASE("network devices: the namespace's end destroys a virtual one") {
  CITE(
      "config-linux.md#network-devices: The runtime MUST NOT actively manage the interface's "
      "lifecycle and configuration within the container's network namespace.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  Bundle bundle;
  CHECK(run(bundle.set_json("/linux/netDevices", R"({"v0": {}})")).ok());
  CHECK(eventually([] { return ip({"-o", "link", "show", "v0-peer"}).empty(); }));
}

CASE("network devices: a container without a network namespace of its own gets none") {
  CITE(
      "config-linux.md#network-devices: This schema focuses solely on moving existing network "
      "devices identified by name from the host network namespace into the container network "
      "namespace.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  Bundle bundle;
  bundle.drop_namespace("network").set_json("/linux/netDevices", R"({"v0": {"name": "c0"}})");
  CHECK_FALSE(create(bundle).ok());
  CHECK(contains(ip({"-o", "link", "show", "v0"}), "v0"));
}

CASE("network devices: names that no interface can have are an error") {
  CITE("config-linux.md#network-devices: The name of the network device is the entry key.");
  REQUIRES(root());
  NEWER_THAN_BOTH("netDevices");
  CHECK(refuses("/linux/netDevices", R"({"a/b": {}})"));
  CHECK(refuses("/linux/netDevices", R"({"v0": {"name": "longer-than-15-bytes"}})"));
  CHECK(refuses("/linux/netDevices", R"({"v0": {"name": 23}})"));
}

TEST_SUITE_END();
