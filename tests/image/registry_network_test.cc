// SPDX-License-Identifier: Apache-2.0
// What lies between a registry and us: proxies, IPv6; and what it says beside its answers.
#include "base/log.h"
#include "registry/challenge.h"
#include "registry_fixture.h"

#include <algorithm>

namespace onggi::image::test {
namespace {

const std::string kManifest =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{)"
    R"("mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":)"
    R"("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]})";
const std::string kLatest = "/v2/team/app/manifests/latest";

class Proxy {
 public:
  explicit Proxy(const FakeRegistry& server) {
    for (const char* name : kNames) setenv(name, server.url("").c_str(), 1);
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
  }
  ~Proxy() {
    for (const char* name : kNames) unsetenv(name);
  }
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

 private:
  static constexpr const char* kNames[] = {"http_proxy", "https_proxy", "HTTPS_PROXY"};
};

// registry.example, which nothing but a proxy reaches.
struct FarClient {
  HttpLibrary library;
  TestClock clock;
  Access access{parse_reference("registry.example/team/app").value(),
                AccessOptions{{{}, 30}, {{"/nonexistent"}, 5}, true}, clock};
  Registry registry{access};
};

TEST_CASE("a registry behind a proxy is asked through it") {
  FakeRegistry proxy;
  const Proxy variables(proxy);
  proxy.add("http://registry.example" + kLatest, kManifest);
  proxy.respond([](const Received& request) -> std::optional<Answer> {
    if (request.method == "CONNECT") return Answer{502};  // no https there
    if (request.target == "http://registry.example/v2/") return Answer{200};
    return std::nullopt;
  });
  FarClient client;
  CHECK(client.registry.manifest("latest"));
  CHECK(proxy.received("registry.example:443").size() == 1);
}

TEST_CASE("a proxy that wants credentials is named, and not asked again and again") {
  FakeRegistry proxy;
  const Proxy variables(proxy);
  proxy.respond([](const Received&) -> std::optional<Answer> { return Answer{407}; });
  FarClient client;
  const auto fetched = client.registry.manifest("latest");
  REQUIRE_FALSE(fetched);
  CHECK(says(fetched.error(), "the proxy answered with status 407"));
  CHECK(says(fetched.error(), "HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT"));
  CHECK(proxy.received().size() == 1);
}

TEST_CASE("a registry on this machine is not asked through a proxy") {
  FakeRegistry proxy, server;
  const Proxy variables(proxy);
  server.add(kLatest, kManifest);
  Client client(server);
  CHECK(client.registry.manifest("latest"));
  CHECK(proxy.received().empty());
}

TEST_CASE("a registry by an address of IPv6") {
  try {
    FakeRegistry server(FakeRegistry::Family::ipv6);
    TemporaryDirectory directory;
    server.add(kLatest, kManifest);
    server.respond([](const Received& request) -> std::optional<Answer> {
      if (request.has("authorization")) return std::nullopt;
      return Answer{401, {"WWW-Authenticate: Basic realm=x"}};
    });
    Client client(server, directory.write("auth.json", R"({"auths": {")" + server.host() +
                                                           R"(": {"auth": "dXNlcjpz"}}})"));
    CHECK(client.registry.manifest("latest"));
    CHECK(server.received(kLatest).at(0).headers.at("host") == server.host());
  } catch (const std::runtime_error&) {
    MESSAGE("SKIP: this host has no ::1");
  }
}

TEST_CASE("a warning of the registry is shown, each once and without control characters") {
  TemporaryDirectory directory;
  const std::string file = directory.path() + "/log";
  REQUIRE(log::open({file, log::Format::text, log::Level::warning}));
  FakeRegistry server;
  server.add(kLatest, kManifest,
             {R"(Warning: 299 - "quota \"almost\" full")", "Warning: 299 - \"a\tb\"",
              "Warning: 110 proxy \"stale\"", "Warning: nonsense"});
  Client client(server);
  CHECK(client.registry.manifest("latest"));
  CHECK(client.registry.manifest("latest"));
  const std::string text = directory.read("log");
  CHECK(text.find(server.host() + ": quota \"almost\" full") != std::string::npos);
  CHECK(text.find(server.host() + ": a\\tb") != std::string::npos);
  CHECK(std::ranges::count(text, '\n') == 2);
  REQUIRE(log::open({}));
}

TEST_CASE("the text of a warning") {
  CHECK(registry_warning(R"(299 - "a \"b\" c")") == "a \"b\" c");
  for (const char* field :
       {"", "299", "299 -", R"(299 -"a")", R"(199 - "a")", R"(299 x "a")", R"(299 - "")"}) {
    CAPTURE(field);
    CHECK_FALSE(registry_warning(field));
  }
}

}  // namespace
}  // namespace onggi::image::test
