// SPDX-License-Identifier: Apache-2.0
// The file system of a container: mounts and their options, devices, masked and read-only paths,
// and destinations that a hostile rootfs tries to lead outside.
#include "support/mount_table.h"
#include "support/suite.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

TEST_SUITE_BEGIN("rootfs");

CASE("the root is read-only or writable as the config says") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"write", "/new", "x"});
  CHECK(run(bundle).out == "write /new: EROFS\n");
  CHECK(run(bundle.writable_root()).out == "write /new: ok\n");
  CHECK(fs::exists(bundle.rootfs() / "new"));
}

CASE("the host's root is not reachable") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle.guest({"ls", "/", "--", "ls", "/..", "--", "mounts"}));
  for (const std::string name : {"usr", "home", "boot", ".pivot_root", ".old_root"}) {
    CHECK_FALSE(contains(outcome.out, "\n" + name + "\n"));
  }
  CHECK_FALSE(contains(outcome.out, state_root().string()));
}

CASE("the default mounts are there with their types and options") {
  REQUIRES(root());
  Bundle bundle;
  const std::string table = run(bundle.guest({"mounts"})).out;
  CHECK(mount_at(table, "/proc").type == "proc");
  CHECK(mount_at(table, "/dev").type == "tmpfs");
  CHECK(has_option(mount_at(table, "/dev").options, "nosuid"));
  CHECK(contains(mount_at(table, "/dev").super, "size=65536k"));
  CHECK(contains(mount_at(table, "/dev").super, "mode=755"));
  CHECK(mount_at(table, "/dev/pts").type == "devpts");
  CHECK(contains(mount_at(table, "/dev/pts").super, "ptmxmode=666"));
  CHECK(mount_at(table, "/dev/mqueue").type == "mqueue");
  CHECK(mount_at(table, "/sys").type == "sysfs");
  for (const std::string option : {"ro", "nosuid", "nodev", "noexec"}) {
    CHECK(has_option(mount_at(table, "/sys").options, option));
  }
}

CASE("the default devices and links are there") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome =
      run(bundle.guest({"stat",         "/dev/null",   "/dev/zero", "/dev/full", "/dev/random",
                        "/dev/urandom", "/dev/tty",    "/dev/ptmx", "/dev/fd",   "/dev/stdin",
                        "/dev/stdout",  "/dev/stderr", "--",        "open",      "/dev/null",
                        "rw",           "--",          "open",      "/dev/zero", "r"}));
  for (const std::string line : {"/dev/null char 0666 0 0 1:3", "/dev/zero char 0666 0 0 1:5",
                                 "/dev/full char 0666 0 0 1:7", "/dev/random char 0666 0 0 1:8",
                                 "/dev/urandom char 0666 0 0 1:9", "/dev/tty char 0666 0 0 5:0"}) {
    CAPTURE(line);
    CHECK(contains(outcome.out, line + "\n"));
  }
  CHECK(contains(outcome.out, " -> pts/ptmx\n"));
  CHECK(contains(outcome.out, "-> /proc/self/fd\n"));
  CHECK(contains(outcome.out, "-> /proc/self/fd/0\n"));
  CHECK(contains(outcome.out, "-> /proc/self/fd/2\n"));
  CHECK(contains(outcome.out, "open /dev/null: ok\n"));
  CHECK(contains(outcome.out, "open /dev/zero: ok\n"));
}

CASE("a listed device is made with mode and owner") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"stat", "/dev/fuse", "/dev/pipe"}).set_json("/linux/devices", R"([
    {"type": "c", "path": "/dev/fuse", "major": 10, "minor": 229, "fileMode": 432, "uid": 7, "gid": 8},
    {"type": "p", "path": "/dev/pipe", "fileMode": 384}])");
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "/dev/fuse char 0660 7 8 10:229\n"));
  CHECK(contains(outcome.out, "/dev/pipe fifo 0600 0 0 0:0\n"));
}

CASE("the caller's umask does not shape device modes (checklist 11)") {
  REQUIRES(root());
  Bundle bundle;
  const mode_t mine = umask(0077);
  bundle.set_json("/linux/devices", R"([{"type": "c", "path": "/dev/n", "major": 1, "minor": 3}])");
  const Outcome outcome = run(bundle.guest({"stat", "/dev/null", "/dev/n", "/dev/shm"}));
  umask(mine);
  CHECK(contains(outcome.out, "/dev/null char 0666"));
  CHECK(contains(outcome.out, "/dev/n char 0666"));
  CHECK(contains(outcome.out, "/dev/shm dir 1777"));
}

CASE("a device that is not allowed can be neither opened nor made") {
  REQUIRES(root());
  REQUIRES((Need{cgroup_v1().met, "needs the v1 devices controller"}));
  Bundle bundle;
  bundle.writable_root().guest({"mknod", "/dev/mem", "c", "1", "1", "--", "open", "/dev/mem", "r"});
  bundle.set("/process/capabilities/bounding/-", "CAP_MKNOD")
      .set("/process/noNewPrivileges", false);
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "open /dev/mem: EPERM"));
}

CASE("masked files are empty, masked directories too, and missing ones are skipped") {
  REQUIRES(root());
  Bundle bundle;
  fs::create_directories(bundle.rootfs() / "secret");
  write_file(bundle.rootfs() / "secret/file", "secret");
  write_file(bundle.rootfs() / "key", "secret");
  bundle.set("/linux/maskedPaths", Strings{"/secret", "/key", "/not/there", "/secret"});
  bundle.writable_root().guest(
      {"cat", "/key", "--", "ls", "/secret", "--", "write", "/secret/x", "y"});
  CHECK(run(bundle).out == "write /secret/x: EROFS\n");
  CHECK(read_file(bundle.rootfs() / "key") == "secret");
}

CASE("files that the kernel has are masked by the default config") {
  REQUIRES(root());
  REQUIRES(file("/proc/timer_list"));
  Bundle bundle;
  const std::string out = run(bundle.guest({"stat", "/proc/timer_list"})).out;
  CHECK(out.starts_with("/proc/timer_list char 0666 "));
  CHECK(out.ends_with(" 1:3\n"));
}

CASE("read-only paths cannot be written, and missing ones are skipped") {
  REQUIRES(root());
  Bundle bundle;
  fs::create_directories(bundle.rootfs() / "etc/fixed");
  bundle.writable_root().set("/linux/readonlyPaths",
                             Strings{"/etc/fixed", "/proc/sys", "/not/there"});
  bundle.guest({"write", "/etc/fixed/x", "y", "--", "write", "/etc/x", "y", "--", "write",
                "/proc/sys/kernel/domainname", "y"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "write /etc/fixed/x: EROFS\n"));
  CHECK(contains(outcome.out, "write /etc/x: ok\n"));
  CHECK(contains(outcome.out, "write /proc/sys/kernel/domainname: EROFS\n"));
}

CASE("a read-only path keeps the other flags of its mount") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 drops nosuid, nodev and noexec");
  Bundle bundle;
  bundle.add_mount("/data", "tmpfs", "tmpfs", {"nosuid", "nodev", "noexec"})
      .set("/linux/readonlyPaths", Strings{"/data"});
  const MountLine data = mount_at(run(bundle.guest({"mounts"})).out, "/data");
  for (const std::string option : {"ro", "nosuid", "nodev", "noexec"})
    CHECK(has_option(data.options, option));
}

CASE("a tmpfs takes its options") {
  REQUIRES(root());
  Bundle bundle;
  bundle.add_mount("/data", "tmpfs", "tmpfs",
                   {"nosuid", "nodev", "noexec", "mode=0750", "size=1m", "uid=3", "gid=4"});
  const Outcome outcome = run(bundle.guest({"mounts", "--", "stat", "/data"}));
  const MountLine data = mount_at(outcome.out, "/data");
  CHECK(has_option(data.options, "noexec"));
  CHECK(contains(data.super, "size=1024k"));
  CHECK(contains(outcome.out, "/data dir 0750 3 4"));
}

CASE("a tmpfs with ro is read-only") {
  REQUIRES(root());
  Bundle bundle;
  bundle.add_mount("/data", "tmpfs", "tmpfs", {"ro"}).guest({"write", "/data/x", "y"});
  CHECK(run(bundle).out == "write /data/x: EROFS\n");
}

CASE("a read-only /dev still gets its devices") {
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/mounts/1/options", Strings{"nosuid", "mode=755", "ro"});
  const Outcome outcome = run(bundle.guest({"stat", "/dev/null", "--", "write", "/dev/x", "y"}));
  CHECK(contains(outcome.out, "/dev/null char 0666 0 0 1:3"));
  CHECK(contains(outcome.out, "write /dev/x: EROFS"));
}

CASE("a bind mount shows the source, writable by default") {
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.add_bind("/data", source.path())
      .guest({"cat", "/data/file", "--", "write", "/data/new", "x"});
  CHECK(run(bundle).out == "from the hostwrite /data/new: ok\n");
  CHECK(fs::exists(source.path() / "new"));
}

CASE("a read-only bind mount cannot be written") {
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.add_bind("/data", source.path(), {"bind", "ro"}).guest({"write", "/data/new", "x"});
  CHECK(run(bundle).out == "write /data/new: EROFS\n");
}

CASE("bind mounts take nosuid, nodev and noexec") {
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.add_bind("/data", source.path(), {"rbind", "nosuid", "nodev", "noexec"});
  fs::copy_file(bundle.rootfs() / "bin/guest", source.path() / "guest");
  const Outcome outcome = run(bundle.guest({"mounts", "--", "exec", "/data/guest", "echo", "ran"}));
  const MountLine data = mount_at(outcome.out, "/data");
  for (const std::string option : {"rw", "nosuid", "nodev", "noexec"})
    CHECK(has_option(data.options, option));
  CHECK(contains(outcome.out, "exec /data/guest: EACCES"));
}

CASE("a file is bound onto a file that is made for it") {
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.writable_root()
      .add_bind("/etc/bound", source.path() / "file")
      .guest({"cat", "/etc/bound"});
  CHECK(run(bundle).out == "from the host");
  CHECK(fs::is_regular_file(bundle.rootfs() / "etc/bound"));
}

CASE("a relative bind source is relative to the bundle") {
  REQUIRES(root());
  Bundle bundle;
  fs::create_directory(bundle.path() / "volume");
  write_file(bundle.path() / "volume/file", "of the bundle");
  bundle.add_bind("/data", "volume").guest({"cat", "/data/file"});
  CHECK(run(bundle).out == "of the bundle");
}

CASE("a missing bind source is an error that names it") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = create(bundle.add_bind("/data", "/no/such/source"));
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "o such file or directory"));
  CHECK(contains(outcome.err, "/no/such/source"));
  if (is_onggi()) CHECK(contains(outcome.err, "mounts[7]"));
}

CASE("rbind shows what is mounted below the source, bind does not") {
  REQUIRES(root());
  const Source source;
  fs::create_directory(source.path() / "sub");
  REQUIRE(mount("tmpfs", (source.path() / "sub").c_str(), "tmpfs", 0, nullptr) == 0);
  write_file(source.path() / "sub/deep", "deep");
  Bundle bundle;
  bundle.add_bind("/all", source.path(), {"rbind"}).add_bind("/top", source.path(), {"bind"});
  const Outcome outcome = run(bundle.guest({"cat", "/all/sub/deep", "/top/sub/deep"}));
  umount2((source.path() / "sub").c_str(), MNT_DETACH);
  CHECK(outcome.out == "deepcat /top/sub/deep: ENOENT\n");
}

CASE("rro makes the whole tree read-only, ro only its top") {
  REQUIRES(root());
  REQUIRES(kernel(5, 12));
  const Source source;
  fs::create_directory(source.path() / "sub");
  REQUIRE(mount("tmpfs", (source.path() / "sub").c_str(), "tmpfs", 0, nullptr) == 0);
  Bundle bundle;
  bundle.add_bind("/deep", source.path(), {"rbind", "rro"})
      .add_bind("/flat", source.path(), {"rbind", "ro"});
  const Outcome outcome =
      run(bundle.guest({"write", "/deep/x", "y", "--", "write", "/deep/sub/x", "y", "--", "write",
                        "/flat/x", "y", "--", "write", "/flat/sub/x", "y"}));
  umount2((source.path() / "sub").c_str(), MNT_DETACH);
  CHECK(contains(outcome.out, "write /deep/x: EROFS\n"));
  CHECK(contains(outcome.out, "write /deep/sub/x: EROFS\n"));
  CHECK(contains(outcome.out, "write /flat/x: EROFS\n"));
  CHECK(contains(outcome.out, "write /flat/sub/x: ok\n"));
}

CASE("a private mount does not spread, a shared one says so") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 leaves the mount private");
  const Source source;
  Bundle bundle;
  bundle.add_bind("/shared", source.path(), {"rbind", "rshared"})
      .add_bind("/private", source.path(), {"rbind", "rprivate"});
  const std::string table = run(bundle.guest({"mounts"})).out;
  CHECK(contains(mount_at(table, "/shared").tags, "shared:"));
  CHECK(mount_at(table, "/private").tags.empty());
}

CASE("a slave mount gets what the host mounts later") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 leaves the mount private");
  const Source source;
  fs::create_directory(source.path() / "late");
  REQUIRE(mount(source.path().c_str(), source.path().c_str(), nullptr, MS_BIND, nullptr) == 0);
  REQUIRE(mount(nullptr, source.path().c_str(), nullptr, MS_SHARED, nullptr) == 0);
  Bundle bundle;
  bundle.add_bind("/data", source.path(), {"rbind", "rslave"}).guest({"ls", "/data/late"});
  Container container(bundle);
  const Outcome created = container.create();
  CHECK(created.ok());
  CHECK(mount("tmpfs", (source.path() / "late").c_str(), "tmpfs", 0, nullptr) == 0);
  write_file(source.path() / "late/arrived", "");
  const pid_t pid = container.pid();
  CHECK(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(container.output() == "arrived\n");
  CHECK(container.remove(true).ok());
  umount2((source.path() / "late").c_str(), MNT_DETACH);
  umount2(source.path().c_str(), MNT_DETACH);
}

CASE("mounts are made in the listed order") {
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  bundle.add_mount("/data", "tmpfs", "tmpfs")
      .add_bind("/data/inner", source.path())
      .guest({"cat", "/data/inner/file"});
  CHECK(run(bundle).out == "from the host");
}

CASE("a missing destination is created with mode 0755") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 lets the caller's umask shape it");
  DEVIATES("crun", "1.8.1 lets the caller's umask shape it");
  const Source source;
  Bundle bundle;
  const mode_t mine = umask(0077);
  CHECK(run(bundle.writable_root().add_bind("/a/b/c", source.path()).guest({"cat", "/a/b/c/file"}))
            .out == "from the host");
  umask(mine);
  CHECK(fs::status(bundle.rootfs() / "a/b").permissions() == fs::perms{0755});
}

CASE("a destination through links stays inside the rootfs") {
  REQUIRES(root());
  const Source source;
  const ScratchDirectory canary("canary");
  struct Row {
    std::string target, destination;
  };
  const std::string outside = canary.path().string();
  for (const Row& row :
       {Row{outside, "/link"}, Row{"../../../../../../../../.." + outside, "/link"},
        Row{outside, "/link/deeper/still"}, Row{"/real", "/link/inner"}, Row{"..", "/link/up"},
        Row{"/../../.." + outside, "/link/x"}}) {
    CAPTURE(row.target);
    CAPTURE(row.destination);
    Bundle bundle;
    fs::create_symlink(row.target, bundle.rootfs() / "link");
    // What the link names exists inside too: that is where the mount has to land.
    fs::create_directories(fs::path(bundle.rootfs().string() + outside));
    fs::create_directory(bundle.rootfs() / "real");
    bundle.writable_root()
        .add_bind(row.destination, source.path())
        .guest({"cat", row.destination + "/file"});
    CHECK(run(bundle).out == "from the host");
    CHECK(fs::is_empty(canary.path()));
  }
}

CASE("a dangling link as destination does not reach the host") {
  REQUIRES(root());
  const Source source;
  const ScratchDirectory canary("canary");
  Bundle bundle;
  fs::create_symlink(canary.path() / "made", bundle.rootfs() / "link");
  bundle.writable_root().add_bind("/link", source.path());
  (void)run(bundle);  // creating the target inside the rootfs and refusing are both right
  CHECK(fs::is_empty(canary.path()));
}

CASE("/dev as a link in the rootfs does not reach the host") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 makes its links at the target on the host");
  const ScratchDirectory canary("canary");
  for (const std::string& target :
       {canary.path().string(), "../../../../../.." + canary.path().string()}) {
    CAPTURE(target);
    Bundle bundle;
    fs::create_symlink(target, bundle.rootfs() / "dev");
    bundle.writable_root();
    (void)run(bundle);
    CHECK(fs::is_empty(canary.path()));
  }
}

CASE("/proc or /sys as a link in the rootfs is refused") {
  REQUIRES(root());
  for (const std::string name : {"proc", "sys"}) {
    CAPTURE(name);
    Bundle bundle;
    fs::create_directory(bundle.rootfs() / "elsewhere");
    fs::create_symlink("/elsewhere", bundle.rootfs() / name);
    const Outcome outcome = create(bundle.writable_root());
    CHECK(outcome.status == 1);
    if (runtime_name() != "crun")
      CHECK(contains(outcome.err, "must be mounted on ordinary directory"));
    if (is_onggi()) CHECK(contains(outcome.err, name == "proc" ? "mounts[0]" : "mounts[5]"));
  }
}

CASE("a destination below a file is an error") {
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  write_file(bundle.rootfs() / "file", "");
  const Outcome outcome = create(bundle.writable_root().add_bind("/file/below", source.path()));
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "ot a directory"));
  if (is_onggi()) CHECK(contains(outcome.err, "mounts[7]"));
}

CASE("a file system that the kernel does not know is an error that names the entry") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = create(bundle.add_mount("/data", "nosuchfs", "none"));
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "o such device"));
  if (is_onggi()) CHECK(contains(outcome.err, "mounts[7]"));
}

CASE("rootfsPropagation is seen on the container's root") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"mounts"});
  CHECK(mount_at(run(bundle.set("/linux/rootfsPropagation", "private")).out, "/").tags.empty());
  const std::string shared = run(bundle.set("/linux/rootfsPropagation", "shared")).out;
  if (is_onggi()) CHECK(contains(mount_at(shared, "/").tags, "shared:"));
  const std::string unbindable = run(bundle.set("/linux/rootfsPropagation", "unbindable")).out;
  if (is_onggi()) CHECK(contains(mount_at(unbindable, "/").tags, "unbindable"));
}

CASE("the /sys/fs/cgroup mount shows the container's own cgroups, read-only") {
  REQUIRES(root());
  Bundle bundle;
  const std::string inside = cgroup_v2().met ? "/sys/fs/cgroup/x" : "/sys/fs/cgroup/pids/x";
  const Outcome outcome =
      run(bundle.guest({"ls", "/sys/fs/cgroup", "--", "mkdir", inside, "--", "cgroup"}));
  CHECK(contains(outcome.out, cgroup_v2().met ? "cgroup.procs" : "memory"));
  CHECK(contains(outcome.out, "mkdir " + inside + ": EROFS"));
  CHECK(contains(outcome.out, ":/\n"));
}

CASE("--no-pivot runs with the same view") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"ls", "/", "--", "cwd"});
  Container container(bundle);
  const Outcome outcome = container.run({"--no-pivot"});
  CHECK(outcome.ok());
  CHECK(contains(outcome.out, "bin\ndev\nproc\nsys\n"));
}

CASE("what a bind mount covered is unchanged after the container is gone") {
  REQUIRES(root());
  const Source source;
  Bundle bundle;
  fs::create_directory(bundle.rootfs() / "data");
  write_file(bundle.rootfs() / "data/own", "own");
  CHECK(run(bundle.add_bind("/data", source.path()).guest({"ls", "/data"})).out == "file\n");
  CHECK(read_file(bundle.rootfs() / "data/own") == "own");
}

// ── process.cwd ──

CASE("a missing working directory is made before anything becomes read-only") {
  REQUIRES(root());
  struct Row {
    const char *cwd, *made;
  };
  for (const Row& row : {Row{"/missing/dir", "/missing/dir"}, Row{"/ro/dir", "/ro/dir"},
                         Row{"/temporary/dir", "/temporary/dir"}, Row{"/link/x", "/behind/x"}}) {
    CAPTURE(row.cwd);
    Bundle bundle;
    std::filesystem::create_directories(bundle.rootfs() / "ro");
    std::filesystem::create_directories(bundle.rootfs() / "behind");
    std::filesystem::create_symlink("/behind", bundle.rootfs() / "link");
    bundle.set("/root/readonly", true)
        .add_mount("/temporary", "tmpfs", "tmpfs", {"ro"})
        .set("/linux/readonlyPaths", Strings{"/ro"})
        .set("/process/cwd", row.cwd)
        .set("/process/user/uid", 1000)
        .guest({"cwd", "--", "stat", row.made, "--", "write", "/missing/x", "y"});
    const Outcome outcome = run(bundle);
    CHECK(contains(outcome.out, std::string(row.made) + "\n"));
    CHECK(contains(outcome.out, std::string(row.made) + " dir 0755 0 0 "));
    CHECK_FALSE(contains(outcome.out, "write /missing/x: ok"));
  }
}

TEST_SUITE_END();
