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
constexpr const char* kCrunPropagation = "1.8.1 leaves the mount private";
constexpr const char* kCrunDrops = "1.8.1 drops the flags of the source";
constexpr const char* kCrunKeeps = "1.8.1 does not take back what an earlier option set";
constexpr const char* kLinuxOptions =
    "config.md#linux-mount-options: Runtimes MUST/SHOULD/MAY implement the following option "
    "strings "
    "for Linux: ";

void cite_option(const char* row) {
  CITE(std::string(kLinuxOptions) + row);
}

std::string table_of(Bundle& bundle) {
  return run(bundle.guest({"mounts"})).out;
}

// The mount on /data of a tmpfs, or of a bind of `source`, with these options.
MountLine tmpfs_with(const Strings& options) {
  Bundle bundle;
  return mount_at(table_of(bundle.add_mount("/data", "tmpfs", "tmpfs", options)), "/data");
}
std::string bind_table(const fs::path& source, const Strings& options) {
  Bundle bundle;
  return table_of(bundle.add_bind("/data", source, options));
}

// A host tree of two mounts.
struct Tree {
  explicit Tree(unsigned long flags = 0)
      : top(source.path() / "top"), below(top.path() / "sub", flags) {
    top.change(MS_REMOUNT | flags);
  }
  const Source source;
  const HostMount top, below;
  const fs::path& path() const { return top.path(); }
};

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

// ── config.md#linux-mount-options: flags ──

CASE("mount options: ro and rw") {
  cite_option("ro MUST, rw MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  CHECK(has_option(tmpfs_with({"ro"}).options, "ro"));
  CHECK(has_option(tmpfs_with({"rw"}).options, "rw"));
  CHECK(has_option(tmpfs_with({"ro", "rw"}).options, "rw"));
}

CASE("mount options: nosuid and suid") {
  cite_option("nosuid MUST, suid MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  CHECK(has_option(tmpfs_with({"nosuid"}).options, "nosuid"));
  CHECK_FALSE(has_option(tmpfs_with({"nosuid", "suid"}).options, "nosuid"));
}

CASE("mount options: nodev and dev") {
  cite_option("nodev MUST, dev MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  CHECK(has_option(tmpfs_with({"nodev"}).options, "nodev"));
  CHECK_FALSE(has_option(tmpfs_with({"nodev", "dev"}).options, "nodev"));
}

CASE("mount options: noexec and exec") {
  cite_option("noexec MUST, exec MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  CHECK(has_option(tmpfs_with({"noexec"}).options, "noexec"));
  CHECK_FALSE(has_option(tmpfs_with({"noexec", "exec"}).options, "noexec"));
}

CASE("mount options: nodiratime and diratime") {
  cite_option("nodiratime MUST, diratime MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  CHECK(has_option(tmpfs_with({"nodiratime"}).options, "nodiratime"));
  CHECK_FALSE(has_option(tmpfs_with({"nodiratime", "diratime"}).options, "nodiratime"));
}

CASE("mount options: noatime and atime") {
  cite_option("noatime MUST, atime MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  CHECK(has_option(tmpfs_with({"noatime"}).options, "noatime"));
  CHECK_FALSE(has_option(tmpfs_with({"noatime", "atime"}).options, "noatime"));
}

CASE("mount options: relatime and norelatime") {
  cite_option("relatime MUST, norelatime MUST");
  REQUIRES(root());
  CHECK(has_option(tmpfs_with({"relatime"}).options, "relatime"));
  CHECK(tmpfs_with({"norelatime"}).type == "tmpfs");
}

CASE("mount options: strictatime and nostrictatime") {
  cite_option("strictatime MUST, nostrictatime MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  const MountLine strict = tmpfs_with({"strictatime"});
  CHECK_FALSE(has_option(strict.options, "relatime"));
  CHECK_FALSE(has_option(strict.options, "noatime"));
  CHECK(has_option(tmpfs_with({"strictatime", "nostrictatime"}).options, "relatime"));
}

CASE("mount options: nosymfollow and symfollow") {
  cite_option("nosymfollow SHOULD, symfollow SHOULD");
  REQUIRES(root());
  REQUIRES(kernel(5, 10));
  DEVIATES("crun", "1.8.1 knows neither");
  CHECK(has_option(tmpfs_with({"nosymfollow"}).options, "nosymfollow"));
  CHECK_FALSE(has_option(tmpfs_with({"nosymfollow", "symfollow"}).options, "nosymfollow"));
}

CASE("mount options: sync, async and dirsync") {
  cite_option("sync MUST, async MUST, dirsync MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  CHECK(has_option(tmpfs_with({"sync"}).super, "sync"));
  CHECK_FALSE(has_option(tmpfs_with({"sync", "async"}).super, "sync"));
  CHECK(has_option(tmpfs_with({"dirsync"}).super, "dirsync"));
}

CASE("mount options: lazytime and nolazytime") {
  cite_option("lazytime MUST, nolazytime MUST");
  REQUIRES(root());
  CHECK(has_option(tmpfs_with({"lazytime"}).super, "lazytime"));
  CHECK_FALSE(has_option(tmpfs_with({"lazytime", "nolazytime"}).super, "lazytime"));
}

CASE("mount options: those without a flag in mountinfo are accepted") {
  cite_option("defaults MUST, iversion MUST, noiversion MUST, loud MUST, silent MUST");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 knows neither silent nor loud");
  DEVIATES("crun", "1.8.1 knows neither silent nor loud");
  for (const char* option : {"defaults", "iversion", "noiversion", "loud", "silent"}) {
    CAPTURE(option);
    CHECK(tmpfs_with({option}).type == "tmpfs");
  }
}

CASE("mount options: unknown ones are the file system's") {
  CITE(
      "config.md#linux-mount-options: Runtimes SHOULD treat unknown options as filesystem-specific "
      "ones) and pass those as a comma-separated string to the fifth (const void *data) argument "
      "of mount(2).");
  REQUIRES(root());
  const MountLine data = tmpfs_with({"size=3m", "mode=0710", "nr_inodes=77"});
  for (const char* part : {"size=3072k", "mode=710", "nr_inodes=77"}) {
    CAPTURE(part);
    CHECK(has_option(data.super, part));
  }
  Bundle bundle;
  CHECK_FALSE(create(bundle.add_mount("/data", "tmpfs", "tmpfs", {"nosuchoption"})).ok());
}

CASE("mount options: tmpcopyup") {
  cite_option("tmpcopyup MAY copy up the contents to a tmpfs");
  REQUIRES(root());
  Bundle bundle;
  fs::create_directories(bundle.rootfs() / "data/sub");
  write_file(bundle.rootfs() / "data/sub/file", "copied");
  bundle.add_mount("/data", "tmpfs", "tmpfs", {"tmpcopyup"})
      .guest({"cat", "/data/sub/file", "--", "write", "/data/sub/file", "changed"});
  CHECK(run(bundle).out == "copiedwrite /data/sub/file: ok\n");
  CHECK(read_file(bundle.rootfs() / "data/sub/file") == "copied");
}

// ── bind mounts ──

CASE("mount options: bind leaves out what is mounted below, rbind does not") {
  cite_option("bind MUST Bind mount, rbind MUST Recursive bind mount");
  REQUIRES(root());
  const Tree tree;
  CHECK(mount_at(bind_table(tree.path(), {"bind"}), "/data/sub").type == "");
  CHECK(mount_at(bind_table(tree.path(), {"rbind"}), "/data/sub").type == "tmpfs");
}

CASE("mount options: a bind takes flags of its own") {
  cite_option("bind MUST Bind mount; ro, nosuid, nodev, noexec MUST");
  REQUIRES(root());
  const Tree tree;
  const std::string options =
      mount_at(bind_table(tree.path(), {"bind", "ro", "nosuid", "nodev", "noexec"}), "/data")
          .options;
  for (const char* flag : {"ro", "nosuid", "nodev", "noexec"}) CHECK(has_option(options, flag));
}

CASE("mount options: a bind keeps the flags of its source that are not named") {
  cite_option("bind MUST Bind mount");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 drops the flags of the source when it sets another");
  DEVIATES("crun", kCrunDrops);
  const Tree tree(MS_NOSUID | MS_NODEV | MS_NOEXEC);
  for (const Strings& extra : {Strings{"bind"}, Strings{"bind", "ro"}}) {
    const std::string options = mount_at(bind_table(tree.path(), extra), "/data").options;
    for (const char* flag : {"nosuid", "nodev", "noexec"}) CHECK(has_option(options, flag));
  }
}

CASE("mount options: remount of a bind mount") {
  cite_option("remount MUST");
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.add_bind("/data", source.path())
      .add_bind("/data", source.path(), {"bind", "remount", "ro"})
      .guest({"write", "/data/x", "y", "--", "cat", "/data/file"});
  CHECK(run(bundle).out == "write /data/x: EROFS\nfrom the host");
}

CASE("mount options: remount of a file system") {
  cite_option("remount MUST");
  REQUIRES(root());
  Bundle bundle;
  bundle.add_mount("/data", "tmpfs", "tmpfs", {"size=1m"})
      .add_mount("/data", "tmpfs", "tmpfs", {"remount", "size=4m", "nodev"});
  const MountLine data = mount_at(table_of(bundle), "/data");
  CHECK(contains(data.super, "size=4096k"));
  CHECK(has_option(data.options, "nodev"));
}

// ── recursive attributes ──

// One row a case, so that each option string of the table is seen to work by itself.
void check_recursive(const char* option, const char* flag) {
  const Tree tree;
  const std::string table = bind_table(tree.path(), {"rbind", option});
  CHECK(has_option(mount_at(table, "/data").options, flag));
  CHECK(has_option(mount_at(table, "/data/sub").options, flag));
}
void check_recursive_clear(const char* option, const char* flag, unsigned long flags) {
  const Tree tree(flags);
  const std::string table = bind_table(tree.path(), {"rbind", option});
  CHECK(mount_at(table, "/data/sub").type == "tmpfs");
  CHECK_FALSE(has_option(mount_at(table, "/data").options, flag));
  CHECK_FALSE(has_option(mount_at(table, "/data/sub").options, flag));
}

CASE("mount options: rro") {
  cite_option("rro SHOULD Recursive ro");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive("rro", "ro");
}

CASE("mount options: rrw") {
  cite_option("rrw SHOULD Recursive rw");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive_clear("rrw", "ro", MS_RDONLY);
}

CASE("mount options: rnosuid") {
  cite_option("rnosuid SHOULD Recursive nosuid");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive("rnosuid", "nosuid");
}

CASE("mount options: rsuid") {
  cite_option("rsuid SHOULD Recursive suid");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive_clear("rsuid", "nosuid", MS_NOSUID);
}

CASE("mount options: rnodev") {
  cite_option("rnodev SHOULD Recursive nodev");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive("rnodev", "nodev");
}

CASE("mount options: rdev") {
  cite_option("rdev SHOULD Recursive dev");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive_clear("rdev", "nodev", MS_NODEV);
}

CASE("mount options: rnoexec") {
  cite_option("rnoexec SHOULD Recursive noexec");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive("rnoexec", "noexec");
}

CASE("mount options: rexec") {
  cite_option("rexec SHOULD");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive_clear("rexec", "noexec", MS_NOEXEC);
}

CASE("mount options: rnodiratime") {
  cite_option("rnodiratime SHOULD Recursive nodiratime");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("crun", "1.8.1 fails with EINVAL");
  check_recursive("rnodiratime", "nodiratime");
}

CASE("mount options: rdiratime") {
  cite_option("rdiratime SHOULD Recursive diratime");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("crun", "1.8.1 fails with EINVAL");
  check_recursive_clear("rdiratime", "nodiratime", MS_NODIRATIME);
}

CASE("mount options: rnosymfollow") {
  cite_option("rnosymfollow SHOULD Recursive nosymfollow");
  REQUIRES(root());
  REQUIRES(kernel(5, 14));
  DEVIATES("crun", "1.8.1 does not apply it");
  check_recursive("rnosymfollow", "nosymfollow");
}

CASE("mount options: rsymfollow") {
  cite_option("rsymfollow SHOULD Recursive symfollow");
  REQUIRES(root());
  REQUIRES(kernel(5, 14));
  DEVIATES("crun", "1.8.1 does not apply it");
  constexpr unsigned long kNoSymFollow = 256;  // MS_NOSYMFOLLOW
  check_recursive_clear("rsymfollow", "nosymfollow", kNoSymFollow);
}

CASE("mount options: rnoatime, rrelatime and rstrictatime") {
  cite_option("rnoatime SHOULD, rrelatime SHOULD, rstrictatime SHOULD");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("crun", "1.8.1 does not clear the setting first");
  check_recursive("rnoatime", "noatime");
  check_recursive("rrelatime", "relatime");
  check_recursive_clear("rstrictatime", "relatime", 0);
}

CASE("mount options: ratime, rnorelatime and rnostrictatime") {
  cite_option("ratime SHOULD, rnorelatime SHOULD, rnostrictatime SHOULD");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("crun", "1.8.1 does not clear the setting first");
  DEVIATES("runc", "1.1.5 does not clear the setting first");
  check_recursive_clear("ratime", "noatime", MS_NOATIME);
  check_recursive("rnostrictatime", "relatime");
  const Tree tree;
  CHECK(mount_at(bind_table(tree.path(), {"rbind", "rnorelatime"}), "/data").type == "tmpfs");
}

// ── propagation ──

CASE("mount options: shared and rshared") {
  cite_option("shared MUST, rshared MUST Bind mount propagation");
  REQUIRES(root());
  DEVIATES("crun", kCrunPropagation);
  const Tree tree;
  const std::string top = bind_table(tree.path(), {"rbind", "rprivate", "shared"});
  CHECK(contains(mount_at(top, "/data").tags, "shared:"));
  CHECK_FALSE(contains(mount_at(top, "/data/sub").tags, "shared:"));
  CHECK(contains(mount_at(bind_table(tree.path(), {"rbind", "rshared"}), "/data/sub").tags,
                 "shared:"));
}

CASE("mount options: slave and rslave") {
  cite_option("slave MUST, rslave MUST Bind mount propagation");
  REQUIRES(root());
  DEVIATES("crun", kCrunPropagation);
  const Tree tree;
  tree.top.change(MS_SHARED | MS_REC);
  CHECK(contains(mount_at(bind_table(tree.path(), {"rbind", "slave"}), "/data").tags, "master:"));
  CHECK(contains(mount_at(bind_table(tree.path(), {"rbind", "rslave"}), "/data/sub").tags,
                 "master:"));
}

CASE("mount options: private and rprivate") {
  cite_option("private MUST, rprivate MUST Bind mount propagation");
  REQUIRES(root());
  const Tree tree;
  tree.top.change(MS_SHARED | MS_REC);
  CHECK(mount_at(bind_table(tree.path(), {"rbind", "private"}), "/data").tags == "");
  CHECK(mount_at(bind_table(tree.path(), {"rbind", "rprivate"}), "/data/sub").tags == "");
}

CASE("mount options: unbindable and runbindable") {
  cite_option("unbindable MUST, runbindable MUST Bind mount propagation");
  REQUIRES(root());
  DEVIATES("crun", kCrunPropagation);
  const Tree tree;
  CHECK(contains(mount_at(bind_table(tree.path(), {"rbind", "unbindable"}), "/data").tags,
                 "unbindable"));
  CHECK(contains(mount_at(bind_table(tree.path(), {"rbind", "runbindable"}), "/data/sub").tags,
                 "unbindable"));
}

// ── id-mapped mounts ──

CASE("idmap: the mount's own mappings are used") {
  cite_option(
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
  cite_option(
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
  cite_option(
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
  cite_option(
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
  cite_option(
      "ridmap SHOULD Indicates that the mount MUST have an idmapping applied, and the mapping is "
      "applied recursively.");
  REQUIRES(root());
  REQUIRES(kernel(6, 3));
  DEVIATES("runc", kRuncIds);
  DEVIATES("crun", "1.8.1 does not know ridmap");
  const Tree tree;
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

CASE("mountLabel: without SELinux the container runs all the same") {
  CITE(
      "config-linux.md#mount-label: mountLabel (string, OPTIONAL) will set the Selinux context for "
      "the mounts in the container.");
  REQUIRES(root());
  REQUIRES((Need{!fs::exists("/sys/fs/selinux/enforce"), "a host without SELinux in force"}));
  DEVIATES("runc", "1.1.5 passes the label to the kernel all the same");
  Bundle bundle;
  bundle.set("/linux/mountLabel", "system_u:object_r:container_file_t:s0:c1,c2");
  CHECK(mount_at(table_of(bundle), "/dev").type == "tmpfs");
}

TEST_SUITE_END();
