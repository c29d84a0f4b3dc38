// SPDX-License-Identifier: Apache-2.0
// features.md and features-linux.md: the document, and whether it tells the truth.
#include "support/suite.h"

#include <regex>
#include <set>

using namespace onggi::test;

namespace {

constexpr const char* kNone = "1.8.1 has no features command";

rapidjson::Document features() {
  const Outcome outcome = runtime({"features"});
  REQUIRE(outcome.ok());
  rapidjson::Document document;
  document.Parse(outcome.out.c_str());
  REQUIRE_FALSE(document.HasParseError());
  REQUIRE(document.IsObject());
  return document;
}

// The strings of a list; none if the document has not got it, which only means "unknown".
Strings strings_of(const rapidjson::Value& object, const std::vector<std::string>& path) {
  const rapidjson::Value* value = &object;
  for (const std::string& name : path) {
    if (!value->IsObject() || !value->HasMember(name)) return {};
    value = &(*value)[name];
  }
  Strings result;
  if (value->IsNull()) return result;
  REQUIRE(value->IsArray());
  for (const rapidjson::Value& element : value->GetArray()) {
    REQUIRE(element.IsString());
    result.emplace_back(element.GetString());
  }
  return result;
}

bool is_set(const rapidjson::Value& object, const std::vector<std::string>& path) {
  const rapidjson::Value* value = &object;
  for (const std::string& name : path) {
    if (!value->IsObject() || !value->HasMember(name)) return false;
    value = &(*value)[name];
  }
  return value->IsBool() && value->GetBool();
}

std::vector<int> version_of(const std::string& text) {
  std::vector<int> numbers(3, -1);
  REQUIRE(sscanf(text.c_str(), "%d.%d.%d", &numbers[0], &numbers[1], &numbers[2]) == 3);
  return numbers;
}

// Whether create takes a seccomp profile.
bool takes_seccomp(const std::string& profile) {
  Bundle bundle;
  Container container(bundle.set_json("/linux/seccomp", profile));
  const Outcome outcome = container.create();
  INFO(outcome.err);
  return outcome.ok();
}

}  // namespace

TEST_SUITE_BEGIN("features");

CASE("features: the versions are there") {
  CITE(
      "features.md#specification-version: ociVersionMin (string, REQUIRED) The minimum "
      "recognized version of the Open Container Initiative Runtime Specification.");
  CITE(
      "features.md#specification-version: ociVersionMax (string, REQUIRED) The maximum "
      "recognized version of the Open Container Initiative Runtime Specification.");
  REQUIRES(root());
  DEVIATES("crun", kNone);
  const rapidjson::Document document = features();
  for (const char* key : {"ociVersionMin", "ociVersionMax"}) {
    CAPTURE(key);
    REQUIRE(document.HasMember(key));
    REQUIRE(document[key].IsString());
    CHECK(std::regex_match(document[key].GetString(),
                           std::regex("[0-9]+\\.[0-9]+\\.[0-9]+([-+].*)?")));
  }
}

CASE("features: config.json may have either version") {
  CITE(
      "features.md#specification-version: The runtime MUST accept this value as the ociVersion "
      "property of config.json.");
  REQUIRES(root());
  DEVIATES("crun", kNone);
  const rapidjson::Document document = features();
  for (const char* key : {"ociVersionMin", "ociVersionMax"}) {
    CAPTURE(key);
    Bundle bundle;
    CHECK(run(bundle.set("/ociVersion", document[key].GetString())).ok());
  }
}

CASE("features: the maximum is not below the minimum") {
  CITE(
      "features.md#specification-version: The value MUST NOT be less than the value of the "
      "ociVersionMin property.");
  REQUIRES(root());
  DEVIATES("crun", kNone);
  const rapidjson::Document document = features();
  CHECK(version_of(document["ociVersionMax"].GetString()) >=
        version_of(document["ociVersionMin"].GetString()));
}

CASE("features: no property that the specification does not have") {
  CITE(
      "features.md#specification-version: The Features structure MUST NOT contain properties "
      "that are not defined in this version of the Open Container Initiative Runtime "
      "Specification.");
  REQUIRES(root());
  DEVIATES("crun", kNone);
  const std::set<std::string> top = {"ociVersionMin",
                                     "ociVersionMax",
                                     "hooks",
                                     "mountOptions",
                                     "linux",
                                     "annotations",
                                     "potentiallyUnsafeConfigAnnotations"};
  const std::set<std::string> of_linux = {
      "namespaces", "capabilities", "cgroup",       "seccomp",         "apparmor",
      "selinux",    "intelRdt",     "memoryPolicy", "mountExtensions", "netDevices"};
  const rapidjson::Document document = features();
  for (const auto& member : document.GetObject()) {
    CAPTURE(member.name.GetString());
    CHECK(top.count(member.name.GetString()) == 1);
  }
  if (!document.HasMember("linux")) return;
  for (const auto& member : document["linux"].GetObject()) {
    CAPTURE(member.name.GetString());
    CHECK(of_linux.count(member.name.GetString()) == 1);
  }
}

CASE("features: the answer does not depend on who asks") {
  CITE(
      "features.md: The Features structure is irrelevant to the actual availability of the "
      "features in the host operating system.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 makes its state directory first");
  DEVIATES("crun", kNone);
  Spawn spawn;
  spawn.user = 65534;
  spawn.directory = "/";
  const Outcome stranger = run_program({runtime_path(), "features"}, spawn);
  CHECK(stranger.ok());
  CHECK(stranger.err.empty());
  CHECK(stranger.out == runtime({"features"}).out);
}

CASE("features: hooks: each of them runs") {
  CITE(
      "features.md#hooks: The runtime MUST support the elements in this array as the hooks "
      "property of config.json.");
  REQUIRES(root());
  DEVIATES("crun", kNone);
  for (const std::string& point : strings_of(features(), {"hooks"})) {
    CAPTURE(point);
    Bundle bundle;
    bundle.writable_root();
    const bool is_inside = point == "startContainer";
    const std::string mark = is_inside ? "/mark" : (bundle.rootfs() / "mark").string();
    const std::string program = is_inside ? "/bin/guest" : (bundle.rootfs() / "bin/guest").string();
    bundle.set_json("/hooks/" + point, R"([{"path": )" + json_string(program) +
                                           R"(, "args": ["guest", "write", )" + json_string(mark) +
                                           R"(, "x"]}])");
    CHECK(run(bundle).ok());
    CHECK(std::filesystem::exists(bundle.rootfs() / "mark"));
  }
}

CASE("features: mountOptions: none is passed on to the file system") {
  CITE(
      "features.md#mount-options: The runtime MUST recognize the elements in this array as the "
      "options of mounts objects in config.json.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 announces defaults and passes it on");
  DEVIATES("crun", kNone);
  // tmpfs refuses options that it does not know; these are not for a new mount of it.
  const std::set<std::string> others = {"bind",  "rbind", "remount",  "acl",
                                        "noacl", "mand",  "tmpcopyup"};
  for (const std::string& option : strings_of(features(), {"mountOptions"})) {
    if (others.count(option) == 1) continue;
    CAPTURE(option);
    Bundle bundle;
    const Outcome outcome = run(bundle.add_mount("/data", "tmpfs", "tmpfs", {option}));
    CHECK_MESSAGE(outcome.ok(), outcome.err);
  }
}

CASE("features: mountOptions: no option of a file system") {
  CITE(
      "features.md#mount-options: Linux: this array SHOULD NOT contain filesystem-specific mount "
      "options that are passed to the mount(2) syscall as const void *data.");
  REQUIRES(root());
  DEVIATES("crun", kNone);
  for (const std::string& option : strings_of(features(), {"mountOptions"})) {
    CAPTURE(option);
    for (const char* specific :
         {"size", "mode", "uid", "gid", "nr_inodes", "newinstance", "ptmxmode", "hidepid"})
      CHECK_FALSE(option.starts_with(specific));
  }
}

CASE("features: linux: namespaces: each is one of config.json") {
  CITE(
      "features-linux.md#namespaces: The runtime MUST recognize the elements in this array as "
      "the type of linux.namespaces objects in config.json.");
  REQUIRES(root());
  REQUIRES(user_namespaces());
  DEVIATES("crun", kNone);
  for (const std::string& type : strings_of(features(), {"linux", "namespaces"})) {
    CAPTURE(type);
    Bundle bundle;
    bundle.set_namespace(type).guest({"ns"});
    if (type == "user")  // in which sysfs is not mounted on every host
      bundle.drop_mount("/sys/fs/cgroup")
          .drop_mount("/sys")
          .set_json("/linux/uidMappings", R"([{"containerID": 0, "hostID": 0, "size": 65536}])")
          .set_json("/linux/gidMappings", R"([{"containerID": 0, "hostID": 0, "size": 65536}])");
    const Outcome outcome = run(bundle);
    CHECK_MESSAGE(outcome.ok(), outcome.err);
  }
}

CASE("features: linux: capabilities: each is one of config.json") {
  CITE(
      "features-linux.md#capabilities: The runtime MUST recognize the elements in this array in "
      "the process.capabilities object of config.json.");
  REQUIRES(root());
  DEVIATES("crun", kNone);
  const Strings names = strings_of(features(), {"linux", "capabilities"});
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
  Bundle bundle;
  const Outcome outcome = run(bundle.set("/process/capabilities/bounding", names).guest({"caps"}));
  CHECK(outcome.ok());
  // What the host can grant of it.
  const std::string bounding = value_of(outcome.out, "CapBnd");
  CHECK(contains(read_file("/proc/self/status"), "CapBnd:\t" + bounding));
}

CASE("features: linux: seccomp: every action is one of config.json") {
  CITE(
      "features-linux.md#seccomp: The runtime MUST recognize the elements in this array in the "
      "syscalls[].action property of the linux.seccomp object in config.json.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("crun", kNone);
  for (const std::string& action : strings_of(features(), {"linux", "seccomp", "actions"})) {
    if (action == "SCMP_ACT_NOTIFY") continue;  // needs somebody who listens
    CAPTURE(action);
    CHECK(takes_seccomp(
        R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["sync"], "action": ")" +
        action + R"("}]})"));
  }
  CHECK_FALSE(takes_seccomp(
      R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["sync"], "action": "SCMP_ACT_NONE"}]})"));
}

CASE("features: linux: seccomp: every operator is one of config.json") {
  CITE(
      "features-linux.md#seccomp: The runtime MUST recognize the elements in this array in the "
      "syscalls[].args[].op property of the linux.seccomp object in config.json.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("crun", kNone);
  for (const std::string& op : strings_of(features(), {"linux", "seccomp", "operators"})) {
    CAPTURE(op);
    const std::string mask = op == "SCMP_CMP_MASKED_EQ" ? R"("valueTwo": 1, )" : "";
    CHECK(
        takes_seccomp(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["personality"],
        "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 12345, )" +
                      mask + R"("op": ")" + op + R"("}]}]})"));
  }
}

CASE("features: linux: seccomp: every architecture is one of config.json") {
  CITE(
      "features-linux.md#seccomp: The runtime MUST recognize the elements in this array in the "
      "architectures property of the linux.seccomp object in config.json.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("crun", kNone);
  for (const std::string& arch : strings_of(features(), {"linux", "seccomp", "archs"})) {
    CAPTURE(arch);
    // Byte orders cannot be mixed in one program: recognized is also what is refused for that.
    Bundle bundle;
    Container container(bundle.set_json(
        "/linux/seccomp",
        R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": [")" + arch +
            R"("], "syscalls": [{"names": ["sync"], "action": "SCMP_ACT_ERRNO"}]})"));
    const Outcome outcome = container.create();
    CHECK_MESSAGE((outcome.ok() || !contains(outcome.err, "unknown")), outcome.err);
  }
}

CASE("features: linux: seccomp: supported flags are known, and work") {
  CITE(
      "features-linux.md#seccomp: The runtime MUST recognize and support the elements in this "
      "array in the flags property of the linux.seccomp object in config.json.");
  CITE(
      "features-linux.md#seccomp: This list may be a subset of knownFlags due to some flags not "
      "supported by the current kernel and/or libseccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("crun", kNone);
  const rapidjson::Document document = features();
  const Strings known = strings_of(document, {"linux", "seccomp", "knownFlags"});
  for (const std::string& flag : strings_of(document, {"linux", "seccomp", "supportedFlags"})) {
    CAPTURE(flag);
    CHECK(std::find(known.begin(), known.end(), flag) != known.end());
    if (flag == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") continue;  // for listeners only
    CHECK(takes_seccomp(R"({"defaultAction": "SCMP_ACT_ALLOW", "flags": [")" + flag +
                        R"("], "syscalls": [{"names": ["sync"], "action": "SCMP_ACT_ERRNO"}]})"));
  }
}

CASE("features: linux: memoryPolicy: every mode is one of config.json") {
  CITE(
      "features-linux.md#memorypolicy: The runtime MUST recognize the elements in this array as "
      "the mode of linux.memoryPolicy objects in config.json.");
  REQUIRES(root());
  DEVIATES("crun", kNone);
  for (const std::string& mode : strings_of(features(), {"linux", "memoryPolicy", "modes"})) {
    CAPTURE(mode);
    if (mode == "MPOL_WEIGHTED_INTERLEAVE" && !kernel(6, 9).met) continue;  // named, but EINVAL
    const bool is_bare = mode == "MPOL_DEFAULT" || mode == "MPOL_LOCAL";
    Bundle bundle;
    bundle.set("/linux/memoryPolicy/mode", mode);
    if (!is_bare) bundle.set("/linux/memoryPolicy/nodes", "0");
    const Outcome outcome = run(bundle);
    CHECK_MESSAGE(outcome.ok(), outcome.err);
  }
}

CASE("features: linux: cgroup, security modules and extensions are objects of booleans") {
  CITE(
      "features-linux.md#cgroup: cgroup (object, OPTIONAL) represents the runtime's "
      "implementation status of cgroup managers.");
  REQUIRES(root());
  DEVIATES("crun", kNone);
  const rapidjson::Document document = features();
  for (const char* name : {"cgroup", "apparmor", "selinux", "intelRdt", "netDevices"}) {
    CAPTURE(name);
    if (!document["linux"].HasMember(name)) continue;
    REQUIRE(document["linux"][name].IsObject());
    for (const auto& member : document["linux"][name].GetObject())
      CHECK((member.value.IsBool() || member.value.IsNull()));
  }
}

CASE("features: linux: what is not enabled is refused, not ignored") {
  CITE(
      "features-linux.md#netdevices: enabled (bool, OPTIONAL) represents whether the runtime "
      "supports the capability to move Linux network devices into the container's network "
      "namespace.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 ignores what it does not know");
  DEVIATES("crun", kNone);
  const rapidjson::Document document = features();
  const rapidjson::Value& of_linux = document["linux"];
  if (!is_set(of_linux, {"netDevices", "enabled"})) {
    Bundle bundle;
    CHECK_FALSE(create(bundle.set_json("/linux/netDevices", R"({"eth77": {}})")).ok());
  }
  if (!is_set(of_linux, {"intelRdt", "enabled"})) {
    Bundle bundle;
    CHECK_FALSE(create(bundle.set_json("/linux/intelRdt", R"({"closID": "x"})")).ok());
  }
  if (!is_set(of_linux, {"mountExtensions", "idmap", "enabled"})) {
    Bundle bundle;
    bundle.add_bind("/data", bundle.rootfs(), {"bind", "idmap"});
    CHECK_FALSE(create(bundle).ok());
  }
}

CASE("features: annotations are strings under keys that are not empty") {
  CITE(
      "features.md#annotations: Annotations MUST be a key-value map that follows the same "
      "convention as the Key and Values of the annotations property of config.json.");
  REQUIRES(root());
  DEVIATES("crun", kNone);
  const rapidjson::Document document = features();
  if (!document.HasMember("annotations")) return;
  REQUIRE(document["annotations"].IsObject());
  for (const auto& member : document["annotations"].GetObject()) {
    CHECK(member.name.GetStringLength() > 0);
    CHECK(member.value.IsString());
  }
}

TEST_SUITE_END();
