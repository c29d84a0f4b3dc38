// SPDX-License-Identifier: Apache-2.0
// Mounts: config.md from mounts to POSIX-platform mounts, and config-linux.md on rootfs
// propagation, masked and read-only paths, and the mount label.
#include "support/mount_table.h"
#include "support/suite.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* kRuncIds = "1.1.5 knows no id-mapped mounts";

}  // namespace

TEST_SUITE_BEGIN("mounts");

// ── config.md#mounts ──

CASE("mounts: a later entry may lie in an earlier one") {
  CITE("config.md#mounts: The runtime MUST mount entries in the listed order.");
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.add_mount("/a", "tmpfs", "tmpfs")
      .add_mount("/a/b", "tmpfs", "tmpfs")
      .add_bind("/a/b/c", source.path())
      .guest({"cat", "/a/b/c/file"});
  CHECK(run(bundle).out == "from the host");
}

CASE("mounts: an earlier entry is covered by a later one on its parent") {
  CITE("config.md#mounts: The runtime MUST mount entries in the listed order.");
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.add_bind("/a/b", source.path()).add_mount("/a", "tmpfs", "tmpfs").guest({"ls", "/a"});
  CHECK(run(bundle.writable_root()).out == "");
}

CASE("mounts: a relative destination is relative to the root") {
  CITE(
      "config.md#mounts: For compatibility with old tools and configurations, it MAY be a relative "
      "path, in which case it MUST be interpreted as relative to \"/\".");
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.set("/process/cwd", "/proc").add_bind("srv/data", source.path());
  CHECK(run(bundle.writable_root().guest({"cat", "/srv/data/file"})).out == "from the host");
}

CASE("mounts: a source can be a file") {
  CITE(
      "config.md#mounts: source (string, OPTIONAL) A device name, but can also be a file or "
      "directory name for bind mounts or a dummy.");
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.add_bind("/etc/one", source.path() / "file").guest({"cat", "/etc/one"});
  CHECK(run(bundle.writable_root()).out == "from the host");
}

CASE("mounts: a source can be a dummy, or missing") {
  CITE(
      "config.md#mounts: source (string, OPTIONAL) A device name, but can also be a file or "
      "directory name for bind mounts or a dummy.");
  REQUIRES(root());
  Bundle bundle;
  bundle.add_mount("/data", "tmpfs", "any word")
      .set_json("/mounts/-", R"({"destination": "/more", "type": "tmpfs"})");
  const std::string table = table_of(bundle);
  CHECK(mount_at(table, "/data").type == "tmpfs");
  CHECK(mount_at(table, "/more").type == "tmpfs");
}

CASE("mounts: an absolute bind source is one of the host") {
  CITE(
      "config.md#mounts: Path values for bind mounts are either absolute or relative to the "
      "bundle.");
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.add_bind("/data", source.path()).guest({"cat", "/data/file"});
  CHECK(run(bundle).out == "from the host");
}

CASE("mounts: a bind source may lead out of the bundle") {
  CITE(
      "config.md#mounts: Path values for bind mounts are either absolute or relative to the "
      "bundle.");
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.add_bind("/data", "../" + source.path().filename().string()).guest({"cat", "/data/file"});
  CHECK(run(bundle).out == "from the host");
}

CASE("mounts: a type of bind alone makes no bind mount of a filesystem") {
  CITE("config.md#mounts: A mount is a bind mount if it has either bind or rbind in the options.");
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.add_mount("/data", "tmpfs", source.path().string(), {"nosuid"});
  CHECK(mount_at(table_of(bundle), "/data").type == "tmpfs");
}

// ── id-mapped mounts ──

CASE("idmap: the mount's own mappings are used") {
  cite_mount_option(
      "idmap SHOULD Indicates that the mount MUST have an idmapping applied. If uidMappings or "
      "gidMappings are specified for the mount, the runtime MUST use those values for the mount's "
      "mapping.");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("runc", kRuncIds);
  const Source source;
  Bundle bundle;
  bundle.add_bind("/data", source.path(), {"bind", "idmap"});
  map_last_mount(bundle, mapping(0, kFirstId, 10)).guest({"stat", "/data/file"});
  CHECK(contains(run(bundle).out, "/data/file file 0644 100000 100000 "));
}

CASE("idmap: they are used in a user namespace, too") {
  cite_mount_option(
      "idmap SHOULD If uidMappings or gidMappings are specified for the mount, the runtime MUST "
      "use "
      "those values for the mount's mapping.");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  REQUIRES(user_namespaces());
  DEVIATES("runc", kRuncIds);
  const Source source;
  Bundle bundle;
  fs::create_directories(bundle.rootfs() / "data");
  in_user_namespace(bundle).add_bind("/data", source.path(), {"bind", "idmap"});
  map_last_mount(bundle, mapping(0, kFirstId + 9, 10)).guest({"stat", "/data/file"});
  CHECK(contains(run(bundle).out, "/data/file file 0644 9 9 "));
}

CASE("idmap: without own mappings, those of the container's user namespace") {
  cite_mount_option(
      "idmap SHOULD If they are not specified, the runtime MAY use the container's user namespace "
      "mapping, otherwise an error MUST be returned.");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  REQUIRES(user_namespaces());
  DEVIATES("runc", kRuncIds);
  const Source source;
  Bundle bundle;
  fs::create_directories(bundle.rootfs() / "data");
  in_user_namespace(bundle)
      .add_bind("/data", source.path(), {"bind", "idmap"})
      .guest({"stat", "/data/file"});
  CHECK(contains(run(bundle).out, "/data/file file 0644 0 0 "));
}

CASE("idmap: without any mappings it is an error") {
  cite_mount_option(
      "idmap SHOULD If there are no uidMappings and gidMappings specified and the container isn't "
      "using user namespaces, an error MUST be returned.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 ignores the option");
  DEVIATES("runc", kRuncIds);
  const Source source;
  for (const char* option : {"idmap", "ridmap"}) {
    CAPTURE(option);
    Bundle bundle;
    CHECK_FALSE(create(bundle.add_bind("/data", source.path(), {"rbind", option})).ok());
  }
}

CASE("ridmap: the mapping is applied recursively") {
  cite_mount_option(
      "ridmap SHOULD Indicates that the mount MUST have an idmapping applied, and the mapping is "
      "applied recursively.");
  REQUIRES(root());
  REQUIRES(kernel(6, 3));
  DEVIATES("runc", kRuncIds);
  DEVIATES("crun", "1.8.1 does not know ridmap");
  const HostTree tree;
  write_file(tree.path() / "sub/file", "");
  Bundle bundle;
  bundle.add_bind("/data", tree.path(), {"rbind", "ridmap"});
  map_last_mount(bundle, mapping(0, kFirstId, 10)).guest({"stat", "/data/sub/file"});
  CHECK(contains(run(bundle).out, "/data/sub/file file 0644 100000 100000 "));
}

CASE("uidMappings: ids are converted from the source to the destination") {
  CITE(
      "config.md#posix-platform-mounts: uidMappings (array of type LinuxIDMapping, OPTIONAL) The "
      "mapping to convert UIDs from the source file system to the destination mount point.");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("runc", kRuncIds);
  const Source source;
  REQUIRE(chown((source.path() / "file").c_str(), 20, 30) == 0);
  Bundle bundle;
  bundle.add_bind("/data", source.path(), {"bind", "idmap"});
  map_last_mount(bundle, mapping(0, kFirstId, 100))
      .set_json("/mounts/7/uidMappings", mapping(20, 2000, 5))
      .guest({"stat", "/data/file"});
  CHECK(contains(run(bundle).out, "/data/file file 0644 2000 100030 "));
}

CASE("uidMappings: not without gidMappings, and the reverse") {
  CITE(
      "config.md#posix-platform-mounts: If specified, it MUST be specified along with "
      "gidMappings.");
  REQUIRES(root());
  DEVIATES("runc", kRuncIds);
  const Source source;
  for (const char* missing : {"/mounts/7/uidMappings", "/mounts/7/gidMappings"}) {
    CAPTURE(missing);
    Bundle bundle;
    bundle.add_bind("/data", source.path(), {"bind", "idmap"});
    CHECK_FALSE(create(map_last_mount(bundle, mapping(0, 1, 1)).erase(missing)).ok());
  }
}

CASE("type: the filesystem types of the kernel") {
  CITE(
      "config.md#posix-platform-mounts: Linux: filesystem types supported by the kernel as listed "
      "in /proc/filesystems");
  REQUIRES(root());
  Bundle bundle;
  bundle.add_mount("/ram", "ramfs", "none").add_mount("/temporary", "tmpfs", "none");
  const std::string table = table_of(bundle);
  CHECK(mount_at(table, "/ram").type == "ramfs");
  CHECK(mount_at(table, "/temporary").type == "tmpfs");
  Bundle unknown;
  CHECK_FALSE(create(unknown.add_mount("/data", "nosuchfs", "none")).ok());
}

CASE("type: a dummy for bind mounts") {
  CITE(
      "config.md#posix-platform-mounts: For bind mounts (when options include either bind or "
      "rbind), the type is a dummy, often \"none\" (not listed in /proc/filesystems).");
  REQUIRES(root());
  const Source source;
  for (const char* type : {"none", "nosuchfs", "proc", ""}) {
    CAPTURE(type);
    Bundle bundle;
    bundle.add_mount("/data", type, source.path().string(), {"rbind"}).guest({"cat", "/data/file"});
    CHECK(run(bundle).out == "from the host");
  }
}

// ── config-linux.md ──

CASE("rootfsPropagation: shared") {
  CITE(
      "config-linux.md#rootfs-mount-propagation: shared: the rootfs mount belongs to a new peer "
      "group.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not apply it after the pivot");
  Bundle bundle;
  const HostMount on_host(bundle.rootfs(), MS_BIND);
  on_host.change(MS_SHARED);
  const std::string host = mount_at(read_file("/proc/self/mountinfo"), bundle.rootfs()).tags;
  const std::string tags =
      mount_at(table_of(bundle.set("/linux/rootfsPropagation", "shared")), "/").tags;
  CHECK(contains(tags, "shared:"));
  CHECK_FALSE(contains(tags, host.substr(0, host.find(' ') + 1)));
}

CASE("rootfsPropagation: slave") {
  CITE(
      "config-linux.md#rootfs-mount-propagation: slave: the rootfs mount receives propagation "
      "events from the host (e.g. if something is mounted on the host it will also appear in the "
      "container) but not the other way around.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 makes the mount that the root lies on private");
  DEVIATES("crun", "1.8.1 makes the root private");
  Bundle bundle;
  const HostMount on_host(bundle.rootfs(), MS_BIND);
  on_host.change(MS_SHARED);
  const std::string tags =
      mount_at(table_of(bundle.set("/linux/rootfsPropagation", "slave")), "/").tags;
  CHECK(contains(tags, "master:"));
  CHECK_FALSE(contains(tags, "shared:"));
}

CASE("rootfsPropagation: private") {
  CITE(
      "config-linux.md#rootfs-mount-propagation: private: the rootfs mount doesn't receive mount "
      "propagation events from the host");
  REQUIRES(root());
  Bundle bundle;
  const HostMount on_host(bundle.rootfs(), MS_BIND);
  on_host.change(MS_SHARED);
  CHECK(mount_at(table_of(bundle.set("/linux/rootfsPropagation", "private")), "/").tags == "");
}

CASE("rootfsPropagation: unbindable") {
  CITE(
      "config-linux.md#rootfs-mount-propagation: unbindable: the rootfs mount is a private mount "
      "that cannot be bind-mounted.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not apply it after the pivot");
  Bundle bundle;
  const std::string tags =
      mount_at(table_of(bundle.set("/linux/rootfsPropagation", "unbindable")), "/").tags;
  CHECK(contains(tags, "unbindable"));
  CHECK_FALSE(contains(tags, "shared:"));
}

CASE("rootfsPropagation: any other word is an error") {
  CITE(
      "config-linux.md#rootfs-mount-propagation: Its value is either shared, slave, private or "
      "unbindable.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 takes any word");
  Bundle bundle;
  CHECK_FALSE(create(bundle.set("/linux/rootfsPropagation", "secret")).ok());
}

CASE("maskedPaths: neither file nor directory can be read") {
  CITE(
      "config-linux.md#masked-paths: maskedPaths (array of strings, OPTIONAL) will mask over the "
      "provided paths inside the container so that they cannot be read.");
  REQUIRES(root());
  Bundle bundle;
  fs::create_directory(bundle.rootfs() / "directory");
  write_file(bundle.rootfs() / "directory/file", "secret");
  write_file(bundle.rootfs() / "key", "secret");
  bundle.set("/linux/maskedPaths", Strings{"/directory", "/key"})
      .guest({"ls", "/directory", "--", "cat", "/key"});
  CHECK(run(bundle).out == "");
}

CASE("readonlyPaths: a writable mount is not, below them") {
  CITE(
      "config-linux.md#readonly-paths: readonlyPaths (array of strings, OPTIONAL) will set the "
      "provided paths as readonly inside the container.");
  REQUIRES(root());
  const Source source;
  fs::create_directory(source.path() / "fixed");
  Bundle bundle;
  bundle.add_bind("/data", source.path())
      .set("/linux/readonlyPaths", Strings{"/data/fixed"})
      .guest({"write", "/data/fixed/x", "y", "--", "write", "/data/x", "y"});
  CHECK(run(bundle).out == "write /data/fixed/x: EROFS\nwrite /data/x: ok\n");
}

CASE("mountLabel: without SELinux it is an error") {
  CITE(
      "config-linux.md#mount-label: mountLabel (string, OPTIONAL) will set the Selinux context for "
      "the mounts in the container.");
  REQUIRES(root());
  REQUIRES((Need{!fs::exists("/sys/fs/selinux/enforce"), "a host without SELinux in force"}));
  DEVIATES("crun", "1.8.1 mounts without it");
  Bundle bundle;
  bundle.set("/linux/mountLabel", "system_u:object_r:container_file_t:s0:c1,c2")
      .guest({"exit", "0"});
  CHECK(run(bundle).status == 1);
}

TEST_SUITE_END();
