// SPDX-License-Identifier: Apache-2.0
// Where mounts go and what they start with: destinations of all kinds, tmpfs, masked directories,
// and lookups under adverse conditions.
#include "support/mount_table.h"
#include "support/suite.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

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

TEST_SUITE_BEGIN("destinations");

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

CASE("a tmpfs on a directory that was not there before is writable for everybody") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  for (const bool user_namespace : {false, true}) {
    CAPTURE(user_namespace);
    Bundle bundle;
    bundle.writable_root()
        .add_mount("/new", "tmpfs", "tmpfs", {"nosuid", "nodev"})
        .add_mount("/deep/er", "tmpfs", "tmpfs", {"tmpcopyup"})
        .add_mount("/new/below", "tmpfs", "tmpfs", {"rw", "size=1m"})
        .add_mount("/given", "tmpfs", "tmpfs", {"mode=0700"})
        .set("/process/user/uid", 1000)
        .guest({"stat", "/new", "/deep/er", "/new/below", "/given", "--", "write", "/new/x", "y",
                "--", "write", "/deep/er/x", "y"});
    if (user_namespace) {
      REQUIRE(chown(bundle.rootfs().c_str(), kFirstId, kFirstId) == 0);
      in_user_namespace(bundle);
    }
    const Outcome outcome = run(bundle);
    for (const char* line : {"/new dir 1777 ", "/deep/er dir 1777 ", "/new/below dir 1777 ",
                             "/given dir 0700 ", "write /new/x: ok", "write /deep/er/x: ok"}) {
      CAPTURE(line);
      CHECK(contains(outcome.out, line));
    }
  }
}

CASE("a tmpfs that a dangling link puts on a new directory is writable for everybody") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 does not follow it");
  Bundle bundle;
  fs::create_symlink("not/there", bundle.rootfs() / "link");
  bundle.writable_root().add_mount("/link", "tmpfs", "tmpfs").guest({"stat", "/not", "/not/there"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "/not dir 0755 "));
  CHECK(contains(outcome.out, "/not/there dir 1777 "));
}

CASE("a tmpfs has the same mode when its container starts again") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 makes a directory of mode 0755, which gives its mode the next time");
  DEVIATES("crun", "1.8.1 makes directories of mode 1755 on the way");
  const Source source;
  Bundle bundle;
  bundle.writable_root()
      .add_mount("/on/the/way", "tmpfs", "tmpfs")
      .add_bind("/data", source.path())
      .add_mount("/data/cache", "tmpfs", "tmpfs")
      .guest({"stat", "/on/the/way", "/on/the", "/data/cache"});
  const std::string first = run(bundle).out;
  CHECK(contains(first, "/on/the/way dir 1777 "));
  CHECK(contains(first, "/on/the dir 0755 "));
  CHECK(contains(first, "/data/cache dir 1777 "));
  CHECK(contains(run(bundle).out, "/on/the/way dir 1777 "));
  // Nobody but its owner gets a directory of the host to write to.
  CHECK(fs::status(source.path() / "cache").permissions() == fs::perms(0755));
}

CASE("a tmpfs takes the mode 0 over") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 does not take the mode over");
  Bundle bundle;
  fs::create_directory(bundle.rootfs() / "closed");
  REQUIRE(chmod((bundle.rootfs() / "closed").c_str(), 0) == 0);
  bundle.add_mount("/closed", "tmpfs", "tmpfs").guest({"stat", "/closed"});
  CHECK(contains(run(bundle).out, "/closed dir 0000 "));
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

CASE("tmpcopyup of a deep tree needs no deep stack, and names its limit") {
  REQUIRES(root());
  for (const int depth : {200, 300}) {
    CAPTURE(depth);
    Bundle bundle;
    std::string below;
    for (int i = 0; i < depth; i++) below += "/d";
    fs::create_directories(bundle.rootfs() / ("data" + below));
    write_file(bundle.rootfs() / ("data" + below) / "file", "deepest");
    write_file(bundle.rootfs() / "data/d/z", "beside");
    bundle.add_mount("/data", "tmpfs", "tmpfs", {"tmpcopyup"})
        .guest({"cat", "/data" + below + "/file", "/data/d/z"})
        .write();
    const Container container(bundle);
    std::string command = "ulimit -s 512; exec";
    for (const std::string& word :
         runtime_command({"run", "--bundle", bundle.path().string(), container.id()}))
      command += " '" + word + "'";
    const Outcome outcome = run_program({"/bin/sh", "-c", command});
    if (is_onggi() && depth > 256) {
      CHECK(contains(outcome.err, "more than 256 nested directories"));
    } else {
      CHECK(outcome.ok());
      CHECK(contains(outcome.out, "deepest"));
      CHECK(contains(outcome.out, "beside"));
    }
  }
}

CASE("what a later mount covers is made read-only before, and the later one is not") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 gives a tmpfs the mode of the directory below it");
  Bundle bound, over_sys, over_parent, over;
  bound.add_bind("/sys", "/sys", {"bind", "ro"});
  over_sys.add_mount("/sys", "tmpfs", "tmpfs", {"mode=755"});
  over_parent.add_mount("/sys/fs", "tmpfs", "tmpfs", {"mode=755"});
  over.add_mount("/sys/fs/cgroup", "tmpfs", "tmpfs", {"mode=755"});
  CHECK(run(bound).err == "");
  for (Bundle* bundle : {&over_sys, &over_parent, &over}) {
    const Outcome outcome = run(bundle->guest(
        {"mkdir", "/sys/fs", "--", "mkdir", "/sys/fs/cgroup", "--", "mkdir", "/sys/fs/cgroup/x"}));
    CAPTURE(outcome.err);
    CHECK(contains(outcome.out, "mkdir /sys/fs/cgroup/x: ok"));
  }
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
  for (const Row& row : {Row{ENOSYS, "function not implemented", "openat2(2) requires Linux 5.6"},
                         Row{EAGAIN, "resource temporarily unavailable", "are being renamed"}}) {
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
