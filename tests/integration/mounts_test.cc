// SPDX-License-Identifier: Apache-2.0
// Mount options one by one, remount, and flags that the host has locked.
#include "support/mount_table.h"
#include "support/suite.h"

#include <sys/mount.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

constexpr unsigned long kNoSymFollow = 256;  // MS_NOSYMFOLLOW
constexpr unsigned long kAllFlags =
    MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | kNoSymFollow;

}  // namespace

TEST_SUITE_BEGIN("mounts");

// ── options ──

CASE("every recursive attribute reaches the mounts below, its plain form only the top") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("crun", "1.8.1 does not clear the access time setting first");
  struct Row {
    const char *option, *shown;
  };
  for (const Row& row : {Row{"ro", "ro"}, Row{"nosuid", "nosuid"}, Row{"nodev", "nodev"},
                         Row{"noexec", "noexec"}, Row{"noatime", "noatime"},
                         Row{"nodiratime", "nodiratime"}, Row{"nosymfollow", "nosymfollow"}}) {
    CAPTURE(row.option);
    const HostTree tree;
    Bundle bundle;
    bundle.add_bind("/all", tree.path(), {"rbind", "r" + std::string(row.option)})
        .add_bind("/top", tree.path(), {"rbind", row.option});
    const std::string table = table_of(bundle);
    CHECK(has_option(mount_at(table, "/all").options, row.shown));
    CHECK(has_option(mount_at(table, "/all/sub").options, row.shown));
    CHECK(has_option(mount_at(table, "/top").options, row.shown));
    CHECK_FALSE(has_option(mount_at(table, "/top/sub").options, row.shown));
  }
}

CASE("every recursive attribute can be taken back for the whole tree") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("crun", "1.8.1 drops the flags of the source");
  const HostTree tree(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME);
  struct Row {
    const char *option, *gone;
  };
  for (const Row& row : {Row{"rrw", "ro"}, Row{"rsuid", "nosuid"}, Row{"rdev", "nodev"},
                         Row{"rexec", "noexec"}, Row{"rdiratime", "nodiratime"}}) {
    CAPTURE(row.option);
    Bundle bundle;
    const std::string table = table_of(bundle.add_bind("/all", tree.path(), {"rbind", row.option}));
    for (const char* point : {"/all", "/all/sub"}) {
      const std::string options = mount_at(table, point).options;
      CHECK_FALSE(has_option(options, row.gone));
      for (const char* kept : {"ro", "nosuid", "nodev", "noexec", "nodiratime"})
        CHECK((has_option(options, kept) || row.gone == std::string(kept)));
    }
  }
}

CASE("access time settings exclude each other, also for the whole tree") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  DEVIATES("runc", "1.1.5 does not clear the setting first");
  DEVIATES("crun", "1.8.1 does not clear the setting first");
  const HostTree tree(MS_NOATIME);
  struct Row {
    const char* option;
    bool relatime, noatime;
  };
  for (const Row& row : {Row{"rrelatime", true, false}, Row{"rstrictatime", false, false},
                         Row{"rnoatime", false, true}, Row{"ratime", true, false},
                         Row{"rnostrictatime", true, false}}) {
    CAPTURE(row.option);
    Bundle bundle;
    const std::string table = table_of(bundle.add_bind("/all", tree.path(), {"rbind", row.option}));
    for (const char* point : {"/all", "/all/sub"}) {
      CHECK(has_option(mount_at(table, point).options, "relatime") == row.relatime);
      CHECK(has_option(mount_at(table, point).options, "noatime") == row.noatime);
    }
  }
}

CASE("every propagation option is seen on the mount") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 leaves the mount private");
  struct Row {
    const char *option, *top, *below;  // what mountinfo has to say; empty: private
  };
  for (const Row& row :
       {Row{"shared", "shared:", ""}, Row{"rshared", "shared:", "shared:"}, Row{"private", "", ""},
        Row{"rprivate", "", ""}, Row{"unbindable", "unbindable", ""},
        Row{"runbindable", "unbindable", "unbindable"}}) {
    CAPTURE(row.option);
    const HostTree tree;
    Bundle bundle;
    const std::string table =
        table_of(bundle.add_bind("/data", tree.path(), {"rbind", "rprivate", row.option}));
    const std::string top = mount_at(table, "/data").tags,
                      below = mount_at(table, "/data/sub").tags;
    CHECK(contains(top, row.top));
    CHECK(top.empty() == (row.top[0] == 0));
    CHECK(contains(below, row.below));
    CHECK(below.empty() == (row.below[0] == 0));
  }
}

CASE("slave and shared together make a mount that gets and gives") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 leaves the mount private");
  const HostTree tree;
  tree.top.change(MS_SHARED | MS_REC);
  Bundle bundle;
  bundle.add_bind("/both", tree.path(), {"rbind", "rslave", "rshared"})
      .add_bind("/slave", tree.path(), {"rbind", "slave"});
  const std::string table = table_of(bundle);
  for (const char* point : {"/both", "/both/sub"}) {
    CHECK(contains(mount_at(table, point).tags, "shared:"));
    CHECK(contains(mount_at(table, point).tags, "master:"));
  }
  CHECK(contains(mount_at(table, "/slave").tags, "master:"));
  CHECK_FALSE(contains(mount_at(table, "/slave").tags, "shared:"));
}

CASE("what a container mounts below a shared bind stays inside when the host's mount is private") {
  REQUIRES(root());
  const HostTree tree;
  Bundle bundle;
  bundle.add_bind("/data", tree.path(), {"rbind", "rshared"}).guest({"mount-tmpfs", "/data/sub"});
  for (const char* set : {"bounding", "effective", "permitted"})
    bundle.set("/process/capabilities/" + std::string(set) + "/-", "CAP_SYS_ADMIN");
  CHECK(run(bundle).out == "mount /data/sub: ok\n");
  CHECK(mount_points(tree.path()).size() == 2);
}

// The sources of both have all flags that a mount can have; `shown` is what is left on the top.
struct Replaced {
  Strings options;
  const char* shown;
};
constexpr const char* kAllShown = "ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow";
void check_replaced(const HostTree& tree, const Replaced& row) {
  const std::string named = json_string(row.shown);
  CAPTURE(named);
  Bundle bundle;
  const std::string table = table_of(bundle.add_bind("/data", tree.path(), row.options));
  CHECK(mount_at(table, "/data").options == row.shown);
  if (row.options.front() == "rbind") CHECK(mount_at(table, "/data/sub").options == kAllShown);
}

CASE("a bind mount with a flag among its options has no flag of its source but those named") {
  REQUIRES(root());
  REQUIRES(kernel(5, 14));
  DEVIATES("runc", "1.1.5 does so when a flag is set, not when one is cleared");
  DEVIATES("crun", "1.8.1 does so without a flag among the options, too, and ignores nosymfollow");
  const HostTree tree(kAllFlags);
  for (const Replaced& row : {
           Replaced{{"bind"}, kAllShown},
           {{"rbind", "rslave"}, kAllShown},
           {{"rbind", "rprivate", "rw", "nosuid", "nodev"}, "rw,nosuid,nodev,noatime,nodiratime"},
           {{"bind", "ro"}, "ro,noatime,nodiratime"},
           {{"rbind", "rw"}, "rw,noatime,nodiratime"},
           {{"bind", "noexec"}, "rw,noexec,noatime,nodiratime"},
           {{"bind", "exec"}, "rw,noatime,nodiratime"},
           {{"bind", "suid"}, "rw,noatime,nodiratime"},
           {{"bind", "dev"}, "rw,noatime,nodiratime"},
           {{"bind", "nosymfollow"}, "rw,noatime,nodiratime,nosymfollow"},
           {{"bind", "noatime"}, "rw,noatime"},
           {{"bind", "nodiratime"}, "rw,nodiratime,relatime"},
           {{"bind", "relatime"}, "rw,relatime"},
           {{"bind", "strictatime"}, "rw"},
           {{"bind", "sync"}, "rw,noatime,nodiratime"},
       }) {
    check_replaced(tree, row);
  }
}

CASE("a bind mount with a flag among its options: what runc and crun agree on") {
  REQUIRES(root());
  const HostTree tree(kAllFlags & ~kNoSymFollow);
  struct Row {
    const char *option, *shown;
  };
  for (const Row& row :
       {Row{"ro", "ro,noatime,nodiratime"}, Row{"nosuid", "rw,nosuid,noatime,nodiratime"},
        Row{"nodev", "rw,nodev,noatime,nodiratime"}, Row{"noexec", "rw,noexec,noatime,nodiratime"},
        Row{"noatime", "rw,noatime"}, Row{"nodiratime", "rw,nodiratime,relatime"},
        Row{"relatime", "rw,relatime"}, Row{"strictatime", "rw"},
        Row{"lazytime", "rw,noatime,nodiratime"}}) {
    CAPTURE(row.option);
    Bundle bundle;
    const std::string table =
        table_of(bundle.add_bind("/data", tree.path(), {"rbind", row.option, "rprivate"}));
    CHECK(mount_at(table, "/data").options == row.shown);
    CHECK(mount_at(table, "/data/sub").options == "ro,nosuid,nodev,noexec,noatime,nodiratime");
  }
}

CASE("a bind mount with an option for a filesystem is refused (checklist 34)") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 passes it on");
  DEVIATES("crun", "1.8.1 passes it on");
  const Source source;
  for (const char* option : {"size=1m", "mode=700", "nosuchoption"}) {
    CAPTURE(option);
    Bundle bundle;
    const Outcome outcome = create(bundle.add_bind("/data", source.path(), {"bind", option}));
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, "mounts[7].options[1]"));
    CHECK(contains(outcome.err, option));
  }
}

CASE("an option that the filesystem does not know is an error with the kernel's words") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = create(bundle.add_mount("/data", "tmpfs", "tmpfs", {"nosuchoption"}));
  CHECK(outcome.status == 1);
  if (is_onggi()) {
    CHECK(contains(outcome.err, "mounts[7]: fsconfig 'nosuchoption'"));
    CHECK(contains(outcome.err, "Unknown parameter"));
  }
}

CASE("rootfsPropagation of each kind is that of the root") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not apply it after the pivot");
  struct Row {
    const char *value, *tag;
  };
  for (const Row& row :
       {Row{"shared", "shared:"}, Row{"private", ""}, Row{"unbindable", "unbindable"}}) {
    CAPTURE(row.value);
    Bundle bundle;
    const std::string tags =
        mount_at(table_of(bundle.set("/linux/rootfsPropagation", row.value)), "/").tags;
    CHECK(contains(tags, row.tag));
    CHECK(tags.empty() == (row.tag[0] == 0));
  }
}

CASE("a slave root gets what the host mounts later, a private one does not") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 makes the mount that the root lies on private");
  DEVIATES("crun", "1.8.1 makes the root private");
  for (const bool slave : {true, false}) {
    CAPTURE(slave);
    Bundle bundle;
    fs::create_directories(bundle.rootfs() / "late");
    const HostMount on_host(bundle.rootfs(), MS_BIND);
    on_host.change(MS_SHARED);
    bundle.set("/linux/rootfsPropagation", slave ? "slave" : "private").guest({"ls", "/late"});
    Container container(bundle);
    REQUIRE(container.create().ok());
    const pid_t pid = container.pid();
    {
      const HostMount late(bundle.rootfs() / "late");
      write_file(late.path() / "arrived", "");
      CHECK(container.start().ok());
      CHECK(container.wait_exit(pid) == 0);
    }
    CHECK(container.output() == (slave ? "arrived\n" : ""));
    CHECK(container.remove(true).ok());
  }
}

// ── remount ──

CASE("remount of a bind mount replaces its flags") {
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.add_bind("/data", source.path(), {"bind", "nosuid", "nodev"})
      .add_bind("/data", source.path(), {"bind", "remount", "ro", "noexec"})
      .add_bind("/all", source.path(), {"bind", "nosuid"})
      .add_bind("/all", source.path(), {"bind", "remount"})
      .guest({"mounts", "--", "write", "/data/x", "y"});
  const Outcome outcome = run(bundle);
  const std::string options = mount_at(outcome.out, "/data").options;
  for (const char* flag : {"ro", "noexec"}) CHECK(has_option(options, flag));
  for (const char* flag : {"nosuid", "nodev"}) CHECK_FALSE(has_option(options, flag));
  CHECK_FALSE(has_option(mount_at(outcome.out, "/all").options, "nosuid"));
  CHECK(contains(outcome.out, "write /data/x: EROFS"));
}

CASE("remount of a filesystem leaves the flags that it does not name") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 replaces all flags");
  DEVIATES("crun", "1.8.1 replaces all flags");
  Bundle bundle;
  bundle.add_mount("/data", "tmpfs", "tmpfs", {"nosuid", "noexec"})
      .add_mount("/data", "tmpfs", "tmpfs", {"remount", "size=2m"});
  const MountLine data = mount_at(table_of(bundle), "/data");
  CHECK(contains(data.super, "size=2048k"));
  for (const char* flag : {"nosuid", "noexec"}) CHECK(has_option(data.options, flag));
}

CASE("remount changes a filesystem that an earlier entry made") {
  REQUIRES(root());
  Bundle bundle;
  bundle.add_mount("/data", "tmpfs", "tmpfs", {"size=1m"})
      .add_mount("/data", "tmpfs", "tmpfs", {"remount", "size=2m", "nosuid"});
  const MountLine data = mount_at(table_of(bundle), "/data");
  CHECK(contains(data.super, "size=2048k"));
  CHECK(has_option(data.options, "nosuid"));
}

CASE("remount needs neither source nor type") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 wants a source");
  DEVIATES("crun", "1.8.1 wants a source");
  Bundle bundle;
  bundle.set_json("/mounts/-", R"({"destination": "/sys", "options": ["remount", "nosymfollow"]})")
      .set_json("/mounts/-", R"({"destination": "/", "options": ["bind", "remount", "nodev"]})");
  const std::string table = table_of(bundle);
  for (const char* flag : {"ro", "nosuid", "nodev", "noexec", "nosymfollow"})
    CHECK(has_option(mount_at(table, "/sys").options, flag));
  CHECK(has_option(mount_at(table, "/").options, "nodev"));
}

CASE("remount,ro of /dev still lets devices be made, and comes into force") {
  REQUIRES(root());
  Bundle bundle;
  bundle.add_mount("/dev", "tmpfs", "tmpfs", {"remount", "ro"})
      .guest({"stat", "/dev/null", "--", "write", "/dev/x", "y"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "/dev/null char 0666"));
  CHECK(contains(outcome.out, "write /dev/x: EROFS"));
}

CASE("remount,rw of a read-only tmpfs makes it writable") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 makes it read-only in the end");
  DEVIATES("runc", "1.1.5 makes it read-only in the end");
  Bundle bundle;
  bundle.add_mount("/data", "tmpfs", "tmpfs", {"ro"})
      .add_mount("/data", "tmpfs", "tmpfs", {"remount", "rw"})
      .guest({"write", "/data/x", "y"});
  CHECK(run(bundle).out == "write /data/x: ok\n");
}

CASE("remount,ro leaves the filesystem of the host writable") {
  REQUIRES(root());
  const Source source;
  const HostMount on_host(source.path() / "disk");
  Bundle bundle;
  bundle.add_bind("/data", on_host.path())
      .add_bind("/data", on_host.path(), {"remount", "bind", "ro"})
      .guest({"write", "/data/x", "y"});
  CHECK(run(bundle).out == "write /data/x: EROFS\n");
  write_file(on_host.path() / "still", "writable");
  CHECK(read_file(on_host.path() / "still") == "writable");
}

CASE("remount of a filesystem that is not the container's is refused before anything is done") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 changes the filesystem of the host");
  DEVIATES("crun", "1.8.1 changes the filesystem of the host");
  const Source source;
  const HostMount on_host(source.path() / "disk");
  Bundle bundle;
  bundle.add_bind("/data", on_host.path())
      .add_mount("/data", "tmpfs", "tmpfs", {"remount", "size=3m"});
  const Outcome outcome = create(bundle);
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "mounts[8].options: 'size' would change a filesystem"));
  const std::string table = read_file("/proc/self/mountinfo");
  CHECK_FALSE(contains(mount_at(table, on_host.path()).super, "size=3072k"));
}

CASE("remount where nothing is mounted is an error that says so") {
  REQUIRES(root());
  for (const char* destination : {"/bin", "/missing"}) {
    CAPTURE(destination);
    Bundle bundle;
    const Outcome outcome =
        create(bundle.add_mount(destination, "none", "/tmp", {"bind", "remount", "ro"}));
    CHECK(outcome.status == 1);
    if (is_onggi()) CHECK(contains(outcome.err, "mounts[7]: "));
    if (is_onggi() && destination == std::string("/bin"))
      CHECK(contains(outcome.err, "nothing is mounted on '/bin'"));
  }
}

// ── filesystems of the host ──

CASE("a cgroup mount leaves the options of the host's hierarchy as they are") {
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  REQUIRES(onggi_only());
  const auto on_host = [] {
    return mount_at(read_file("/proc/self/mountinfo"), "/sys/fs/cgroup").super;
  };
  const std::string before = on_host();
  for (const char* path : {"", "/proc/self/ns/cgroup", "none"}) {
    CAPTURE(path);
    Bundle bundle;
    if (path == std::string("none")) {
      bundle.drop_namespace("cgroup");
    } else {
      bundle.set_namespace("cgroup", path);
    }
    bundle.drop_mount("/sys/fs/cgroup")
        .add_mount("/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nsdelegate"});
    CHECK(mount_at(table_of(bundle), "/sys/fs/cgroup").super == before);
    CHECK(on_host() == before);
  }
}

// ── flags that the host has locked ──

CASE("a user namespace keeps the flags that the host has given a mount") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  DEVIATES("crun", "1.8.1 drops the flags of what is mounted below");
  DEVIATES("runc", "1.1.5 stumbles over the access time setting");
  const HostTree tree(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME);
  for (const Strings& options : {Strings{"rbind"}, Strings{"rbind", "ro"},
                                 Strings{"rbind", "nosuid", "nodev"}, Strings{"rbind", "rro"}}) {
    Bundle bundle;
    fs::create_directories(bundle.rootfs() / "data");
    const std::string table =
        table_of(in_user_namespace(bundle).add_bind("/data", tree.path(), options));
    for (const char* point : {"/data", "/data/sub"}) {
      for (const char* flag : {"ro", "nosuid", "nodev", "noexec", "noatime"})
        CHECK(has_option(mount_at(table, point).options, flag));
    }
  }
}

CASE("a user namespace clears what is not named and not locked") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  REQUIRES(kernel(5, 14));
  DEVIATES("runc", "1.1.5 stumbles over the access time setting");
  DEVIATES("crun", "1.8.1 keeps nosymfollow, which is never locked");
  const HostTree tree(MS_NOEXEC | MS_NODIRATIME | kNoSymFollow);
  Bundle bundle;
  fs::create_directories(bundle.rootfs() / "data");
  const std::string table = table_of(
      in_user_namespace(bundle).add_bind("/data", tree.path(), {"rbind", "nosuid", "nodev", "rw"}));
  CHECK(mount_at(table, "/data").options == "rw,nosuid,nodev,noexec,nodiratime,relatime");
}

CASE("clearing a locked flag in a user namespace is an error that names it") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  DEVIATES("runc", "1.1.5 leaves the flag as it is");
  DEVIATES("crun", "1.8.1 leaves the flag as it is");
  const HostTree tree(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME);
  struct Row {
    const char *option, *named;
  };
  for (const Row& row :
       {Row{"rw", "ro"}, Row{"suid", "nosuid"}, Row{"dev", "nodev"}, Row{"exec", "noexec"},
        Row{"rrw", "ro"}, Row{"rdev", "nodev"}, Row{"relatime", "the access time setting"}}) {
    CAPTURE(row.option);
    Bundle bundle;
    fs::create_directories(bundle.rootfs() / "data");
    in_user_namespace(bundle).add_bind("/data", tree.path(), {"rbind", "nosymfollow", row.option});
    const Outcome outcome = create(bundle);
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, "mounts[7]: mount_setattr '/data': "));
    CHECK(contains(outcome.err, ": " + std::string(row.named) + " is locked"));
  }
}

CASE("outside of a user namespace the flags of the host's mount can be cleared") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 leaves the flags as they are");
  const HostTree tree(MS_RDONLY | MS_NOSUID | MS_NODEV);
  Bundle bundle;
  bundle.add_bind("/data", tree.path(), {"rbind", "rw", "suid", "dev"});
  const std::string options = mount_at(table_of(bundle), "/data").options;
  CHECK(has_option(options, "rw"));
  CHECK_FALSE(has_option(options, "nosuid"));
  CHECK_FALSE(has_option(options, "nodev"));
}

TEST_SUITE_END();
