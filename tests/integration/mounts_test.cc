// SPDX-License-Identifier: Apache-2.0
// Mount options one by one, remount, flags that the host has locked, destinations of all kinds, and
// lookups under adverse conditions.
#include "support/mount_table.h"
#include "support/suite.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

std::string mounts_of(Bundle& bundle) {
  const Outcome outcome = run(bundle.guest({"mounts"}));
  CHECK(outcome.err == "");
  return outcome.out;
}

// A source with a filesystem mounted below it, both with these flags.
struct Tree {
  explicit Tree(unsigned long flags = 0)
      : top(source.path() / "top", flags), below(make_below(flags)) {}
  const Source source;
  const HostMount top;
  const std::unique_ptr<HostMount> below;
  const fs::path& path() const { return top.path(); }

 private:
  // Its mount point has to be made before the upper one is read-only.
  std::unique_ptr<HostMount> make_below(unsigned long flags) const {
    top.change(MS_REMOUNT | (flags & ~static_cast<unsigned long>(MS_RDONLY)));
    auto mount = std::make_unique<HostMount>(top.path() / "sub", flags);
    top.change(MS_REMOUNT | flags);
    return mount;
  }
};

// Renames directories as fast as it can, until the object goes.
class Renamer {
 public:
  Renamer() : child_(fork()) {
    if (child_ != 0) return;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    const fs::path one = directory_.path() / "one", two = directory_.path() / "two";
    (void)mkdir(one.c_str(), 0755);
    for (;;) {
      (void)rename(one.c_str(), two.c_str());
      (void)rename(two.c_str(), one.c_str());
    }
  }
  ~Renamer() {
    ::kill(child_, SIGKILL);
    (void)waitpid(child_, nullptr, 0);
  }
  Renamer(const Renamer&) = delete;
  Renamer& operator=(const Renamer&) = delete;

 private:
  ScratchDirectory directory_{"renamer"};
  pid_t child_;
};

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
    const Tree tree;
    Bundle bundle;
    bundle.add_bind("/all", tree.path(), {"rbind", "r" + std::string(row.option)})
        .add_bind("/top", tree.path(), {"rbind", row.option});
    const std::string table = mounts_of(bundle);
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
  const Tree tree(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME);
  struct Row {
    const char *option, *gone;
  };
  for (const Row& row : {Row{"rrw", "ro"}, Row{"rsuid", "nosuid"}, Row{"rdev", "nodev"},
                         Row{"rexec", "noexec"}, Row{"rdiratime", "nodiratime"}}) {
    CAPTURE(row.option);
    Bundle bundle;
    const std::string table =
        mounts_of(bundle.add_bind("/all", tree.path(), {"rbind", row.option}));
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
  const Tree tree(MS_NOATIME);
  struct Row {
    const char* option;
    bool relatime, noatime;
  };
  for (const Row& row : {Row{"rrelatime", true, false}, Row{"rstrictatime", false, false},
                         Row{"rnoatime", false, true}, Row{"ratime", true, false},
                         Row{"rnostrictatime", true, false}}) {
    CAPTURE(row.option);
    Bundle bundle;
    const std::string table =
        mounts_of(bundle.add_bind("/all", tree.path(), {"rbind", row.option}));
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
    const Tree tree;
    Bundle bundle;
    const std::string table =
        mounts_of(bundle.add_bind("/data", tree.path(), {"rbind", "rprivate", row.option}));
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
  const Tree tree;
  tree.top.change(MS_SHARED | MS_REC);
  Bundle bundle;
  bundle.add_bind("/both", tree.path(), {"rbind", "rslave", "rshared"})
      .add_bind("/slave", tree.path(), {"rbind", "slave"});
  const std::string table = mounts_of(bundle);
  for (const char* point : {"/both", "/both/sub"}) {
    CHECK(contains(mount_at(table, point).tags, "shared:"));
    CHECK(contains(mount_at(table, point).tags, "master:"));
  }
  CHECK(contains(mount_at(table, "/slave").tags, "master:"));
  CHECK_FALSE(contains(mount_at(table, "/slave").tags, "shared:"));
}

CASE("what a container mounts below a shared bind stays inside when the host's mount is private") {
  REQUIRES(root());
  const Tree tree;
  Bundle bundle;
  bundle.add_bind("/data", tree.path(), {"rbind", "rshared"}).guest({"mount-tmpfs", "/data/sub"});
  for (const char* set : {"bounding", "effective", "permitted"})
    bundle.set("/process/capabilities/" + std::string(set) + "/-", "CAP_SYS_ADMIN");
  CHECK(run(bundle).out == "mount /data/sub: ok\n");
  CHECK(mount_points(tree.path()).size() == 2);
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
        mount_at(mounts_of(bundle.set("/linux/rootfsPropagation", row.value)), "/").tags;
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

CASE("remount changes the flags of an earlier bind mount and leaves the rest") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 replaces all flags");
  DEVIATES("crun", "1.8.1 replaces all flags");
  const Source source;
  Bundle bundle;
  bundle.add_bind("/data", source.path(), {"bind", "nosuid", "nodev"})
      .add_bind("/data", source.path(), {"bind", "remount", "ro", "dev", "noexec"})
      .guest({"mounts", "--", "write", "/data/x", "y"});
  const Outcome outcome = run(bundle);
  const std::string options = mount_at(outcome.out, "/data").options;
  for (const char* flag : {"ro", "nosuid", "noexec"}) CHECK(has_option(options, flag));
  CHECK_FALSE(has_option(options, "nodev"));
  CHECK(contains(outcome.out, "write /data/x: EROFS"));
}

CASE("remount changes a filesystem that an earlier entry made") {
  REQUIRES(root());
  Bundle bundle;
  bundle.add_mount("/data", "tmpfs", "tmpfs", {"size=1m"})
      .add_mount("/data", "tmpfs", "tmpfs", {"remount", "size=2m", "nosuid"});
  const MountLine data = mount_at(mounts_of(bundle), "/data");
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
  const std::string table = mounts_of(bundle);
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

// ── flags that the host has locked ──

CASE("a user namespace keeps the flags that the host has given a mount") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  DEVIATES("crun", "1.8.1 drops the flags of what is mounted below");
  DEVIATES("runc", "1.1.5 stumbles over the access time setting");
  const Tree tree(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME);
  for (const Strings& options : {Strings{"rbind"}, Strings{"rbind", "ro"},
                                 Strings{"rbind", "nosuid", "nodev"}, Strings{"rbind", "rro"}}) {
    Bundle bundle;
    fs::create_directories(bundle.rootfs() / "data");
    const std::string table =
        mounts_of(in_user_namespace(bundle).add_bind("/data", tree.path(), options));
    for (const char* point : {"/data", "/data/sub"}) {
      for (const char* flag : {"ro", "nosuid", "nodev", "noexec", "noatime"})
        CHECK(has_option(mount_at(table, point).options, flag));
    }
  }
}

CASE("clearing a locked flag in a user namespace is an error that names it") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  DEVIATES("runc", "1.1.5 leaves the flag as it is");
  DEVIATES("crun", "1.8.1 leaves the flag as it is");
  const Tree tree(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME);
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
  const Tree tree(MS_RDONLY | MS_NOSUID | MS_NODEV);
  Bundle bundle;
  bundle.add_bind("/data", tree.path(), {"rbind", "rw", "suid", "dev"});
  const std::string options = mount_at(mounts_of(bundle), "/data").options;
  CHECK(has_option(options, "rw"));
  CHECK_FALSE(has_option(options, "nosuid"));
  CHECK_FALSE(has_option(options, "nodev"));
}

// ── destinations ──

CASE("a relative destination is taken from the root, with a warning") {
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.add_bind("srv/./data/", source.path()).guest({"cat", "/srv/data/file"});
  CHECK(run(bundle.writable_root()).out == "from the host");
}

CASE("a mount on / is the root from then on") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 looks for the other mounts below the old root");
  DEVIATES("runc", "1.1.5 refuses it");
  const Source source;
  Bundle bundle;
  fs::create_directories(source.path() / "bin");
  fs::copy_file(bundle.rootfs() / "bin/guest", source.path() / "bin/guest");
  for (const char* name : {"proc", "dev", "sys"}) fs::create_directory(source.path() / name);
  bundle.set_json("/mounts", R"([{"destination": "/", "source": )" +
                                 json_string(source.path().string()) +
                                 R"(, "options": ["rbind", "nodev"]},
      {"destination": "/proc", "type": "proc"},
      {"destination": "/dev", "type": "tmpfs", "options": ["mode=755"]}])");
  bundle.guest({"mounts", "--", "cat", "/file"})
      .set_json("/linux/maskedPaths", R"(["/proc/kcore"])");
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "from the host"));
  CHECK(has_option(mount_at(outcome.out, "/").options, "nodev"));
  CHECK(mount_at(outcome.out, "/proc").type == "proc");
}

CASE("a dangling link in a destination is followed, and what it names is made inside") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 fails");
  const Source source;
  struct Row {
    const char *target, *destination, *made;
  };
  for (const Row& row :
       {Row{"/nowhere/deep", "/link", "nowhere/deep"},
        Row{"nowhere", "/link/below", "nowhere/below"},
        Row{"../../../../nowhere", "/link", "nowhere"}, Row{"second", "/link", "third"}}) {
    CAPTURE(row.target);
    Bundle bundle;
    fs::create_symlink(row.target, bundle.rootfs() / "link");
    fs::create_symlink("/third", bundle.rootfs() / "second");
    bundle.writable_root()
        .add_bind(row.destination, source.path())
        .guest({"cat", "/" + std::string(row.made) + "/file"});
    CHECK(run(bundle).out == "from the host");
    CHECK(fs::is_directory(bundle.rootfs() / row.made));
  }
}

CASE("links that lead around in circles are an error") {
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  fs::create_symlink("/two", bundle.rootfs() / "one");
  fs::create_symlink("/one", bundle.rootfs() / "two");
  const Outcome outcome = create(bundle.writable_root().add_bind("/one", source.path()));
  CHECK(outcome.status == 1);
  if (is_onggi()) CHECK(contains(outcome.err, "mounts[7]: open '/one'"));
}

CASE("a destination below a file names what is in the way") {
  REQUIRES(root());
  const Source source;
  for (const char* destination : {"/file/below", "/file/far/below"}) {
    Bundle bundle;
    write_file(bundle.rootfs() / "file", "");
    const Outcome outcome = create(bundle.writable_root().add_bind(destination, source.path()));
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, "ot a directory"));
    if (is_onggi()) CHECK(contains(outcome.err, std::string("mounts[7]: open '") + destination));
  }
}

CASE("a directory is not bound onto a file, nor a file onto a directory") {
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  write_file(bundle.rootfs() / "taken", "");
  const Outcome onto_file = create(bundle.add_bind("/taken", source.path()));
  CHECK(onto_file.status == 1);
  CHECK(contains(onto_file.err, "ot a directory"));
  Bundle other;
  const Outcome onto_directory = create(other.add_bind("/bin", source.path() / "file"));
  CHECK(onto_directory.status == 1);
  if (is_onggi()) CHECK(contains(onto_directory.err, "must both be directories, or neither"));
}

CASE("a missing target for a file is made as a file, in directories that are missing, too") {
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.writable_root().add_bind("/a/b/file", source.path() / "file").guest({"cat", "/a/b/file"});
  CHECK(run(bundle).out == "from the host");
  CHECK(fs::is_regular_file(bundle.rootfs() / "a/b/file"));
  CHECK(fs::file_size(bundle.rootfs() / "a/b/file") == 0);
}

CASE("a directory made below a setgid directory inherits group and bit (checklist 39)") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 does not keep the bit");
  const Source source;
  Bundle bundle;
  const fs::path parent = bundle.rootfs() / "shared";
  fs::create_directory(parent);
  REQUIRE(chown(parent.c_str(), 0, 1234) == 0);
  REQUIRE(chmod(parent.c_str(), 02755) == 0);
  CHECK(run(bundle.writable_root().add_bind("/shared/a/b", source.path())).ok());
  for (const fs::path& made : {parent / "a", parent / "a/b"}) {
    struct stat info = {};
    REQUIRE(stat(made.c_str(), &info) == 0);
    CHECK(info.st_gid == 1234);
    CHECK((info.st_mode & 07777) == 02755);
  }
}

CASE("an earlier mount of the container can be the source of a later one") {
  REQUIRES(root());
  Bundle bundle;
  bundle.add_mount("/first", "tmpfs", "tmpfs", {"mode=0711"})
      .add_bind("/second", bundle.rootfs() / "first")
      .guest({"write", "/first/x", "of the first", "--", "cat", "/second/x"});
  CHECK(run(bundle).out == "write /first/x: ok\nof the first");
}

// ── tmpfs ──

CASE("a tmpfs takes the mode of the directory it covers, unless it is given one") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 takes the mode over in any case");
  DEVIATES("crun", "1.8.1 does not take the mode over");
  Bundle bundle;
  fs::create_directories(bundle.rootfs() / "inherit");
  fs::create_directories(bundle.rootfs() / "given");
  REQUIRE(chmod((bundle.rootfs() / "inherit").c_str(), 01703) == 0);
  REQUIRE(chmod((bundle.rootfs() / "given").c_str(), 01703) == 0);
  bundle.add_mount("/inherit", "tmpfs", "tmpfs")
      .add_mount("/given", "tmpfs", "tmpfs", {"mode=0521"})
      .guest({"stat", "/inherit", "/given"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "/inherit dir 1703 "));
  CHECK(contains(outcome.out, "/given dir 0521 "));
}

CASE("a read-only tmpfs and a read-only /dev are filled first (checklist 21)") {
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.set("/mounts/1/options", Strings{"nosuid", "mode=755", "ro"})
      .add_mount("/data", "tmpfs", "tmpfs", {"ro", "nodev"})
      .add_bind("/data/below/it", source.path())
      .set_json("/linux/devices",
                R"([{"type": "c", "path": "/dev/fuse", "major": 10, "minor": 229}])")
      .guest({"cat", "/data/below/it/file", "--", "stat", "/dev/fuse", "/dev/fd", "--", "write",
              "/data/x", "y", "--", "write", "/dev/x", "y", "--", "mounts"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "from the host"));
  CHECK(contains(outcome.out, "/dev/fuse char"));
  CHECK(contains(outcome.out, "-> /proc/self/fd\n"));
  CHECK(contains(outcome.out, "write /data/x: EROFS"));
  CHECK(contains(outcome.out, "write /dev/x: EROFS"));
  CHECK(has_option(mount_at(outcome.out, "/data").options, "nodev"));
  CHECK(has_option(mount_at(outcome.out, "/dev").options, "nosuid"));
}

CASE("a mount that covers a read-only tmpfs stays writable") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 makes the upper mount read-only");
  const Source source;
  Bundle bundle;
  bundle.add_mount("/data", "tmpfs", "tmpfs", {"ro"})
      .add_bind("/data", source.path())
      .guest({"write", "/data/x", "y"});
  CHECK(run(bundle).out == "write /data/x: ok\n");
}

CASE("tmpcopyup copies files, links and directories with modes and owners") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 loses the set-id bits of directories");
  Bundle bundle;
  const fs::path data = bundle.rootfs() / "data";
  fs::create_directories(data / "sub/deep");
  write_file(data / "file", "content");
  write_file(data / "sub/deep/tool", "set-id");
  fs::create_symlink("../outside", data / "link");
  REQUIRE(chown((data / "file").c_str(), 3, 4) == 0);
  REQUIRE(chmod((data / "file").c_str(), 0604) == 0);
  REQUIRE(chown((data / "sub").c_str(), 5, 6) == 0);
  REQUIRE(chmod((data / "sub").c_str(), 03751) == 0);
  REQUIRE(chown((data / "sub/deep/tool").c_str(), 7, 8) == 0);
  REQUIRE(chmod((data / "sub/deep/tool").c_str(), 06755) == 0);
  REQUIRE(lchown((data / "link").c_str(), 9, 10) == 0);
  bundle.add_mount("/data", "tmpfs", "tmpfs", {"tmpcopyup"})
      .guest({"cat", "/data/file", "--", "stat", "/data/file", "/data/sub", "/data/sub/deep",
              "/data/sub/deep/tool", "/data/link", "--", "write", "/data/file", "changed", "--",
              "mounts"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "content"));
  CHECK(contains(outcome.out, "/data/file file 0604 3 4 "));
  CHECK(contains(outcome.out, "/data/sub dir 3751 5 6 "));
  CHECK(contains(outcome.out, "/data/sub/deep dir 0755 0 0 "));
  CHECK(contains(outcome.out, "/data/sub/deep/tool file 6755 7 8 "));
  CHECK(contains(outcome.out, "/data/link link 0777 9 10 "));
  CHECK(contains(outcome.out, "-> ../outside\n"));
  CHECK(mount_at(outcome.out, "/data").type == "tmpfs");
  CHECK(read_file(data / "file") == "content");
}

// ── masked paths ──

CASE(
    "a hundred masked directories share one filesystem; missing and listed twice, they count once "
    "(checklist 33)") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 makes a filesystem for each");
  DEVIATES("crun", "1.8.1 shows a directory of the host");
  Bundle bundle;
  Strings paths = {"/not/there", "/secret0", "/secret0/"};
  for (int i = 0; i < 100; i++) {
    const std::string path = "/secret" + std::to_string(i);
    fs::create_directory(bundle.rootfs() / path.substr(1));
    write_file(bundle.rootfs() / path.substr(1) / "file", "secret");
    paths.push_back(path);
  }
  bundle.set("/linux/maskedPaths", paths).guest({"mounts", "--", "ls", "/secret99"});
  const Outcome outcome = run(bundle);
  const std::string device = mount_at(outcome.out, "/secret0").device;
  size_t count = 0;
  for (const std::string& line : lines(outcome.out)) {
    if (!contains(line, " /secret")) continue;
    count++;
    CHECK(contains(line, " " + device + " "));
    CHECK(contains(line, " ro,"));
  }
  CHECK(count == 100);
  CHECK_FALSE(contains(outcome.out, "\nfile\n"));
}

// ── lookups ──

CASE("lookups that race with renames are tried again (checklist 37)") {
  REQUIRES(root());
  const Source source;
  const Renamer renamer, second;
  Bundle bundle;
  fs::create_directories(bundle.rootfs() / "real/deep");
  fs::create_symlink("real/../real/deep/../deep/../../real", bundle.rootfs() / "link");
  bundle.writable_root();
  for (int i = 0; i < 40; i++) {
    bundle.add_bind("/link/../link/deep/../d" + std::to_string(i), source.path());
  }
  bundle.guest({"cat", "/real/d39/file"});
  for (int i = 0; i < 5; i++) {
    const Outcome outcome = run(bundle);
    CHECK(outcome.err == "");
    CHECK(outcome.out == "from the host");
  }
}

CASE("lookups that are refused for ever are an error with a cure, and nothing is left behind") {
  REQUIRES((Need{is_onggi(), "an error of this runtime"}));
  REQUIRES(root());
  Bundle bundle;
  bundle.write();
  const std::string id = tag() + "-blocked";
  struct Row {
    int error;
    const char *text, *cure;
  };
  for (const Row& row :
       {Row{ENOSYS, "Function not implemented", "openat2(2) needs Linux 5.6"},
        Row{EAGAIN, "Resource temporarily unavailable", "renamed faster than a path"}}) {
    CAPTURE(row.text);
    Strings command = {bundle.rootfs() / "bin/guest", "without-call", std::to_string(SYS_openat2),
                       std::to_string(row.error)};
    for (const std::string& word : runtime_command({"create", "--bundle", bundle.path(), id}))
      command.push_back(word);
    const Outcome outcome = run_program(command);
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, row.text));
    CHECK(contains(outcome.err, row.cure));
    CHECK_FALSE(fs::exists(state_root() / id));
  }
}

TEST_SUITE_END();
