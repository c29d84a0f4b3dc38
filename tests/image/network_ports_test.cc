// SPDX-License-Identifier: Apache-2.0
// --publish as values, and the sockets that hold what it names.
#include "network/held_ports.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace onggi::image {
namespace {

TEST_CASE("Published ports: each form that docker has") {
  struct Row {
    const char *text, *address;
    uint16_t first, last, container;
    Protocol protocol;
    size_t count;
  };
  const Row rows[] = {
      {"80", "", 0, 0, 80, Protocol::tcp, 1},
      {"80/udp", "", 0, 0, 80, Protocol::udp, 1},
      {"80-82", "", 0, 0, 80, Protocol::tcp, 3},
      {":80", "", 0, 0, 80, Protocol::tcp, 1},
      {"80:8080", "", 80, 80, 8080, Protocol::tcp, 1},
      {"127.0.0.1::80", "127.0.0.1", 0, 0, 80, Protocol::tcp, 1},
      {"127.0.0.1:80:8080/udp", "127.0.0.1", 80, 80, 8080, Protocol::udp, 1},
      {"[::1]:80:8080", "::1", 80, 80, 8080, Protocol::tcp, 1},
      {"::1:80:8080", "::1", 80, 80, 8080, Protocol::tcp, 1},
      {"[::1]::8080", "::1", 0, 0, 8080, Protocol::tcp, 1},
      {"0.0.0.0:80:8080", "0.0.0.0", 80, 80, 8080, Protocol::tcp, 1},
      {"8000-8010:9000-9010/sctp", "", 8000, 8000, 9000, Protocol::sctp, 11},
      {"8000-8010:80", "", 8000, 8010, 80, Protocol::tcp, 1},
      {"65535:65535", "", 65535, 65535, 65535, Protocol::tcp, 1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Result<std::vector<PortRequest>> ports = parse_ports(row.text);
    REQUIRE(static_cast<bool>(ports));
    REQUIRE(ports->size() == row.count);
    const PortRequest& port = ports.value().front();
    CHECK((port.address ? port.address->text() : "") == row.address);
    CHECK(port.first == row.first);
    CHECK(port.last == row.last);
    CHECK(port.container == row.container);
    CHECK(port.protocol == row.protocol);
  }
}

TEST_CASE("Published ports: what is none of these forms") {
  for (const char* bad : {"",
                          ":",
                          "80:",
                          "0",
                          "0:80",
                          "80:0",
                          "80:65536",
                          "80:80/x",
                          "80/",
                          "80:80/TCP/udp",
                          "10-20:5-6",
                          "20-10:20-10",
                          "20-10",
                          "a:b",
                          "-80",
                          "+80",
                          " 80",
                          "80 ",
                          "localhost:80:80",
                          "1.2.3:80:80",
                          "[127.0.0.1]:80:80",
                          "[]:80:80",
                          "fe80::1%lo:80:80",
                          "127.0.0.1:80"}) {
    CAPTURE(bad);
    CHECK_FALSE(static_cast<bool>(parse_ports(bad)));
  }
}

TEST_CASE("Published ports: a record's text is read as it was written") {
  for (const char* text :
       {"80:8080/tcp", "127.0.0.1:80:8080/udp", "[::1]:80:8080/sctp", "[::]:1:2/tcp"}) {
    CAPTURE(text);
    const Result<std::vector<PortMapping>> ports = parse_mappings(text);
    REQUIRE(static_cast<bool>(ports));
    REQUIRE(ports->size() == 1);
    CHECK(text_of(ports.value().front()) == text);
  }
  CHECK(parse_mappings("8000-8002:80-82")->size() == 3);
  CHECK_FALSE(static_cast<bool>(parse_mappings("80")));
  CHECK_FALSE(static_cast<bool>(parse_mappings("8000-8002:80")));
}

std::vector<PortRequest> requests(const std::string& text) {
  Result<std::vector<PortRequest>> parsed = parse_ports(text);
  REQUIRE(static_cast<bool>(parsed));
  return std::move(parsed).value();
}

// A server of the host: a socket that listens, or is bound. The value is an errno.
int serve(UniqueFd& made, const char* address, uint16_t port, int type) {
  const std::optional<IpAddress> parsed = parse_address(address);
  REQUIRE(parsed.has_value());
  made = UniqueFd(socket(parsed->family, type | SOCK_CLOEXEC, 0));
  const int yes = 1;
  if (type == SOCK_STREAM) setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  int failed = 0;
  if (parsed->is_ipv6()) {
    sockaddr_in6 to = {};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(port);
    std::copy_n(parsed->bytes.begin(), 16, to.sin6_addr.s6_addr);
    failed = bind(made.get(), reinterpret_cast<sockaddr*>(&to), sizeof to);
  } else {
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    std::copy_n(parsed->bytes.begin(), 4, reinterpret_cast<uint8_t*>(&to.sin_addr));
    failed = bind(made.get(), reinterpret_cast<sockaddr*>(&to), sizeof to);
  }
  if (failed == 0 && type == SOCK_STREAM) failed = listen(made.get(), 1);
  return failed == 0 ? 0 : errno;
}

constexpr Families kBoth = {true, true};

TEST_CASE("Held ports: no server of the host gets one, on any of its addresses") {
  struct Row {
    const char *published, *server;
    int type, expected;
  };
  const Row rows[] = {
      {"80", "127.0.0.1", SOCK_STREAM, EADDRINUSE},
      {"80", "::1", SOCK_STREAM, EADDRINUSE},
      {"80", "127.0.0.1", SOCK_DGRAM, 0},
      {"80/udp", "127.0.0.1", SOCK_DGRAM, EADDRINUSE},
      {"80/udp", "::1", SOCK_DGRAM, EADDRINUSE},
      {"127.0.0.1::80", "127.0.0.1", SOCK_STREAM, EADDRINUSE},
      {"127.0.0.1::80", "127.0.0.2", SOCK_STREAM, 0},
      {"127.0.0.1::80", "0.0.0.0", SOCK_STREAM, EADDRINUSE},
      {"[::1]::80", "::1", SOCK_STREAM, EADDRINUSE},
      {"[::1]::80", "127.0.0.1", SOCK_STREAM, 0},
      {"0.0.0.0::80", "::1", SOCK_STREAM, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.published);
    CAPTURE(row.server);
    Result<HeldPorts> held = HeldPorts::hold(requests(row.published), kBoth);
    REQUIRE(static_cast<bool>(held));
    const uint16_t port = held->mappings().front().host;
    REQUIRE(port != 0);
    UniqueFd server;
    CHECK(serve(server, row.server, port, row.type) == row.expected);
    server.reset();
    held->release();
    CHECK(serve(server, row.server, port, row.type) == 0);
  }
}

TEST_CASE("Held ports: who connects to one is refused") {
  for (const char* text : {"127.0.0.1::80", "[::1]::80", "80"}) {
    CAPTURE(text);
    const Result<HeldPorts> held = HeldPorts::hold(requests(text), kBoth);
    REQUIRE(static_cast<bool>(held));
    const bool is_ipv6 = text[0] == '[';
    const UniqueFd client(socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(held.value().mappings().front().host);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 to6 = {};
    to6.sin6_family = AF_INET6;
    to6.sin6_port = to.sin_port;
    to6.sin6_addr = IN6ADDR_LOOPBACK_INIT;
    const int failed = is_ipv6
                           ? connect(client.get(), reinterpret_cast<sockaddr*>(&to6), sizeof to6)
                           : connect(client.get(), reinterpret_cast<sockaddr*>(&to), sizeof to);
    CHECK(failed != 0);
    CHECK(errno == ECONNREFUSED);
  }
}

TEST_CASE("Held ports: what a server of the host has is refused by its name") {
  struct Row {
    const char *server, *address;
    int type;
    const char *suffix, *named;
    bool is_free;
  };
  const Row rows[] = {
      {"127.0.0.1", "", SOCK_STREAM, "", "/tcp'", false},
      {"::1", "", SOCK_STREAM, "", "/tcp'", false},
      {"127.0.0.1", "127.0.0.1:", SOCK_STREAM, "", "bind '127.0.0.1:", false},
      {"127.0.0.1", "127.0.0.2:", SOCK_STREAM, "", "", true},
      {"::1", "[::1]:", SOCK_STREAM, "", "bind '[::1]:", false},
      {"::1", "127.0.0.1:", SOCK_STREAM, "", "", true},
      {"127.0.0.1", "", SOCK_DGRAM, "/udp", "/udp'", false},
      {"127.0.0.1", "", SOCK_DGRAM, "", "", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.server);
    CAPTURE(row.address);
    UniqueFd server;
    // A free one, of both families.
    const uint16_t port =
        HeldPorts::hold(requests(std::string("80") + row.suffix), kBoth)->mappings().front().host;
    REQUIRE(serve(server, row.server, port, row.type) == 0);
    const std::string text = row.address + std::to_string(port) + ":80" + row.suffix;
    const Result<HeldPorts> held = HeldPorts::hold(requests(text), kBoth);
    CHECK(static_cast<bool>(held) == row.is_free);
    if (held) continue;
    CHECK(held.error().errnum == EADDRINUSE);
    CHECK(held.error().message.view().find(row.named) != std::string_view::npos);
  }
}

TEST_CASE("Held ports: two requests for one port, a free one of a range, an address elsewhere") {
  const Result<HeldPorts> first = HeldPorts::hold(requests("80"), kBoth);
  REQUIRE(static_cast<bool>(first));
  const uint16_t port = first->mappings().front().host;
  CHECK(HeldPorts::hold(requests(std::to_string(port) + ":81"), kBoth).error().errnum ==
        EADDRINUSE);
  if (port < 65500) {
    const std::string range = std::to_string(port) + "-" + std::to_string(port + 30);
    const Result<HeldPorts> one = HeldPorts::hold(requests(range + ":80"), kBoth);
    REQUIRE(static_cast<bool>(one));
    CHECK(one->mappings().front().host > port);
  }
  CHECK(HeldPorts::hold(requests("192.0.2.1:8080:80"), kBoth).error().errnum == EADDRNOTAVAIL);
}

TEST_CASE("Held ports: the same words twice are one port; two free ones are two") {
  const uint16_t port = HeldPorts::hold(requests("80"), kBoth)->mappings().front().host;
  std::vector<PortRequest> twice = requests(std::to_string(port) + ":80");
  twice.push_back(twice.front());
  CHECK(HeldPorts::hold(twice, kBoth)->mappings().size() == 1);
  std::vector<PortRequest> free = requests("80");
  free.push_back(free.front());
  const Result<HeldPorts> held = HeldPorts::hold(free, kBoth);
  REQUIRE(held->mappings().size() == 2);
  CHECK(held.value().mappings()[0].host != held.value().mappings()[1].host);
}

TEST_CASE("Ports overlap: by protocol, port and address") {
  struct Row {
    const char *one, *other;
    bool expected;
  };
  const Row rows[] = {
      {"1:1", "1:2", true},
      {"1:1", "2:1", false},
      {"1:1", "1:1/udp", false},
      {"127.0.0.1:1:1", "1:1", true},
      {"127.0.0.1:1:1", "0.0.0.0:1:1", true},
      {"127.0.0.1:1:1", "127.0.0.2:1:1", false},
      {"127.0.0.1:1:1", "[::]:1:1", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.one);
    CAPTURE(row.other);
    const PortMapping one = parse_mappings(row.one)->front();
    const PortMapping other = parse_mappings(row.other)->front();
    CHECK(overlap(one, other) == row.expected);
    CHECK(overlap(other, one) == row.expected);
  }
}

}  // namespace
}  // namespace onggi::image
