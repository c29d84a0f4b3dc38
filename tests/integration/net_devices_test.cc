// SPDX-License-Identifier: Apache-2.0
// linux.netDevices, with veth pairs in a network namespace of the test's own: whatever goes wrong,
// the host's interfaces are out of reach.
#include "support/network.h"
#include "support/suite.h"

#include <unistd.h>

using namespace onggi::test;

namespace {

// Both do not know the field: netDevices came with runtime-spec 1.3.
#define NEEDS_NET_DEVICES()                           \
  REQUIRES(root());                                   \
  REQUIRES(network_tools());                          \
  DEVIATES("runc", "1.1.5 does not know netDevices"); \
  DEVIATES("crun", "1.8.1 does not know netDevices")

std::string inside(const Container& container, const Strings& words) {
  return ip(words, "/proc/" + std::to_string(container.pid()) + "/ns/net");
}

}  // namespace

TEST_SUITE_BEGIN("net_devices");

CASE("an interface moves in, renamed and up") {
  NEEDS_NET_DEVICES();
  const NetworkNamespace host;
  host.add_interface("v0");
  Bundle bundle;
  bundle.set_json("/linux/netDevices", R"({"v0": {"name": "c0"}})").guest({"interfaces"});
  const Outcome outcome = run(bundle);
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, "interface c0 up\n"));
  CHECK_FALSE(contains(outcome.out, "v0"));
}

CASE("without a name an interface keeps its own, and its MTU and hardware address") {
  NEEDS_NET_DEVICES();
  const NetworkNamespace host;
  host.add_interface("v0");
  ip({"link", "set", "v0", "mtu", "1400", "address", "02:11:22:33:44:55"});
  Bundle bundle;
  bundle.set_json("/linux/netDevices", R"({"v0": {}})").guest({"pause"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK(ip({"-o", "link", "show", "v0"}) == "");
  const std::string link = inside(container, {"-o", "link", "show", "v0"});
  CHECK(contains(link, "mtu 1400"));
  CHECK(contains(link, "02:11:22:33:44:55"));
  CHECK(contains(link, ",UP"));
}

CASE("permanent addresses of global scope come along, with all that belongs to them") {
  NEEDS_NET_DEVICES();
  const NetworkNamespace host;
  host.add_interface("v0");
  for (const Strings& address :
       std::vector<Strings>{{"10.1.2.3/24", "brd", "+"},
                            {"10.1.2.4/24"},
                            {"10.1.2.9/32", "label", "v0:web"},
                            {"10.9.0.1", "peer", "10.9.0.2/32"},
                            {"10.7.0.1/24", "metric", "500"},
                            {"10.6.0.1/24", "noprefixroute"},
                            {"fd00::5/64", "nodad"},
                            {"169.254.3.3/16", "scope", "link"},
                            {"10.8.0.1/24", "valid_lft", "1000", "preferred_lft", "500"},
                            {"fd01::1/64", "valid_lft", "1000", "preferred_lft", "500"}}) {
    Strings words = {"addr", "add"};
    words.insert(words.end(), address.begin(), address.end());
    words.insert(words.end(), {"dev", "v0"});
    ip(words);
  }
  Bundle bundle;
  bundle.set_json("/linux/netDevices", R"({"v0": {"name": "c0"}})").guest({"pause"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  const std::string addresses = inside(container, {"-o", "addr", "show", "dev", "c0"});
  CHECK(contains(addresses, "inet 10.1.2.3/24 brd 10.1.2.255 scope global c0"));
  CHECK(contains(addresses, "inet 10.1.2.4/24 scope global secondary c0"));
  CHECK(contains(addresses, "inet 10.1.2.9/32 scope global c0:web"));
  CHECK(contains(addresses, "inet 10.9.0.1 peer 10.9.0.2/32 scope global"));
  CHECK(contains(addresses, "inet 10.7.0.1/24 metric 500 scope global"));
  CHECK(contains(addresses, "inet 10.6.0.1/24 scope global noprefixroute c0"));
  CHECK(contains(addresses, "inet6 fd00::5/64 scope global"));
  for (const char* gone : {"169.254.3.3", "10.8.0.1", "fd01::1"})
    CHECK_FALSE(contains(addresses, gone));
  const std::string routes = inside(container, {"route"});
  CHECK(contains(routes, "10.1.2.0/24 dev c0"));
  CHECK_FALSE(contains(routes, "10.6.0.0/24"));
  CHECK(contains(inside(container, {"-6", "route"}), "fd00::/64 dev c0"));
}

CASE("a template gets the next number, and leaves those alone that others are to have") {
  NEEDS_NET_DEVICES();
  const NetworkNamespace host;
  for (const char* name : {"v0", "v1", "v2"}) host.add_interface(name);
  Bundle bundle;
  bundle.set_json("/linux/netDevices",
                  R"({"v0": {"name": "t%d"}, "v1": {"name": "t0"}, "v2": {"name": "t%d"}})");
  const Outcome outcome = run(bundle.guest({"interfaces"}));
  CHECK(outcome.err == "");
  for (const char* name : {"t0", "t1", "t2"})
    CHECK(contains(outcome.out, std::string("interface ") + name + " up\n"));
}

CASE("two interfaces may swap their names") {
  NEEDS_NET_DEVICES();
  const NetworkNamespace host;
  host.add_interface("v0");
  host.add_interface("v1");
  ip({"link", "set", "v0", "address", "02:00:00:00:00:10"});
  Bundle bundle;
  bundle.set_json("/linux/netDevices", R"({"v0": {"name": "v1"}, "v1": {"name": "v0"}})")
      .guest({"pause"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK(contains(inside(container, {"-o", "link", "show", "v1"}), "02:00:00:00:00:10"));
}

CASE("an interface moves into a joined network namespace, and stays there") {
  NEEDS_NET_DEVICES();
  Bundle first_bundle;
  Container first(first_bundle.guest({"pause"}));
  REQUIRE(first.create().ok());
  const std::string joined = "/proc/" + std::to_string(first.pid()) + "/ns/net";
  const NetworkNamespace host;
  host.add_interface("v0");
  Bundle bundle;
  bundle.set_namespace("network", joined)
      .set_json("/linux/netDevices", R"({"v0": {"name": "c0"}})")
      .guest({"interfaces"});
  CHECK(contains(run(bundle).out, "interface c0 up\n"));
  CHECK(contains(ip({"-o", "link", "show", "c0"}, joined), ",UP"));
  CHECK(ip({"-o", "link", "show", "v0"}) == "");
}

CASE("an interface moves into a network namespace that a new user namespace owns") {
  NEEDS_NET_DEVICES();
  REQUIRES(user_namespaces());
  const NetworkNamespace host;
  host.add_interface("v0");
  ip({"addr", "add", "10.1.2.3/24", "dev", "v0"});
  Bundle bundle;
  bundle.set_namespace("user")
      .set_json("/linux/uidMappings", R"([{"containerID": 0, "hostID": 300000, "size": 1000}])")
      .set_json("/linux/gidMappings", R"([{"containerID": 0, "hostID": 300000, "size": 1000}])")
      .set_json("/linux/netDevices", R"({"v0": {"name": "c0"}})")
      .guest({"pause"});
  REQUIRE(chown(bundle.rootfs().c_str(), 300000, 300000) == 0);
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK(contains(inside(container, {"-o", "addr", "show", "dev", "c0"}), "10.1.2.3/24"));
}

CASE("sysctls and createRuntime hooks find the interface") {
  NEEDS_NET_DEVICES();
  const NetworkNamespace host;
  host.add_interface("v0");
  Bundle bundle;
  const std::string seen = (bundle.path() / "seen").string();
  bundle.set_json("/linux/netDevices", R"({"v0": {"name": "c0"}})")
      .set_json("/linux/sysctl", R"({"net.ipv4.conf.c0.forwarding": "1"})")
      .set("/hooks/createRuntime/0/path", "/bin/sh")
      .set("/hooks/createRuntime/0/args",
           Strings{"sh", "-c",
                   "pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/'); "
                   "PATH=$PATH:/sbin:/usr/sbin:/usr/bin:/bin nsenter --net=/proc/$pid/ns/net ip -o "
                   "link show c0 >" +
                       seen})
      .guest({"cat", "/proc/sys/net/ipv4/conf/c0/forwarding"});
  const Outcome outcome = run(bundle);
  CHECK(outcome.err == "");
  CHECK(outcome.out == "1\n");
  CHECK(contains(read_file(seen), "c0"));
}

CASE("a missing interface is an error before anything moves") {
  NEEDS_NET_DEVICES();
  const NetworkNamespace host;
  host.add_interface("v0");
  ip({"route", "add", "10.55.0.0/16", "dev", "v0"});
  Bundle bundle;
  bundle.set_json("/linux/netDevices", R"({"v0": {}, "v7": {"name": "c7"}})");
  const Outcome outcome = create(bundle);
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "linux.netDevices.v7: "));
  CHECK(contains(outcome.err, "no interface 'v7'"));
  CHECK(contains(ip({"route"}), "10.55.0.0/16 dev v0"));
}

CASE("a name that is in use in the container is an error before anything moves") {
  NEEDS_NET_DEVICES();
  const NetworkNamespace host;
  host.add_interface("v0");
  ip({"route", "add", "10.55.0.0/16", "dev", "v0"});
  Bundle bundle;
  bundle.set_json("/linux/netDevices", R"({"v0": {"name": "lo"}})");
  const Outcome outcome = create(bundle);
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "linux.netDevices.v0: "));
  CHECK(contains(outcome.err, "already has an interface 'lo'"));
  CHECK(contains(ip({"route"}), "10.55.0.0/16 dev v0"));
}

CASE("the loopback interface, and what the kernel ties to its namespace, cannot be moved") {
  NEEDS_NET_DEVICES();
  const NetworkNamespace host;
  Bundle bundle;
  const Outcome loopback = create(bundle.set_json("/linux/netDevices", R"({"lo": {"name": "l"}})"));
  CHECK(loopback.status == 1);
  CHECK(contains(loopback.err, "linux.netDevices.lo: a loopback interface cannot be moved"));
  ip({"link", "add", "b0", "type", "bridge"});
  bundle.set_json("/linux/netDevices", R"({"b0": {}})");
  const Outcome bridge = create(bundle);
  CHECK(bridge.status == 1);
  CHECK(contains(bridge.err, "linux.netDevices.b0: RTM_SETLINK netns"));
  CHECK(contains(ip({"-o", "link", "show", "b0"}), "b0"));
}

CASE("a create that fails later moves the interfaces back as they were") {
  REQUIRES(root());
  REQUIRES(network_tools());
  const NetworkNamespace host;
  host.add_interface("v0");
  host.add_interface("v1");
  ip({"link", "set", "v1", "down"});
  ip({"addr", "add", "10.1.2.3/24", "dev", "v0", "label", "v0:a"});
  ip({"addr", "add", "fd00::5/64", "dev", "v0"});
  // In init, in a hook, and at the very end: the namespace is gone, about to go, or in use.
  const auto failing = [&](const char* how, const auto& arrange) {
    CAPTURE(how);
    Bundle broken;
    broken.set_json("/linux/netDevices", R"({"v0": {"name": "c0"}, "v1": {"name": "t%d"}})");
    arrange(broken);
    Container container(broken);
    const std::string nowhere = (broken.path() / "missing/pid").string();
    CHECK_FALSE(container.create(Strings{"--pid-file", nowhere}).ok());
    const std::string addresses = ip({"-o", "addr", "show", "dev", "v0"});
    CHECK(contains(addresses, "10.1.2.3/24 scope global v0:a"));
    CHECK(contains(addresses, "fd00::5/64"));
    CHECK(contains(ip({"-o", "link", "show", "v0"}), ",UP"));
    const std::string second = ip({"-o", "link", "show", "v1"});
    CHECK(contains(second, "v1"));
    CHECK_FALSE(contains(second, ",UP"));
  };
  failing("a mount", [](Bundle& broken) { broken.add_bind("/a", "/no/such/source"); });
  failing("a hook", [](Bundle& broken) {
    broken.set_json("/hooks/createRuntime", R"([{"path": "/bin/false"}])");
  });
  failing("the pid file", [](Bundle&) {});
}

CASE("when one of several cannot move, the others come back") {
  NEEDS_NET_DEVICES();
  const NetworkNamespace host;
  host.add_interface("v0");
  ip({"link", "add", "b0", "type", "bridge"});
  Bundle bundle;
  bundle.set_json("/linux/netDevices", R"({"v0": {"name": "c0"}, "b0": {}})");
  CHECK(contains(create(bundle).err, "linux.netDevices.b0: "));
  CHECK(contains(ip({"-o", "link", "show", "v0"}), ",UP"));
}

CASE("delete does not move an interface back") {
  NEEDS_NET_DEVICES();
  Bundle first_bundle;
  Container first(first_bundle.guest({"pause"}));
  REQUIRE(first.create().ok());
  const std::string joined = "/proc/" + std::to_string(first.pid()) + "/ns/net";
  const NetworkNamespace host;
  host.add_interface("v0");
  Bundle bundle;
  bundle.set_namespace("network", joined).set_json("/linux/netDevices", R"({"v0": {}})");
  Container container(bundle);
  REQUIRE(container.create().ok());
  REQUIRE(container.remove(true).ok());
  CHECK(ip({"-o", "link", "show", "v0"}) == "");
  CHECK(contains(ip({"-o", "link", "show", "v0"}, joined), "v0"));
}

CASE("a joined network namespace that is the runtime's own takes no interfaces") {
  NEEDS_NET_DEVICES();
  const NetworkNamespace host;
  host.add_interface("v0");
  Bundle bundle;
  bundle.set_namespace("network", "/proc/self/ns/net")
      .set_json("/linux/netDevices", R"({"v0": {}})");
  const Outcome outcome = create(bundle);
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "linux.netDevices: is not in a separate"));
}

TEST_SUITE_END();
