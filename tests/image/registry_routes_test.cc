// SPDX-License-Identifier: Apache-2.0
// registries.conf, and copies from and to registries that it sends to mirrors.
#include "fake_uploads.h"
#include "transfer/copy.h"
#include "transfer/registry_endpoint.h"

namespace onggi::image::test {
namespace {

std::vector<std::string> pulled_from(const Result<Routes>& routes) {
  std::vector<std::string> found;
  if (!routes) return {text_of(routes.error())};
  for (const Route& route : routes.value().pull)
    found.push_back(to_text(route.image) + (route.insecure ? " insecure" : ""));
  return found;
}

class Conf {
 public:
  explicit Conf(const std::string& text) : files_{directory_.write("registries.conf", text)} {}
  void add(const std::string& text) {
    files_.push_back(directory_.write(std::to_string(files_.size()) + ".conf", text));
  }
  Result<Routes> routes(const std::string& image) const {
    return find_routes(files_, parse_reference(image).value());
  }
  std::vector<std::string> pull(const std::string& image) const {
    return pulled_from(routes(image));
  }

 private:
  TemporaryDirectory directory_;
  std::vector<std::string> files_;
};

using Texts = std::vector<std::string>;

TEST_CASE("without a table for it, an image is where its name says") {
  const Conf conf(
      "unqualified-search-registries = [\"quay.example\"]\n[aliases]\n\"a\" = \"b.c/d\"");
  CHECK(conf.pull("alpine") == Texts{"docker.io/library/alpine:latest"});
  CHECK(pulled_from(find_routes({}, parse_reference("a.b/c:1").value())) == Texts{"a.b/c:1"});
}

TEST_CASE("mirrors are asked in their order, and the registry last") {
  const Conf conf(R"(
[[registry]]
prefix = "docker.io"
[[registry.mirror]]
location = "localhost:5000"
insecure = true
[[registry.mirror]]
location = "mirror.example/hub"
)");
  CHECK(conf.pull("alpine:3") == Texts{"localhost:5000/library/alpine:3 insecure",
                                       "mirror.example/hub/library/alpine:3",
                                       "docker.io/library/alpine:3"});
  CHECK(to_text(conf.routes("alpine").value().push.image) == "docker.io/library/alpine:latest");
}

TEST_CASE("the longest prefix decides, and a port belongs to the host") {
  const Conf conf(R"(
[[registry]]
location = "example.com"
insecure = true
[[registry]]
prefix = "example.com/team"
location = "inner.example/moved"
[[registry]]
prefix = "example.com/team/app:old"
blocked = true
[[registry]]
prefix = "*.example.com"
insecure = true
)");
  CHECK(conf.pull("example.com/a") == Texts{"example.com/a:latest insecure"});
  CHECK(conf.pull("example.com/team/app") == Texts{"inner.example/moved/app:latest"});
  CHECK(conf.pull("example.com/teams") == Texts{"example.com/teams:latest insecure"});
  CHECK(conf.pull("example.com:5000/a") == Texts{"example.com:5000/a:latest"});
  CHECK(conf.pull("a.b.example.com/a") == Texts{"a.b.example.com/a:latest insecure"});
  CHECK(conf.pull("notexample.com/a") == Texts{"notexample.com/a:latest"});
  CHECK(conf.routes("example.com/team/app").value().push.insecure == false);
  const auto blocked = conf.routes("example.com/team/app:old");
  REQUIRE_FALSE(blocked);
  CHECK(says(blocked.error(), "is blocked by registries.conf"));
}

TEST_CASE("mirrors may be for digests or for tags alone") {
  const std::string digest = "@sha256:" + std::string(64, 'a');
  const Conf each(R"(
[[registry]]
prefix = "a.b"
[[registry.mirror]]
location = "digests.example"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tags.example"
pull-from-mirror = "tag-only"
)");
  CHECK(each.pull("a.b/c") == Texts{"tags.example/c:latest", "a.b/c:latest"});
  CHECK(each.pull("a.b/c" + digest) == Texts{"digests.example/c" + digest, "a.b/c" + digest});
  const Conf all(R"(
[[registry]]
location = "a.b"
mirror-by-digest-only = true
mirror = [{location = "m.example"}]
)");
  CHECK(all.pull("a.b/c") == Texts{"a.b/c:latest"});
  CHECK(all.pull("a.b/c" + digest) == Texts{"m.example/c" + digest, "a.b/c" + digest});
}

TEST_CASE("a later file takes the place of a table with the same prefix") {
  Conf conf("[[registry]]\nprefix = \"a.b\"\nlocation = \"c.d\"");
  conf.add("[[registry]]\nprefix = \"a.b\"\nlocation = \"e.f\"\n[[registry]]\nlocation = \"g.h\"");
  CHECK(conf.pull("a.b/c") == Texts{"e.f/c:latest"});
}

TEST_CASE("what is wrong with a file is said with its place") {
  struct Row {
    std::string text, message;
  };
  for (const Row& row :
       {Row{"[[registry]\n", "is not TOML, at line 1"},
        Row{"\n[[registry]]\ninsecure = 1\nlocation = \"a.b\"", "registry[0]"},
        Row{"[[registry]]\ninsecure = \"yes\"", "insecure must be true or false"},
        Row{"[[registry]]\nlocation = 1", "location must be text"},
        Row{"[[registry]]\n", "has neither prefix nor location"},
        Row{"registry = 1", "registry must be an array of tables"},
        Row{"[[registry]]\nlocation = \"a.b\"\nmirror = [{}]", "registry[0].mirror[0]"},
        Row{"[[registry]]\nlocation=\"a.b\"\nmirror=[{location=\"c.d\",pull-from-mirror=\"x\"}]",
            "must be all, digest-only or tag-only"},
        Row{"[[registry]]\nprefix=\"a.b\"\nlocation=\"mirror\"", "has no host"},
        Row{"[registries.search]\nregistries = [\"a.b\"]", "version 1 of this format"}}) {
    CAPTURE(row.text);
    const auto routes = Conf(row.text).routes("a.b/c");
    REQUIRE_FALSE(routes);
    CHECK(says(routes.error(), row.message));
  }
}

// The files of a user who has a home.
class Home {
 public:
  Home() { setenv("HOME", directory_.path().c_str(), 1); }
  ~Home() {
    setenv("HOME", old_.c_str(), 1);
    unsetenv("CONTAINERS_REGISTRIES_CONF");
  }
  const TemporaryDirectory& directory() const { return directory_; }

 private:
  TemporaryDirectory directory_;
  const std::string old_ = getenv("HOME") == nullptr ? "" : getenv("HOME");
};

TEST_CASE("a user's file takes the place of the system's, with the drop-ins in their order") {
  const Home home;
  const std::string base = home.directory().path() + "/.config/containers";
  std::filesystem::create_directories(base + "/registries.conf.d");
  for (const char* name : {"b.conf", "a.conf", "c.txt"})
    home.directory().write(std::string(".config/containers/registries.conf.d/") + name, "");
  const Texts drop_ins = {base + "/registries.conf.d/a.conf", base + "/registries.conf.d/b.conf"};
  Texts files = registries_files().value();
  REQUIRE(files.size() >= 2);
  CHECK(Texts(files.end() - 2, files.end()) == drop_ins);
  home.directory().write(".config/containers/registries.conf", "");
  CHECK(registries_files().value() == Texts{base + "/registries.conf", drop_ins[0], drop_ins[1]});
  setenv("CONTAINERS_REGISTRIES_CONF", "/given.conf", 1);
  CHECK(registries_files().value() == Texts{"/given.conf"});
}

// An image in a fake registry.
struct FakeImage {
  std::string config = "{}", layer = noise(100'000);
  std::string manifest =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
      R"("config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":")" +
      digest_of(config).text() +
      R"("},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","size":100000,)"
      R"("digest":")" +
      digest_of(layer).text() + R"("}]})";

  void add_manifest(FakeRegistry& server) const {
    server.add("/v2/team/app/manifests/latest", manifest,
               {"Content-Type: application/vnd.oci.image.manifest.v1+json"});
  }
  void add_blobs(FakeRegistry& server) const {
    server.add(blob_path(config), config);
    server.add(blob_path(layer), layer);
  }
};

class Ends {
 public:
  std::unique_ptr<RegistrySource> source(const std::vector<const FakeRegistry*>& servers) {
    std::vector<Route> routes;
    for (const FakeRegistry* server : servers) routes.push_back(route(server->host()));
    return std::make_unique<RegistrySource>(routes, options_, clock_);
  }
  std::unique_ptr<RegistryTarget> target(const FakeRegistry& server, ImageSource& source,
                                         const std::string& mounts_from = {}) {
    return std::make_unique<RegistryTarget>(route(server.host()), options_, clock_, source,
                                            mounts_from);
  }
  Result<> copy(ImageSource& source, ImageTarget& target) {
    CopyView view;
    TRY(copy_image(source, target, {}, view));
    return {};
  }

  const TestClock& clock() const { return clock_; }

 private:
  static Route route(const std::string& host) {
    return {parse_reference(host + "/team/app").value(), false};
  }
  HttpLibrary library_;
  TestClock clock_;
  AccessOptions options_ = {{{}, 30}, {{"/nonexistent"}, 5}, false};
};

// Takes what is pushed.
void take_all(FakeRegistry& server, FakeUploads& uploads) {
  server.respond([&](const Received& request) -> std::optional<Answer> {
    if (request.target.find("/manifests/") == std::string::npos) return uploads.respond(request);
    if (request.method != "PUT") return std::nullopt;
    server.add(request.target, request.body,
               {"Content-Type: " + request.headers.at("content-type")});
    return Answer{201};
  });
}

TEST_CASE("an image goes from one registry to another, and leaves no file") {
  const TemporaryDirectory temporary;
  setenv("TMPDIR", temporary.path().c_str(), 1);
  FakeRegistry from, to;
  FakeUploads uploads(to);
  take_all(to, uploads);
  const FakeImage image;
  image.add_manifest(from);
  image.add_blobs(from);
  Ends ends;
  {
    const auto source = ends.source({&from});
    const auto target = ends.target(to, *source);
    CHECK(ends.copy(*source, *target));
    CHECK(uploads.has(image.layer));
    CHECK(uploads.has(image.config));
    CHECK(to.received("/manifests/").back().body == image.manifest);
    const size_t requests = from.received("/blobs/").size();
    CHECK(ends.copy(*source, *target));  // nothing is moved twice
    CHECK(from.received("/blobs/").size() == requests);
  }
  CHECK(temporary.names().empty());
  unsetenv("TMPDIR");
}

TEST_CASE("the next route is asked when a mirror has no image, or nobody answers there") {
  FakeRegistry empty, full;
  auto gone = std::make_unique<FakeRegistry>();
  const FakeImage image;
  image.add_manifest(full);
  Ends ends;
  auto source = ends.source({gone.get(), &empty, &full});
  gone.reset();
  const auto named = source->named();
  REQUIRE(named);
  CHECK(named.value().descriptor.digest == digest_of(image.manifest));
  CHECK(empty.received("/manifests/").size() == 1);
}

// A mirror whose manifests are answers with this status.
void answer_with(FakeRegistry& mirror, int status, const std::string& body = "{}") {
  mirror.respond([=](const Received& request) -> std::optional<Answer> {
    if (request.target == "/v2/") return std::nullopt;
    return Answer{status, {"WWW-Authenticate: Basic realm=x"}, body};
  });
}

TEST_CASE("the next route is asked when a mirror refuses, is out of order or sends nonsense") {
  FakeRegistry mirror, full;
  const FakeImage image;
  image.add_manifest(full);
  Ends ends;
  for (const int status : {200, 400, 401, 403, 407, 418, 429, 500, 503}) {
    CAPTURE(status);
    answer_with(mirror, status);
    const auto source = ends.source({&mirror, &full});
    const auto named = source->named();
    REQUIRE(named);
    CHECK(named.value().descriptor.digest == digest_of(image.manifest));
  }
}

TEST_CASE("when every route fails, the error names each, and the hint the one to log in to") {
  FakeRegistry mirror, other, registry;
  Ends ends;
  for (const int status : {401, 403}) {
    CAPTURE(status);
    answer_with(mirror, status);
    answer_with(other, 500);
    const auto named = ends.source({&mirror, &other, &registry})->named();
    REQUIRE_FALSE(named);
    CHECK(says(named.error(), registry.host() + "/team/app:latest: not found"));
    CHECK(says(named.error(), mirror.host()));
    CHECK(says(named.error(),
               other.host() + "/team/app:latest: the registry answered with status 500"));
    CHECK(named.error().hint.view().find("onggi-image login " + mirror.host()) !=
          std::string_view::npos);
  }
}

TEST_CASE("a mirror that is out of order costs one pause, and is not asked for the blobs again") {
  const TemporaryDirectory temporary;
  setenv("TMPDIR", temporary.path().c_str(), 1);
  FakeRegistry mirror, full;
  const FakeImage image;
  image.add_manifest(full);
  image.add_blobs(full);
  Ends ends;
  answer_with(mirror, 503);
  const auto source = ends.source({&mirror, &full});
  CHECK(source->announced() == std::nullopt);  // the fake registry knows no HEAD
  REQUIRE(source->named());
  CHECK(source->open(descriptor_of(image.layer)));
  CHECK(mirror.received("team/app").size() == 2);
  REQUIRE(ends.clock().pauses.size() == 1);
  CHECK(ends.clock().pauses[0] <= 2500);
  CHECK(ends.clock().reasons[0].find("status 503") != std::string::npos);
  unsetenv("TMPDIR");
}

TEST_CASE("a blob and a manifest of an index that a mirror refuses come from the next route") {
  const TemporaryDirectory temporary;
  setenv("TMPDIR", temporary.path().c_str(), 1);
  FakeRegistry mirror, full;
  const FakeImage image;
  image.add_manifest(mirror);
  image.add_blobs(full);
  full.add("/v2/team/app/manifests/" + digest_of(image.manifest).text(), image.manifest);
  for (const int status : {401, 403, 503}) {
    CAPTURE(status);
    mirror.respond([=](const Received& request) -> std::optional<Answer> {
      if (request.target == "/v2/" || request.target.ends_with("latest")) return std::nullopt;
      return Answer{status, {"WWW-Authenticate: Basic realm=x"}, "{}"};
    });
    Ends ends;
    const auto source = ends.source({&mirror, &full});
    CHECK(source->named());
    CHECK(source->document(descriptor_of(image.manifest)));
    const auto opened = source->open(descriptor_of(image.layer));
    if (!opened) MESSAGE(text_of(opened.error()));
    CHECK(opened);
  }
  unsetenv("TMPDIR");
}

TEST_CASE("a blob that a mirror misses comes from the registry behind it") {
  const TemporaryDirectory temporary;
  setenv("TMPDIR", temporary.path().c_str(), 1);
  FakeRegistry mirror, full;
  const FakeImage image;
  image.add_manifest(mirror);
  image.add_blobs(full);
  Ends ends;
  const auto source = ends.source({&mirror, &full});
  CHECK(source->named());
  CHECK(source->open(descriptor_of(image.layer)));
  CHECK(full.received("/manifests/").empty());
  unsetenv("TMPDIR");
}

TEST_CASE("blobs are mounted from another repository where that is known") {
  FakeRegistry from, to;
  FakeUploads uploads(to);
  take_all(to, uploads);
  const FakeImage image;
  image.add_manifest(from);
  Ends ends;
  const auto source = ends.source({&from});
  const auto target = ends.target(to, *source, "team/base");
  CHECK(ends.copy(*source, *target));
  CHECK(from.received("/blobs/").empty());
  CHECK(to.received("mount=").size() == 2);
}

TEST_CASE("a blob that the registry misses in the end is pushed after all, once") {
  FakeRegistry from, to;
  FakeUploads uploads(to);
  const FakeImage image;
  image.add_manifest(from);
  image.add_blobs(from);
  bool is_never_content = false;
  std::atomic<int> heads = 0;
  to.respond([&](const Received& request) -> std::optional<Answer> {
    // The first look says that both blobs are there.
    if (request.method == "HEAD" && ++heads <= 2) return Answer{200};
    if (request.method != "PUT" || request.target.find("/manifests/") == std::string::npos)
      return uploads.respond(request);
    if (uploads.has(image.layer) && !is_never_content) return Answer{201};
    return Answer{400,
                  {},
                  R"({"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","detail":{"digest":")" +
                      digest_of(image.layer).text() + "\"}}]}"};
  });
  Ends ends;
  const auto source = ends.source({&from});
  const auto target = ends.target(to, *source);
  CHECK(ends.copy(*source, *target));
  CHECK(uploads.has(image.layer));
  CHECK_FALSE(uploads.has(image.config));
  is_never_content = true;
  const Result<> copied = ends.copy(*source, *target);
  REQUIRE_FALSE(copied);
  CHECK(says(copied.error(), "which it has just accepted"));
}

}  // namespace
}  // namespace onggi::image::test
