// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink.h"

#include <doctest/doctest.h>
#include <linux/if_link.h>

namespace onggi {
namespace {

TEST_CASE("attributes are padded, and found again") {
  ifinfomsg link = {};
  link.ifi_index = 7;
  NetlinkMessage<ifinfomsg> message(link);
  message.add_name(IFLA_IFNAME, "eth0").add(IFLA_MTU, 1400U).add(IFLA_ALT_IFNAME, "");
  CHECK(message.bytes().size() % 4 == 0);
  CHECK(netlink_body<ifinfomsg>(message.bytes()).ifi_index == 7);
  const auto found = netlink_attributes(message.bytes(), sizeof link);
  REQUIRE(found.size() == 3);
  CHECK(found[0].type == IFLA_IFNAME);
  CHECK(found[0].value == std::string_view("eth0\0", 5));
  CHECK(found[1].value.size() == 4);
  CHECK(found[2].value.empty());
}

TEST_CASE("a message that is cut off has the attributes that are whole") {
  NetlinkMessage<ifinfomsg> message;
  message.add(IFLA_MTU, 1U).add(IFLA_TXQLEN, 2U);
  const std::string_view bytes = message.bytes();
  CHECK(netlink_attributes(bytes.substr(0, bytes.size() - 1), sizeof(ifinfomsg)).size() == 1);
  CHECK(netlink_attributes(bytes.substr(0, 3), sizeof(ifinfomsg)).empty());
  CHECK(netlink_body<ifinfomsg>(bytes.substr(0, 3)).ifi_index == 0);
  const std::string zeros(sizeof(ifinfomsg) + 8, '\0');  // an attribute shorter than its header
  CHECK(netlink_attributes(zeros, sizeof(ifinfomsg)).empty());
}

TEST_CASE("a refusal of the kernel is an error with its number") {
  Result<NetlinkSocket> socket = NetlinkSocket::open();
  REQUIRE(socket);
  NetlinkMessage<ifinfomsg> request;
  request.add_name(IFLA_IFNAME, "no-such-device");
  for (int i = 0; i < 2; i++) {  // and the socket stays usable
    const auto answer = socket->ask(RTM_GETLINK, 0, request.bytes(), "RTM_GETLINK");
    REQUIRE_FALSE(answer);
    CHECK(answer.error().errnum == ENODEV);
    CHECK(answer.error().message.view().starts_with("RTM_GETLINK"));
  }
  const auto all = socket->ask(RTM_GETLINK, NLM_F_DUMP, NetlinkMessage<ifinfomsg>().bytes(), "x");
  REQUIRE(all);
  CHECK_FALSE(all->empty());
}

}  // namespace
}  // namespace onggi
