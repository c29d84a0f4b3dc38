// SPDX-License-Identifier: Apache-2.0
// The documents that onggi writes itself, and those of the specification's own test suite if there
// is a copy.
#include "spec/default_spec.h"
#include "spec/features.h"
#include "spec/mount_options.h"
#include "support.h"

#include <dirent.h>
#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace onggi;
using namespace onggi::spec;

namespace {

std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  DIR* directory = opendir(folder.c_str());
  REQUIRE_MESSAGE(directory != nullptr, folder);
  while (const dirent* entry = readdir(directory)) {
    if (std::string_view(entry->d_name).ends_with(".json"))
      files.push_back(folder + "/" + entry->d_name);
  }
  closedir(directory);
  std::ranges::sort(files);
  REQUIRE_FALSE(files.empty());
  return files;
}

std::string content(const std::string& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> strings(const rapidjson::Value& array) {
  std::vector<std::string> texts;
  for (const auto& element : array.GetArray()) texts.emplace_back(element.GetString());
  return texts;
}

rapidjson::Document features(const HostFeatures& host, const BuildFeatures& build) {
  rapidjson::Document document;
  document.Parse(features_document(host, build).c_str());
  REQUIRE_FALSE(document.HasParseError());
  return document;
}

}  // namespace

TEST_CASE("the document of `onggi spec` is valid") {
  const std::string document = default_spec();
  CHECK(verdict(document) == "ok");
  CHECK(document.ends_with("}\n"));
  const auto spec = parse(document);
  REQUIRE(spec);
  CHECK(spec.value().ignored.empty());
  CHECK(spec.value().process->terminal);
  CHECK(spec.value().process->args == TextList{"sh"});
  CHECK(spec.value().process->capabilities->bounding == (1u << 29 | 1u << 5 | 1u << 10));
  CHECK(spec.value().process->capabilities->inheritable == 0);
  CHECK(spec.value().process->no_new_privileges);
  CHECK(spec.value().linux.namespaces.size() == 6);
  CHECK(spec.value().mounts.size() == 7);
  CHECK_FALSE(spec.value().linux.resources->devices[0].allow);
}

TEST_CASE("the features document lists what is done, and nothing else") {
  HostFeatures host;
  host.version = "0.1";
  host.capabilities = {"CAP_CHOWN"};
  const auto none = features(host, BuildFeatures{});
  CHECK(std::string(none["ociVersionMin"].GetString()) == "1.0.0");
  CHECK(std::string(none["ociVersionMax"].GetString()) == "1.3.0");
  CHECK(none["hooks"].Empty());
  CHECK(none["linux"]["namespaces"].Size() == 8);
  CHECK(strings(none["linux"]["capabilities"]) == std::vector<std::string>{"CAP_CHOWN"});
  CHECK_FALSE(none["linux"]["seccomp"]["enabled"].GetBool());
  CHECK_FALSE(none["linux"]["mountExtensions"]["idmap"]["enabled"].GetBool());
  CHECK_FALSE(none["linux"].HasMember("memoryPolicy"));
  const auto options = strings(none["mountOptions"]);
  CHECK(std::ranges::is_sorted(options));
  CHECK(std::ranges::count(options, "rro") == 1);
  CHECK(std::ranges::count(options, "tmpcopyup") == 0);
  CHECK(std::ranges::count(options, "idmap") == 0);
}

TEST_CASE("the features document with everything on") {
  HostFeatures host;
  host.version = "0.1";
  host.commit = "abc";
  host.libseccomp_version = "2.5.4";
  host.seccomp_architectures = {"SCMP_ARCH_X86_64"};
  host.seccomp_supported_flags = {"SECCOMP_FILTER_FLAG_LOG"};
  constexpr std::string_view kHooks[] = {"prestart", "poststop"};
  BuildFeatures build;
  build.hooks = kHooks;
  build.idmapped_mounts = build.tmpcopyup = build.remount = build.seccomp_notify =
      build.memory_policy = build.intel_rdt = true;
  const auto all = features(host, build);
  CHECK(strings(all["hooks"]) == std::vector<std::string>{"prestart", "poststop"});
  const auto& seccomp = all["linux"]["seccomp"];
  CHECK(seccomp["actions"].Size() == 9);
  CHECK(seccomp["operators"].Size() == 7);
  CHECK(strings(seccomp["archs"]) == std::vector<std::string>{"SCMP_ARCH_X86_64"});
  CHECK(seccomp["knownFlags"].Size() == 4);
  CHECK(strings(seccomp["supportedFlags"]) == std::vector<std::string>{"SECCOMP_FILTER_FLAG_LOG"});
  CHECK(all["linux"]["intelRdt"]["schemata"].GetBool());
  CHECK(all["linux"]["memoryPolicy"]["modes"].Size() == 7);
  CHECK(std::string(all["annotations"]["io.github.seccomp.libseccomp.version"].GetString()) ==
        "2.5.4");
  CHECK(all["mountOptions"].Size() == known_mount_options().size() - 2);
}

// ONGGI_SCHEMA_TESTS: the folder schema/test of opencontainers/runtime-spec.
TEST_CASE("the specification's good documents are accepted and its bad ones refused") {
  const char* folder = std::getenv("ONGGI_SCHEMA_TESTS");
  if (folder == nullptr) {
    MESSAGE("SKIPPED: ONGGI_SCHEMA_TESTS is not set");
    return;
  }
  for (const std::string& file : files_below(std::string(folder) + "/config/good")) {
    CAPTURE(file);
    CHECK(verdict(content(file)) == "ok");
  }
  for (const std::string& file : files_below(std::string(folder) + "/config/bad")) {
    CAPTURE(file);
    CHECK(verdict(content(file)) != "ok");
  }
}
