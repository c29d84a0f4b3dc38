// SPDX-License-Identifier: Apache-2.0
// config.md#linux-mount-options: each row of the table but idmap and ridmap.
#include "support/mount_table.h"
#include "support/suite.h"

#include <sys/mount.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* kCrunPropagation = "1.8.1 leaves the mount private";
constexpr const char* kCrunDrops = "1.8.1 drops the flags of the source";
constexpr const char* kCrunKeeps = "1.8.1 does not take back what an earlier option set";

// The mount on /data of a tmpfs, or of a bind of `source`, with these options.
MountLine tmpfs_with(const Strings& options) {
  Bundle bundle;
  return mount_at(table_of(bundle.add_mount("/data", "tmpfs", "tmpfs", options)), "/data");
}
std::string bind_table(const fs::path& source, const Strings& options) {
  Bundle bundle;
  return table_of(bundle.add_bind("/data", source, options));
}

}  // namespace

TEST_SUITE_BEGIN("mount_options");

// ── config.md#linux-mount-options: flags ──

CASE("mount options: ro and rw") {
  cite_mount_option("ro MUST, rw MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  CHECK(has_option(tmpfs_with({"ro"}).options, "ro"));
  CHECK(has_option(tmpfs_with({"rw"}).options, "rw"));
  CHECK(has_option(tmpfs_with({"ro", "rw"}).options, "rw"));
}

CASE("mount options: nosuid and suid") {
  cite_mount_option("nosuid MUST, suid MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  CHECK(has_option(tmpfs_with({"nosuid"}).options, "nosuid"));
  CHECK_FALSE(has_option(tmpfs_with({"nosuid", "suid"}).options, "nosuid"));
}

CASE("mount options: nodev and dev") {
  cite_mount_option("nodev MUST, dev MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  CHECK(has_option(tmpfs_with({"nodev"}).options, "nodev"));
  CHECK_FALSE(has_option(tmpfs_with({"nodev", "dev"}).options, "nodev"));
}

CASE("mount options: noexec and exec") {
  cite_mount_option("noexec MUST, exec MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  CHECK(has_option(tmpfs_with({"noexec"}).options, "noexec"));
  CHECK_FALSE(has_option(tmpfs_with({"noexec", "exec"}).options, "noexec"));
}

CASE("mount options: nodiratime and diratime") {
  cite_mount_option("nodiratime MUST, diratime MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  CHECK(has_option(tmpfs_with({"nodiratime"}).options, "nodiratime"));
  CHECK_FALSE(has_option(tmpfs_with({"nodiratime", "diratime"}).options, "nodiratime"));
}

CASE("mount options: noatime and atime") {
  cite_mount_option("noatime MUST, atime MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  CHECK(has_option(tmpfs_with({"noatime"}).options, "noatime"));
  CHECK_FALSE(has_option(tmpfs_with({"noatime", "atime"}).options, "noatime"));
}

CASE("mount options: relatime and norelatime") {
  cite_mount_option("relatime MUST, norelatime MUST");
  REQUIRES(root());
  CHECK(has_option(tmpfs_with({"relatime"}).options, "relatime"));
  CHECK(tmpfs_with({"norelatime"}).type == "tmpfs");
}

CASE("mount options: strictatime and nostrictatime") {
  cite_mount_option("strictatime MUST, nostrictatime MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  const MountLine strict = tmpfs_with({"strictatime"});
  CHECK_FALSE(has_option(strict.options, "relatime"));
  CHECK_FALSE(has_option(strict.options, "noatime"));
  CHECK(has_option(tmpfs_with({"strictatime", "nostrictatime"}).options, "relatime"));
}

CASE("mount options: nosymfollow and symfollow") {
  cite_mount_option("nosymfollow SHOULD, symfollow SHOULD");
  REQUIRES(root());
  REQUIRES(kernel(5, 10));
  DEVIATES("crun", "1.8.1 knows neither");
  CHECK(has_option(tmpfs_with({"nosymfollow"}).options, "nosymfollow"));
  CHECK_FALSE(has_option(tmpfs_with({"nosymfollow", "symfollow"}).options, "nosymfollow"));
}

CASE("mount options: sync, async and dirsync") {
  cite_mount_option("sync MUST, async MUST, dirsync MUST");
  REQUIRES(root());
  DEVIATES("crun", kCrunKeeps);
  CHECK(has_option(tmpfs_with({"sync"}).super, "sync"));
  CHECK_FALSE(has_option(tmpfs_with({"sync", "async"}).super, "sync"));
  CHECK(has_option(tmpfs_with({"dirsync"}).super, "dirsync"));
}

CASE("mount options: lazytime and nolazytime") {
  cite_mount_option("lazytime MUST, nolazytime MUST");
  REQUIRES(root());
  CHECK(has_option(tmpfs_with({"lazytime"}).super, "lazytime"));
  CHECK_FALSE(has_option(tmpfs_with({"lazytime", "nolazytime"}).super, "lazytime"));
}

CASE("mount options: those without a flag in mountinfo are accepted") {
  cite_mount_option("defaults MUST, iversion MUST, noiversion MUST, loud MUST, silent MUST");
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
  cite_mount_option("tmpcopyup MAY copy up the contents to a tmpfs");
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
  cite_mount_option("bind MUST Bind mount, rbind MUST Recursive bind mount");
  REQUIRES(root());
  const HostTree tree;
  CHECK(mount_at(bind_table(tree.path(), {"bind"}), "/data/sub").type == "");
  CHECK(mount_at(bind_table(tree.path(), {"rbind"}), "/data/sub").type == "tmpfs");
}

CASE("mount options: a bind takes flags of its own") {
  cite_mount_option("bind MUST Bind mount; ro, nosuid, nodev, noexec MUST");
  REQUIRES(root());
  const HostTree tree;
  const std::string options =
      mount_at(bind_table(tree.path(), {"bind", "ro", "nosuid", "nodev", "noexec"}), "/data")
          .options;
  for (const char* flag : {"ro", "nosuid", "nodev", "noexec"}) CHECK(has_option(options, flag));
}

CASE("mount options: a bind without flags of its own keeps those of its source") {
  cite_mount_option("bind MUST Bind mount");
  REQUIRES(root());
  DEVIATES("crun", kCrunDrops);
  const HostTree tree(MS_NOSUID | MS_NODEV | MS_NOEXEC);
  const std::string options = mount_at(bind_table(tree.path(), {"bind"}), "/data").options;
  for (const char* flag : {"nosuid", "nodev", "noexec"}) CHECK(has_option(options, flag));
}

CASE("mount options: remount of a bind mount") {
  cite_mount_option("remount MUST");
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.add_bind("/data", source.path())
      .add_bind("/data", source.path(), {"bind", "remount", "ro"})
      .guest({"write", "/data/x", "y", "--", "cat", "/data/file"});
  CHECK(run(bundle).out == "write /data/x: EROFS\nfrom the host");
}

CASE("mount options: remount of a file system") {
  cite_mount_option("remount MUST");
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
  const HostTree tree;
  const std::string table = bind_table(tree.path(), {"rbind", option});
  CHECK(has_option(mount_at(table, "/data").options, flag));
  CHECK(has_option(mount_at(table, "/data/sub").options, flag));
}
void check_recursive_clear(const char* option, const char* flag, unsigned long flags) {
  const HostTree tree(flags);
  const std::string table = bind_table(tree.path(), {"rbind", option});
  CHECK(mount_at(table, "/data/sub").type == "tmpfs");
  CHECK_FALSE(has_option(mount_at(table, "/data").options, flag));
  CHECK_FALSE(has_option(mount_at(table, "/data/sub").options, flag));
}

CASE("mount options: rro") {
  cite_mount_option("rro SHOULD Recursive ro");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive("rro", "ro");
}

CASE("mount options: rrw") {
  cite_mount_option("rrw SHOULD Recursive rw");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive_clear("rrw", "ro", MS_RDONLY);
}

CASE("mount options: rnosuid") {
  cite_mount_option("rnosuid SHOULD Recursive nosuid");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive("rnosuid", "nosuid");
}

CASE("mount options: rsuid") {
  cite_mount_option("rsuid SHOULD Recursive suid");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive_clear("rsuid", "nosuid", MS_NOSUID);
}

CASE("mount options: rnodev") {
  cite_mount_option("rnodev SHOULD Recursive nodev");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive("rnodev", "nodev");
}

CASE("mount options: rdev") {
  cite_mount_option("rdev SHOULD Recursive dev");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive_clear("rdev", "nodev", MS_NODEV);
}

CASE("mount options: rnoexec") {
  cite_mount_option("rnoexec SHOULD Recursive noexec");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive("rnoexec", "noexec");
}

CASE("mount options: rexec") {
  cite_mount_option("rexec SHOULD");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  check_recursive_clear("rexec", "noexec", MS_NOEXEC);
}

CASE("mount options: rnodiratime") {
  cite_mount_option("rnodiratime SHOULD Recursive nodiratime");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("crun", "1.8.1 fails with EINVAL");
  check_recursive("rnodiratime", "nodiratime");
}

CASE("mount options: rdiratime") {
  cite_mount_option("rdiratime SHOULD Recursive diratime");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("crun", "1.8.1 fails with EINVAL");
  check_recursive_clear("rdiratime", "nodiratime", MS_NODIRATIME);
}

CASE("mount options: rnosymfollow") {
  cite_mount_option("rnosymfollow SHOULD Recursive nosymfollow");
  REQUIRES(root());
  REQUIRES(kernel(5, 14));
  DEVIATES("crun", "1.8.1 does not apply it");
  check_recursive("rnosymfollow", "nosymfollow");
}

CASE("mount options: rsymfollow") {
  cite_mount_option("rsymfollow SHOULD Recursive symfollow");
  REQUIRES(root());
  REQUIRES(kernel(5, 14));
  DEVIATES("crun", "1.8.1 does not apply it");
  constexpr unsigned long kNoSymFollow = 256;  // MS_NOSYMFOLLOW
  check_recursive_clear("rsymfollow", "nosymfollow", kNoSymFollow);
}

CASE("mount options: rnoatime, rrelatime and rstrictatime") {
  cite_mount_option("rnoatime SHOULD, rrelatime SHOULD, rstrictatime SHOULD");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("crun", "1.8.1 does not clear the setting first");
  check_recursive("rnoatime", "noatime");
  check_recursive("rrelatime", "relatime");
  check_recursive_clear("rstrictatime", "relatime", 0);
}

CASE("mount options: ratime, rnorelatime and rnostrictatime") {
  cite_mount_option("ratime SHOULD, rnorelatime SHOULD, rnostrictatime SHOULD");
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("crun", "1.8.1 does not clear the setting first");
  DEVIATES("runc", "1.1.5 does not clear the setting first");
  check_recursive_clear("ratime", "noatime", MS_NOATIME);
  check_recursive("rnostrictatime", "relatime");
  const HostTree tree;
  CHECK(mount_at(bind_table(tree.path(), {"rbind", "rnorelatime"}), "/data").type == "tmpfs");
}

// ── propagation ──

CASE("mount options: shared and rshared") {
  cite_mount_option("shared MUST, rshared MUST Bind mount propagation");
  REQUIRES(root());
  DEVIATES("crun", kCrunPropagation);
  const HostTree tree;
  const std::string top = bind_table(tree.path(), {"rbind", "rprivate", "shared"});
  CHECK(contains(mount_at(top, "/data").tags, "shared:"));
  CHECK_FALSE(contains(mount_at(top, "/data/sub").tags, "shared:"));
  CHECK(contains(mount_at(bind_table(tree.path(), {"rbind", "rshared"}), "/data/sub").tags,
                 "shared:"));
}

CASE("mount options: slave and rslave") {
  cite_mount_option("slave MUST, rslave MUST Bind mount propagation");
  REQUIRES(root());
  DEVIATES("crun", kCrunPropagation);
  const HostTree tree;
  tree.top.change(MS_SHARED | MS_REC);
  CHECK(contains(mount_at(bind_table(tree.path(), {"rbind", "slave"}), "/data").tags, "master:"));
  CHECK(contains(mount_at(bind_table(tree.path(), {"rbind", "rslave"}), "/data/sub").tags,
                 "master:"));
}

CASE("mount options: private and rprivate") {
  cite_mount_option("private MUST, rprivate MUST Bind mount propagation");
  REQUIRES(root());
  const HostTree tree;
  tree.top.change(MS_SHARED | MS_REC);
  CHECK(mount_at(bind_table(tree.path(), {"rbind", "private"}), "/data").tags == "");
  CHECK(mount_at(bind_table(tree.path(), {"rbind", "rprivate"}), "/data/sub").tags == "");
}

CASE("mount options: unbindable and runbindable") {
  cite_mount_option("unbindable MUST, runbindable MUST Bind mount propagation");
  REQUIRES(root());
  DEVIATES("crun", kCrunPropagation);
  const HostTree tree;
  CHECK(contains(mount_at(bind_table(tree.path(), {"rbind", "unbindable"}), "/data").tags,
                 "unbindable"));
  CHECK(contains(mount_at(bind_table(tree.path(), {"rbind", "runbindable"}), "/data/sub").tags,
                 "unbindable"));
}

TEST_SUITE_END();
