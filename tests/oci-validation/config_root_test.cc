// SPDX-License-Identifier: Apache-2.0
// bundle.md, and of config.md what is not of mounts, process or hooks: version, root, host name,
// annotations, extensibility, valid values, and the JSON itself.
#include "support/suite.h"

#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

bool is_refused(const std::string& text) {
  Bundle bundle;
  return !create(bundle.raw(text)).ok();
}

}  // namespace

TEST_SUITE_BEGIN("config_root");

CASE("bundle: an error without config.json") {
  CITE(
      "bundle.md#container-format: This REQUIRED file MUST reside in the root of the bundle "
      "directory and MUST be named config.json.");
  REQUIRES(root());
  Bundle bundle;
  bundle.write();
  fs::create_directory(bundle.path() / "deeper");
  fs::rename(bundle.config(), bundle.path() / "deeper/config.json");
  const std::string id = tag() + "-bundle", path = bundle.path().string();
  CHECK_FALSE(runtime({"create", "--bundle", path, id}).ok());
  fs::rename(bundle.path() / "deeper/config.json", bundle.path() / "Config.json");
  CHECK_FALSE(runtime({"create", "--bundle", path, id}).ok());
  fs::create_directory(bundle.config());
  CHECK_FALSE(runtime({"create", "--bundle", path, id}).ok());
  CHECK_FALSE(runtime({"state", id}).ok());
}

CASE("bundle: the root filesystem is the directory that root.path names") {
  CITE(
      "bundle.md#container-format: container's root filesystem: the directory referenced by "
      "root.path, if that property is set in config.json.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"cat", "/name"});
  write_file(bundle.rootfs() / "name", "of the named root");
  fs::rename(bundle.rootfs(), bundle.path() / "another");
  fs::create_directory(bundle.rootfs());
  CHECK(run(bundle.set("/root/path", "another")).out == "of the named root");
}

CASE("bundle: its own directory may have any name and place") {
  CITE(
      "bundle.md#container-format: When supplied, while these artifacts MUST all be present in a "
      "single directory on the local filesystem, that directory itself is not part of the bundle.");
  REQUIRES(root());
  const ScratchDirectory place("place");
  for (const std::string name : {"plain", "with blank", "ünïcode", "co,mma:colon"}) {
    CAPTURE(name);
    Bundle bundle;
    bundle.guest({"echo", "moved"}).write();
    fs::rename(bundle.path(), place.path() / name);
    const Outcome outcome =
        runtime({"run", "--bundle", (place.path() / name).string(), tag() + "-moved"});
    CHECK_MESSAGE(outcome.out == "moved\n", outcome.err);
    fs::rename(place.path() / name, bundle.path());
  }
}

CASE("ociVersion: an error without one") {
  CITE(
      "config.md#specification-version: ociVersion (string, REQUIRED) MUST be in SemVer v2.0.0 "
      "format and specifies the version of the Open Container Initiative Runtime Specification "
      "with which the bundle complies.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not look at it");
  Bundle bundle;
  CHECK_FALSE(create(bundle.erase("/ociVersion")).ok());
}

CASE("ociVersion: an error for what is not a semantic version") {
  CITE(
      "config.md#specification-version: ociVersion (string, REQUIRED) MUST be in SemVer v2.0.0 "
      "format and specifies the version of the Open Container Initiative Runtime Specification "
      "with which the bundle complies.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not look at it");
  DEVIATES("crun", "1.8.1 looks at the beginning only");
  for (const std::string version : {"", "1.", "1.0.0.0", "vv1.0.0", "01.0.0", "1.0.0-", "one"}) {
    CAPTURE(version);
    Bundle bundle;
    CHECK_FALSE(create(bundle.set("/ociVersion", version)).ok());
  }
}

CASE("ociVersion: an error for another major version") {
  CITE(
      "config.md#specification-version: The Open Container Initiative Runtime Specification "
      "follows semantic versioning and retains forward and backward compatibility within major "
      "versions.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not look at it");
  Bundle bundle;
  CHECK_FALSE(create(bundle.set("/ociVersion", "2.0.0")).ok());
}

CASE("ociVersion: pre-releases and build metadata are semantic versions") {
  CITE(
      "config.md#specification-version: ociVersion (string, REQUIRED) MUST be in SemVer v2.0.0 "
      "format and specifies the version of the Open Container Initiative Runtime Specification "
      "with which the bundle complies.");
  REQUIRES(root());
  for (const std::string version :
       {"1.0.0-rc1", "1.0.2-dev", "1.0.2-rc.1+build.5", "1.0.0+20200101"}) {
    CAPTURE(version);
    Bundle bundle;
    CHECK(run(bundle.set("/ociVersion", version)).ok());
  }
}

CASE("root: an error without it") {
  CITE("config.md#root: On all other platforms, this field is REQUIRED.");
  REQUIRES(root());
  Bundle bundle;
  CHECK_FALSE(create(bundle.erase("/root")).ok());
}

CASE("root: an error without path") {
  CITE(
      "config.md#root: path (string, REQUIRED) Specifies the path to the root filesystem for the "
      "container.");
  REQUIRES(root());
  Bundle bundle;
  CHECK_FALSE(create(bundle.erase("/root/path")).ok());
  CHECK_FALSE(create(bundle.set("/root/path", "")).ok());
}

CASE("root: path may be a symbolic link") {
  CITE("config.md#root: A directory MUST exist at the path declared by the field.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 refuses it");
  Bundle bundle;
  bundle.guest({"echo", "x"});
  fs::create_directory_symlink(bundle.rootfs(), bundle.path() / "link");
  CHECK(run(bundle.set("/root/path", "link")).out == "x\n");
}

CASE("root: path may lead out of the bundle") {
  CITE(
      "config.md#root: On POSIX platforms, path is either an absolute path or a relative path to "
      "the bundle.");
  REQUIRES(root());
  Bundle bundle, other;
  bundle.guest({"cat", "/name"});
  write_file(other.rootfs() / "name", "of the other");
  CHECK(run(bundle.set("/root/path", other.rootfs().string())).out == "of the other");
  const std::string up = "../" + other.path().filename().string() + "/rootfs";
  CHECK(run(bundle.set("/root/path", up)).out == "of the other");
}

CASE("root: the conventional rootfs works from any working directory") {
  CITE("config.md#root: The value SHOULD be the conventional rootfs.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"echo", "x"});
  for (const std::string& directory : {std::string("/"), bundle.path().string()}) {
    CAPTURE(directory);
    Spawn spawn;
    spawn.directory = directory;
    CHECK(run(bundle, spawn).out == "x\n");
  }
}

CASE("root: readonly is for the root alone, not for the mounts") {
  CITE(
      "config.md#root: readonly (bool, OPTIONAL) If true then the root filesystem MUST be "
      "read-only inside the container, defaults to false.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/root/readonly", true).add_mount("/data", "tmpfs", "tmpfs");
  bundle.guest(
      {"write", "/bin/x", "y", "--", "write", "/data/x", "y", "--", "chmod", "/bin", "0700"});
  const std::string out = run(bundle).out;
  CHECK(contains(out, "write /bin/x: EROFS\nwrite /data/x: ok\n"));
  CHECK(contains(out, "EROFS\n"));
  CHECK_FALSE(fs::exists(bundle.rootfs() / "bin/x"));
}

CASE("root: readonly false leaves what is written in the bundle") {
  CITE(
      "config.md#root: readonly (bool, OPTIONAL) If true then the root filesystem MUST be "
      "read-only inside the container, defaults to false.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.set("/root/readonly", false).guest({"write", "/x", "stays"})).ok());
  CHECK(read_file(bundle.rootfs() / "x") == "stays");
}

CASE("hostname: the host keeps its own") {
  CITE(
      "config.md#hostname: On Linux, for example, this will change the hostname in the container "
      "UTS namespace.");
  REQUIRES(root());
  const std::string before = host_name();
  Bundle bundle;
  CHECK(run(bundle.set("/hostname", "inside").guest({"hostname"})).out == "hostname inside\n");
  CHECK(host_name() == before);
}

CASE("hostname: without one it stays as it is in a new namespace") {
  CITE(
      "config.md#hostname: hostname (string, OPTIONAL) specifies the container's hostname as "
      "seen by processes running inside the container.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.erase("/hostname").guest({"hostname"})).out == "hostname " + host_name() + "\n");
}

CASE("hostname: one of another container's namespace") {
  CITE(
      "config.md#hostname: On Linux, for example, this will change the hostname in the container "
      "UTS namespace.");
  REQUIRES(root());
  Bundle owner;
  Container container(owner.set("/hostname", "owner"));
  REQUIRE(container.create().ok());
  const std::string path = "/proc/" + std::to_string(container.pid()) + "/ns/uts";
  Bundle guest;
  guest.erase("/hostname").set_namespace("uts", path).guest({"hostname"});
  CHECK(run(guest).out == "hostname owner\n");
}

CASE("domainname: the host keeps its own") {
  CITE(
      "config.md#domainname: On Linux, for example, this will change the domainname in the "
      "container UTS namespace.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not know domainname");
  char before[256] = {}, after[256] = {};
  CHECK(getdomainname(before, sizeof before) == 0);
  Bundle bundle;
  CHECK(run(bundle.set("/domainname", "inside.test").guest({"domainname"})).out ==
        "domainname inside.test\n");
  CHECK(getdomainname(after, sizeof after) == 0);
  CHECK(std::string(before) == after);
}

CASE("annotations: an empty map is as none") {
  CITE(
      "config.md#annotations: If there are no annotations then this property MAY either be "
      "absent or an empty map.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.set_json("/annotations", "{}")).ok());
  CHECK(run(bundle.erase("/annotations")).ok());
}

CASE("annotations: an error for what is not a map") {
  CITE("config.md#annotations: Annotations MUST be a key-value map.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 ignores it");
  for (const std::string json : {R"([])", R"("text")", R"([{"a": "b"}])", "7"}) {
    CAPTURE(json);
    Bundle bundle;
    CHECK_FALSE(create(bundle.set_json("/annotations", json)).ok());
  }
}

CASE("annotations: an error for an empty key") {
  CITE("config.md#annotations: Keys MUST NOT be an empty string.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 accepts it");
  DEVIATES("crun", "1.8.1 accepts it");
  Bundle bundle;
  CHECK_FALSE(create(bundle.set_json("/annotations", R"({"": "x"})")).ok());
}

CASE("annotations: an error for a value that is not a string") {
  CITE("config.md#annotations: Values MUST be strings.");
  REQUIRES(root());
  for (const std::string value : {"1", "true", "[]", "{}"}) {
    CAPTURE(value);
    Bundle bundle;
    CHECK_FALSE(
        create(bundle.set_json("/annotations", R"({"com.example.key": )" + value + "}")).ok());
  }
}

CASE("annotations: a value may be empty") {
  CITE("config.md#annotations: Values MAY be an empty string.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.set("/annotations/com.example.key", "")).ok());
}

CASE("annotations: those of the specification are accepted") {
  CITE(
      "config.md#annotations: The following keys in the org.opencontainers namespaces MAY be "
      "used:");
  REQUIRES(root());
  Bundle bundle;
  for (const std::string key : {"os", "os.version", "os.features", "architecture", "variant",
                                "author", "created", "stopSignal"})
    bundle.set("/annotations/org.opencontainers.image." + key, "SIGKILL");
  CHECK(run(bundle).ok());
}

CASE("annotations: unknown keys of the reserved namespace are ignored") {
  CITE(
      "config.md#annotations: Runtimes MUST handle unknown annotation keys like any other "
      "unknown property.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.set("/annotations/org.opencontainers.never.heard.of", "x")).ok());
}

CASE("extensibility: unknown properties are ignored in every object") {
  CITE(
      "config.md#extensibility: Runtimes MAY log unknown properties but MUST otherwise ignore "
      "them.");
  REQUIRES(root());
  for (const std::string object :
       {"", "/root", "/process", "/process/user", "/process/capabilities", "/process/rlimits/0",
        "/mounts/0", "/linux", "/linux/resources", "/linux/namespaces/0",
        "/linux/resources/devices/0"}) {
    CAPTURE(object);
    Bundle bundle;
    bundle.set_json(object + "/someday", R"({"deep": [1, "x", null, {"more": true}]})");
    const Outcome outcome = run(bundle.guest({"echo", "x"}));
    CHECK_MESSAGE(outcome.out == "x\n", outcome.err);
  }
}

CASE("extensibility: sections of other platforms are ignored") {
  CITE(
      "config.md#extensibility: Runtimes MAY log unknown properties but MUST otherwise ignore "
      "them.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set_json("/freebsd", R"({"jail": {"host": "new"}})").guest({"echo", "x"});
  CHECK(run(bundle).out == "x\n");
}

CASE("valid values: an error for what is of the wrong type") {
  CITE(
      "config.md#valid-values: Runtimes MUST generate an error when invalid or unsupported "
      "values are encountered.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 ignores values of the wrong type");
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"/ociVersion", "1"},
      {"/root", "[]"},
      {"/root/readonly", "\"yes\""},
      {"/hostname", "{}"},
      {"/process", "[]"},
      {"/process/args", "\"sh\""},
      {"/process/env", "{}"},
      {"/process/cwd", "1"},
      {"/process/user", "0"},
      {"/process/terminal", "\"no\""},
      {"/process/user/uid", "\"0\""},
      {"/mounts", "{}"},
      {"/hooks", "[]"},
      {"/linux", "[]"},
      {"/linux/maskedPaths", "\"/proc\""}};
  for (const auto& [pointer, value] : rows) {
    CAPTURE(pointer);
    Bundle bundle;
    CHECK_FALSE(create(bundle.set_json(pointer, value)).ok());
  }
}

CASE("JSON: text is UTF-8 all the way to the program") {
  CITE("glossary.md#json: All configuration JSON MUST be encoded in UTF-8.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.guest({"echo", "옹기", "é", "\xf0\x9f\x8f\xba"})).out ==
        "옹기 é \xf0\x9f\x8f\xba\n");
}

CASE("JSON: escapes are the characters that they stand for") {
  CITE("glossary.md#json: All configuration JSON MUST be encoded in UTF-8.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set_json("/process/args", R"(["/bin/guest", "echo", "\u00e9\t\"\\\/ \ud83c\udffa"])");
  CHECK(run(bundle).out == "é\t\"\\/ \xf0\x9f\x8f\xba\n");
}

CASE("JSON: an error for what is not UTF-8") {
  CITE("glossary.md#json: All configuration JSON MUST be encoded in UTF-8.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 replaces the bytes");
  Bundle bundle;
  std::string text = bundle.guest({"echo", "@"}).text();
  CHECK(is_refused(text.replace(text.find('@'), 1, "\xff\xfe")));
}

CASE("JSON: an error for a name that is there twice") {
  CITE("glossary.md#json: JSON objects MUST NOT include duplicate names.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 takes the last one");
  DEVIATES("crun", "1.8.1 takes one of them");
  Bundle bundle;
  CHECK(is_refused("{\"hostname\": \"a\", \"hostname\": \"b\"," +
                   bundle.erase("/hostname").text().substr(1)));
}

CASE("JSON: the order of names has no meaning") {
  CITE("glossary.md#json: The order of entries in JSON objects is not significant.");
  REQUIRES(root());
  const std::string process =
      R"({"cwd": "/", "args": ["/bin/guest", "echo", "y"], "user": {"gid": 0, "uid": 0}})";
  Bundle reversed;
  fs::create_directory(reversed.rootfs() / "dev");  // crun 1.8.1 insists on one
  reversed.raw(R"({"linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}]}, "process": )" +
               process +
               R"(, "mounts": [{"type": "proc", "source": "proc", "destination": "/proc"}],
                   "root": {"path": "rootfs"}, "ociVersion": "1.0.0"})");
  const Outcome outcome = run(reversed);
  CHECK_MESSAGE(outcome.out == "y\n", outcome.err);
}

CASE("JSON: an error for a document that is broken, empty or no object") {
  CITE(
      "config.md#valid-values: Runtimes MUST generate an error when invalid or unsupported "
      "values are encountered.");
  REQUIRES(root());
  Bundle bundle;
  const std::string whole = bundle.text();
  for (const std::string& text : {std::string(), std::string("{"), std::string("[]"),
                                  std::string("null"), whole.substr(0, whole.size() / 2)}) {
    CAPTURE(text.size());
    CHECK(is_refused(text));
  }
}

TEST_SUITE_END();
