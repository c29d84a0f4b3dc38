// SPDX-License-Identifier: Apache-2.0
// From an image's config to config.json, and what users say over it.
#include "bundle/bundle_config.h"

#include "bundle/host_files.h"
#include "bundle/overrides.h"
#include "bundle/seccomp_profile.h"
#include "bundle/volumes.h"
#include "model/document.h"

#include <doctest/doctest.h>
#include <rapidjson/pointer.h>

#include <cstdlib>

namespace onggi::image {
namespace {

ImageConfig image_with(const std::string& config) {
  Result<ImageConfig> image =
      parse_image_config("{\"os\": \"linux\", \"architecture\": \"amd64\", \"config\": " + config +
                         ", \"rootfs\": {\"type\": \"layers\", \"diff_ids\": []}}");
  REQUIRE(static_cast<bool>(image));
  return std::move(image).value();
}

rapidjson::Document bundle_of(const ImageConfig& image, const BundleOptions& options = {},
                              const ContainerUser& user = {}) {
  rapidjson::Document json;
  const std::string text = bundle_config(image, user, options);
  json.Parse(text.data(), text.size());
  REQUIRE_FALSE(json.HasParseError());
  return json;
}

std::string text_at(const rapidjson::Document& json, const char* pointer) {
  const rapidjson::Value* value = rapidjson::Pointer(pointer).Get(json);
  if (value == nullptr) return "(none)";
  return value->IsString() ? value->GetString() : "(no text)";
}

Strings texts_at(const rapidjson::Document& json, const char* pointer) {
  Strings texts;
  const rapidjson::Value* value = rapidjson::Pointer(pointer).Get(json);
  REQUIRE(value != nullptr);
  for (const auto& each : value->GetArray()) texts.emplace_back(each.GetString());
  return texts;
}

std::string error_of(const Result<>& result) {
  return result ? "" : std::string(result.error().message.view());
}

TEST_CASE("Program, environment and directory are the image's") {
  const ImageConfig image = image_with(
      R"({"Entrypoint": ["/run"], "Cmd": ["a", "b"], "WorkingDir": "srv/x",
          "Env": ["A=1", "HOME=/here", "A=2", "=bad", "worse"]})");
  const rapidjson::Document json = bundle_of(image);
  CHECK(texts_at(json, "/process/args") == Strings{"/run", "a", "b"});
  CHECK(texts_at(json, "/process/env") ==
        Strings{"A=2", "HOME=/here",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"});
  CHECK(text_at(json, "/process/cwd") == "/srv/x");
  CHECK(text_at(json, "/ociVersion") == "1.0.2");
}

TEST_CASE("What a user says counts more") {
  ImageConfig image = image_with(R"({"Entrypoint": ["/run"], "Cmd": ["a"], "Env": ["A=1"]})");
  Overrides overrides;
  overrides.arguments = {"x"};
  REQUIRE(static_cast<bool>(apply_overrides(overrides, image.config)));
  CHECK(texts_at(bundle_of(image), "/process/args") == Strings{"/run", "x"});
  overrides = {};
  overrides.entrypoint = "/other";
  setenv("ONGGI_TEST_HERE", "yes", 1);
  unsetenv("ONGGI_TEST_NOWHERE");
  overrides.environment = {"A=2", "ONGGI_TEST_HERE", "ONGGI_TEST_NOWHERE"};
  overrides.working_dir = "/w";
  REQUIRE(static_cast<bool>(apply_overrides(overrides, image.config)));
  const rapidjson::Document json = bundle_of(image);
  CHECK(texts_at(json, "/process/args") == Strings{"/other"});
  const Strings environment = texts_at(json, "/process/env");
  CHECK(environment[0] == "A=2");
  CHECK(environment[1] == "ONGGI_TEST_HERE=yes");
  CHECK(environment[2].starts_with("PATH="));
  CHECK(text_at(json, "/process/cwd") == "/w");
  overrides.environment = {"=x"};
  CHECK(error_of(apply_overrides(overrides, image.config)) ==
        "--env '=x' must have the form NAME=VALUE or NAME");
}

TEST_CASE("An image that cannot run here says so before anything is made") {
  CHECK(error_of(check_runnable(image_with("{}"))) == "the image does not set a program to run");
  ImageConfig windows = image_with(R"({"Cmd": ["a"]})");
  windows.os = "windows";
  CHECK(error_of(check_runnable(windows)) == "\"windows\" cannot run here");
  // CVE-2019-16884, CVE-2022-23648
  for (const char* volume : {"/proc", "/proc/self", "/sys", "/dev/shm", "/", "data", "/../etc",
                             "/a/../../etc", "/proc/"}) {
    CAPTURE(volume);
    const ImageConfig image =
        image_with(R"({"Cmd": ["a"], "Volumes": {")" + std::string(volume) + R"(": {}}})");
    CHECK(error_of(check_runnable(image)).find("must be an absolute path below /") !=
          std::string::npos);
  }
  CHECK(static_cast<bool>(
      check_runnable(image_with(R"({"Cmd": ["a"], "Volumes": {"/data": {}, "/v/": {}}})"))));
}

TEST_CASE("Rights are docker's: root has fourteen capabilities, others can have them") {
  const ImageConfig image = image_with(R"({"Cmd": ["a"]})");
  const rapidjson::Document root = bundle_of(image);
  CHECK(texts_at(root, "/process/capabilities/bounding").size() == 14);
  CHECK(texts_at(root, "/process/capabilities/effective").size() == 14);
  ContainerUser user;
  user.uid = 5;
  user.gid = 6;
  user.groups = {6, 7};
  const rapidjson::Document other = bundle_of(image, {}, user);
  CHECK(texts_at(other, "/process/capabilities/bounding").size() == 14);
  CHECK(texts_at(other, "/process/capabilities/effective").empty());
  CHECK(texts_at(other, "/process/capabilities/permitted").empty());
  // CVE-2022-27649
  CHECK(text_at(other, "/process/capabilities/inheritable") == "(none)");
  CHECK(text_at(other, "/process/capabilities/ambient") == "(none)");
  CHECK(rapidjson::Pointer("/process/user/additionalGids").Get(other)->Size() == 2);
}

TEST_CASE("Labels are annotations, but no options of a runtime (CVE-2026-53488)") {
  const rapidjson::Document json = bundle_of(image_with(
      R"({"Cmd": ["a"], "StopSignal": "SIGINT", "ExposedPorts": {"8080": {}, "53/udp": {}},
          "Labels": {"x": "y", "run.oci.handler": "krun", "io.onggi.x": "1",
                     "org.systemd.property.CPUWeight": "1",
                     "org.opencontainers.image.os": "mine", "": "z"}})"));
  CHECK(text_at(json, "/annotations/x") == "y");
  CHECK(text_at(json, "/annotations/run.oci.handler") == "(none)");
  CHECK(text_at(json, "/annotations/io.onggi.x") == "(none)");
  CHECK(text_at(json, "/annotations/org.systemd.property.CPUWeight") == "(none)");
  CHECK(text_at(json, "/annotations/org.opencontainers.image.os") == "mine");
  CHECK(text_at(json, "/annotations/org.opencontainers.image.architecture") == "amd64");
  CHECK(text_at(json, "/annotations/org.opencontainers.image.stopSignal") == "SIGINT");
  CHECK(text_at(json, "/annotations/org.opencontainers.image.exposedPorts") == "53/udp,8080/tcp");
}

TEST_CASE("Limits, mounts and networks are where the runtime looks for them") {
  BundleOptions options;
  options.memory = 1 << 20;
  options.cpu_quota = 50'000;
  options.pids = 7;
  options.read_only = true;
  options.mounts = {{"/from", "/to", {"ro", "rbind"}}};
  options.network = NetworkKind::joined;
  options.network_path = "/proc/1/fd/3";
  const rapidjson::Document json = bundle_of(image_with(R"({"Cmd": ["a"]})"), options);
  const auto number = [&](const char* pointer) {
    return rapidjson::Pointer(pointer).Get(json)->GetInt64();
  };
  CHECK(number("/linux/resources/memory/limit") == 1 << 20);
  CHECK(number("/linux/resources/cpu/quota") == 50'000);
  CHECK(number("/linux/resources/cpu/period") == 100'000);
  CHECK(number("/linux/resources/pids/limit") == 7);
  CHECK(rapidjson::Pointer("/root/readonly").Get(json)->IsTrue());
  const rapidjson::Value& mounts = json["mounts"];
  const rapidjson::Value& last = mounts[mounts.Size() - 1];
  CHECK(std::string(last["source"].GetString()) == "/from");
  CHECK(std::string(last["destination"].GetString()) == "/to");
  std::string path;
  for (const auto& each : json["linux"]["namespaces"].GetArray()) {
    if (each["type"] == "network") path = each["path"].GetString();
  }
  CHECK(path == "/proc/1/fd/3");
  options.network = NetworkKind::host;
  const rapidjson::Document host = bundle_of(image_with(R"({"Cmd": ["a"]})"), options);
  for (const auto& each : host["linux"]["namespaces"].GetArray()) CHECK(each["type"] != "network");
}

TEST_CASE("A bundle of an ordinary user has his ids") {
  BundleOptions options;
  options.mappings = UserMappings{{{0, 1000, 1}, {1, 100'000, 65'536}}, {{0, 1000, 1}}};
  const rapidjson::Document json = bundle_of(image_with(R"({"Cmd": ["a"]})"), options);
  CHECK(json["linux"]["uidMappings"].Size() == 2);
  CHECK(json["linux"]["uidMappings"][1]["hostID"].GetInt() == 100'000);
  CHECK(json["linux"]["gidMappings"][0]["hostID"].GetInt() == 1000);
  // With one group setgroups(2) is denied.
  CHECK(text_at(json, "/process/user/additionalGids") == "(none)");
}

TEST_CASE("Rules of a seccomp profile count under their conditions") {
  const SeccompHost host = {"SCMP_ARCH_X86_64", "amd64", 5, 10};
  const std::string_view capabilities[] = {"CAP_CHOWN"};
  const auto names = [&](const std::string& rule) {
    const Result<std::string> profile = seccomp_for(
        R"({"defaultAction": "SCMP_ACT_ERRNO", "archMap": [{"architecture": "SCMP_ARCH_X86_64",
            "subArchitectures": ["SCMP_ARCH_X86"]}, {"architecture": "SCMP_ARCH_AARCH64"}],
            "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ALLOW", "comment": "", )" +
            rule + "}]}",
        capabilities, host);
    return profile ? profile.value() : std::string(profile.error().message.view());
  };
  constexpr const char* kWith =
      R"({"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],)"
      R"("syscalls":[{"names":["a"],"action":"SCMP_ACT_ALLOW"}]})";
  constexpr const char* kWithout =
      R"({"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],)"
      R"("syscalls":[]})";
  CHECK(names(R"("includes": {}, "excludes": {})") == kWith);
  CHECK(names(R"("includes": {"caps": ["CAP_CHOWN"]})") == kWith);
  CHECK(names(R"("includes": {"caps": ["CAP_CHOWN", "CAP_KILL"]})") == kWithout);
  CHECK(names(R"("excludes": {"caps": ["CAP_CHOWN"]})") == kWithout);
  CHECK(names(R"("excludes": {"caps": ["CAP_KILL"]})") == kWith);
  CHECK(names(R"("includes": {"arches": ["amd64", "x32"]})") == kWith);
  CHECK(names(R"("includes": {"arches": ["arm"]})") == kWithout);
  CHECK(names(R"("includes": {"minKernel": "5.10"})") == kWith);
  CHECK(names(R"("includes": {"minKernel": "5.11"})") == kWithout);
  CHECK(names(R"("includes": {"moon": "full"})") == "the condition 'moon' of a rule");
  // One that is linux.seccomp already.
  CHECK(seccomp_for(R"({"defaultAction": "SCMP_ACT_ALLOW"})", capabilities, host).value() ==
        R"({"defaultAction": "SCMP_ACT_ALLOW"})");
}

TEST_CASE("Volumes are a place, a source and options") {
  struct Row {
    const char* text;
    Volume::Kind kind;
    const char *source, *destination;
    Strings options;
  };
  const Row rows[] = {
      {"/a:/b", Volume::Kind::bind, "/a", "/b", {}},
      {"./a:/b/", Volume::Kind::bind, "./a", "/b", {}},
      {"name:/b:ro,nosuid", Volume::Kind::named, "name", "/b", {"ro", "nosuid"}},
      {"/b", Volume::Kind::anonymous, "", "/b", {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Result<Volume> volume = parse_volume(row.text);
    REQUIRE(static_cast<bool>(volume));
    CHECK(volume->kind == row.kind);
    CHECK(volume->source == row.source);
    CHECK(volume->destination == row.destination);
    CHECK(volume->options == row.options);
  }
  for (const char* bad :
       {"", ":/b", "a:", "a:b", "/a:/", "/a:/b:wild", "/a:/b:Z", "/a:/b:ro:x", "..:/b", "-x:/b"}) {
    CAPTURE(std::string(bad));
    CHECK_FALSE(static_cast<bool>(parse_volume(bad)));
  }
}

TEST_CASE("Name servers of the host alone are none of a container") {
  CHECK(reachable_name_servers("search a b\nnameserver 127.0.0.53\nnameserver 10.0.0.1\n") ==
        "search a b\nnameserver 10.0.0.1\n");
  CHECK(reachable_name_servers("nameserver\t::1\noptions x\n") == "options x\n");
}

}  // namespace
}  // namespace onggi::image
