// SPDX-License-Identifier: Apache-2.0
// config-linux.md: sysctls, masked and read-only paths.
#include "support/suite.h"

#include <sys/mount.h>
#include <sys/stat.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* kSysctl =
    "config-linux.md#sysctl: sysctl (object, OPTIONAL) allows kernel parameters to be modified at "
    "runtime for the container.";
constexpr const char* kMasked =
    "config-linux.md#masked-paths: maskedPaths (array of strings, OPTIONAL) will mask over the "
    "provided paths inside the container so that they cannot be read.";
constexpr const char* kReadonly =
    "config-linux.md#readonly-paths: readonlyPaths (array of strings, OPTIONAL) will set the "
    "provided paths as readonly inside the container.";
constexpr const char* kCrunLeavesCgroups = "1.8.1 leaves the cgroups of a failed create behind";

// The value of a sysctl in a container whose config sets it.
std::string set_in_container(const std::string& key, const std::string& value,
                             const std::string& file) {
  Bundle bundle;
  bundle.set_json("/linux/sysctl", "{" + json_string(key) + ": " + json_string(value) + "}")
      .guest({"cat", "/proc/sys/" + file});
  return run(bundle).out;
}

bool sysctl_refused(const std::string& sysctls) {
  Bundle bundle;
  return !create(bundle.set_json("/linux/sysctl", sysctls)).ok();
}

Bundle& give_sys_admin(Bundle& bundle) {
  for (const std::string set : {"bounding", "effective", "permitted"})
    bundle.set("/process/capabilities/" + set, Strings{"CAP_SYS_ADMIN"});
  return bundle;
}

// Relative paths, and what else is no list of paths.
void check_path_list(const std::string& field) {
  for (const std::string value : {R"(["proc/kcore"])", R"(["./proc"])", R"([""])", R"("/proc")",
                                  R"([1])", R"({"/proc": true})"}) {
    CAPTURE(value);
    Bundle bundle;
    CHECK_FALSE(create(bundle.set_json("/linux/" + field, value)).ok());
  }
}

}  // namespace

TEST_SUITE_BEGIN("sysctl_and_paths");

CASE("sysctl: kernel parameters are set for the container alone") {
  CITE(kSysctl);
  REQUIRES(root());
  const std::string before = read_file("/proc/sys/net/core/somaxconn");
  CHECK(set_in_container("net.core.somaxconn", "256", "net/core/somaxconn") == "256\n");
  CHECK(read_file("/proc/sys/net/core/somaxconn") == before);
}

CASE("sysctl: several at once") {
  CITE(kSysctl);
  REQUIRES(root());
  Bundle bundle;
  bundle
      .set_json("/linux/sysctl", R"({"net.ipv4.ip_forward": "1", "net.core.somaxconn": "99",
                                     "kernel.msgmax": "4096", "fs.mqueue.queues_max": "17"})")
      .guest({"cat", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/core/somaxconn",
              "/proc/sys/kernel/msgmax", "/proc/sys/fs/mqueue/queues_max"});
  CHECK(run(bundle).out == "1\n99\n4096\n17\n");
}

CASE("sysctl: each parameter of System V IPC") {
  CITE(kSysctl);
  REQUIRES(root());
  struct Row {
    const char *name, *value, *shown;
  };
  for (const Row& row :
       {Row{"msgmax", "4096", "4096\n"}, Row{"msgmnb", "8192", "8192\n"},
        Row{"msgmni", "77", "77\n"}, Row{"sem", "100 200 30 40", "100\t200\t30\t40\n"},
        Row{"shm_rmid_forced", "1", "1\n"}, Row{"shmall", "100000", "100000\n"},
        Row{"shmmax", "1048576", "1048576\n"}, Row{"shmmni", "55", "55\n"}}) {
    CAPTURE(row.name);
    CHECK(set_in_container(std::string("kernel.") + row.name, row.value,
                           std::string("kernel/") + row.name) == row.shown);
  }
}

CASE("sysctl: the domain name") {
  CITE(kSysctl);
  REQUIRES(root());
  const std::string before = read_file("/proc/sys/kernel/domainname");
  CHECK(set_in_container("kernel.domainname", "example.test", "kernel/domainname") ==
        "example.test\n");
  CHECK(read_file("/proc/sys/kernel/domainname") == before);
}

CASE("sysctl: a parameter of an interface") {
  CITE(kSysctl);
  REQUIRES(root());
  CHECK(set_in_container("net.ipv4.conf.lo.forwarding", "1", "net/ipv4/conf/lo/forwarding") ==
        "1\n");
}

CASE("sysctl: names with slashes, as sysctl(8) takes them") {
  CITE("config-linux.md#sysctl: For more information, see the sysctl(8) man page.");
  REQUIRES(root());
  CHECK(set_in_container("net/core/somaxconn", "257", "net/core/somaxconn") == "257\n");
}

CASE("sysctl: a parameter of the whole host is an error") {
  CITE(kSysctl);
  REQUIRES(root());
  const std::string before = read_file("/proc/sys/vm/swappiness");
  for (const std::string sysctl :
       {R"({"vm.swappiness": "1"})", R"({"kernel.panic": "1"})", R"({"fs.file-max": "1"})",
        R"({"vm/swappiness": "1"})", R"({"kernel.core_pattern": "x"})"}) {
    CAPTURE(sysctl);
    CHECK(sysctl_refused(sysctl));
  }
  CHECK(read_file("/proc/sys/vm/swappiness") == before);
}

CASE("sysctl: a parameter of a namespace that the container shares is an error") {
  CITE(kSysctl);
  REQUIRES(root());
  struct Row {
    const char *type, *sysctl;
  };
  const std::string before = read_file("/proc/sys/net/core/somaxconn");
  for (const Row& row :
       {Row{"network", R"({"net.core.somaxconn": "256"})"}, Row{"ipc", R"({"kernel.shmmni": "5"})"},
        Row{"ipc", R"({"fs.mqueue.queues_max": "5"})"},
        Row{"uts", R"({"kernel.domainname": "x"})"}}) {
    CAPTURE(row.sysctl);
    Bundle bundle;
    bundle.erase("/hostname").drop_namespace(row.type).set_json("/linux/sysctl", row.sysctl);
    CHECK_FALSE(create(bundle).ok());
  }
  CHECK(read_file("/proc/sys/net/core/somaxconn") == before);
}

CASE("sysctl: the host's network namespace by its path is shared, too") {
  CITE(kSysctl);
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 sets it");
  const std::string before = read_file("/proc/sys/net/core/somaxconn");
  Bundle bundle;
  bundle.set_namespace("network", "/proc/self/ns/net")
      .set_json("/linux/sysctl",
                R"({"net.core.somaxconn": ")" + std::to_string(atoi(before.c_str())) + R"("})");
  CHECK_FALSE(create(bundle).ok());
}

CASE("sysctl: a parameter that does not exist is an error") {
  CITE(kSysctl);
  REQUIRES(root());
  for (const std::string sysctl : {R"({"net.no.such": "1"})", R"({"nosuch": "1"})", R"({"": "1"})",
                                   R"({"net/../vm/swappiness": "1"})"}) {
    CAPTURE(sysctl);
    CHECK(sysctl_refused(sysctl));
  }
}

CASE("sysctl: a value that the kernel refuses, or of another type, is an error") {
  CITE(kSysctl);
  REQUIRES(root());
  DEVIATES("crun", kCrunLeavesCgroups);
  for (const std::string sysctl : {R"({"net.core.somaxconn": "many"})",
                                   R"({"net.core.somaxconn": 256})", R"(["net.core.somaxconn"])"}) {
    CAPTURE(sysctl);
    CHECK(sysctl_refused(sysctl));
  }
}

CASE("masked paths cannot be read") {
  CITE(kMasked);
  REQUIRES(root());
  Bundle bundle;
  fs::create_directory(bundle.rootfs() / "directory");
  write_file(bundle.rootfs() / "directory/secret", "secret");
  write_file(bundle.rootfs() / "secret", "secret");
  bundle.set("/linux/maskedPaths", Strings{"/directory", "/secret"});
  CHECK_FALSE(contains(run(bundle.guest({"cat", "/secret", "/directory/secret"})).out, "secret\n"));
  CHECK(run(bundle.guest({"cat", "/secret", "--", "ls", "/directory"})).out.empty());
}

CASE("masked paths: a path that does not exist is no error") {
  CITE(kMasked);
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/linux/maskedPaths", Strings{"/missing", "/proc/missing/below"})
      .guest({"echo", "runs"});
  CHECK(run(bundle).out == "runs\n");
}

CASE("masked paths: nothing can be written to them") {
  CITE(kMasked);
  REQUIRES(root());
  Bundle bundle;
  fs::create_directory(bundle.rootfs() / "directory");
  write_file(bundle.rootfs() / "secret", "secret");
  bundle.writable_root()
      .set("/linux/maskedPaths", Strings{"/directory", "/secret"})
      .guest({"write", "/directory/x", "y", "--", "write", "/secret", "changed"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "write /directory/x: EROFS\n"));
  CHECK(read_file(bundle.rootfs() / "secret") == "secret");
  CHECK(fs::is_empty(bundle.rootfs() / "directory"));
}

CASE("masked paths: they cannot be uncovered") {
  CITE(kMasked);
  REQUIRES(root());
  Bundle bundle;
  write_file(bundle.rootfs() / "secret", "secret");
  bundle.set("/linux/maskedPaths", Strings{"/secret"})
      .guest({"umount", "/secret", "--", "cat", "/secret"});
  CHECK(run(bundle).out == "umount /secret: EPERM\n");
}

CASE("masked paths: below another mount, and in /proc") {
  CITE(kMasked);
  REQUIRES(root());
  const ScratchDirectory outside("outside");
  write_file(outside.path() / "secret", "secret");
  Bundle bundle;
  bundle.add_bind("/mounted", outside.path())
      .set("/linux/maskedPaths", Strings{"/mounted/secret", "/proc/version", "/proc/net"})
      .guest({"cat", "/mounted/secret", "/proc/version", "--", "ls", "/mounted"});
  CHECK(run(bundle).out == "secret\n");
  CHECK(read_file(outside.path() / "secret") == "secret");
}

CASE("masked paths: a link covers what it leads to") {
  CITE(kMasked);
  REQUIRES(root());
  Bundle bundle;
  write_file(bundle.rootfs() / "secret", "secret");
  fs::create_symlink("/secret", bundle.rootfs() / "link");
  bundle.set("/linux/maskedPaths", Strings{"/link"}).guest({"cat", "/link"});
  CHECK(run(bundle).out.empty());
}

CASE("masked paths: the same path twice") {
  CITE(kMasked);
  REQUIRES(root());
  Bundle bundle;
  write_file(bundle.rootfs() / "secret", "secret");
  fs::create_directory(bundle.rootfs() / "directory");
  bundle.set("/linux/maskedPaths", Strings{"/secret", "/secret", "/directory", "/directory"})
      .guest({"cat", "/secret", "--", "echo", "runs"});
  CHECK(run(bundle).out == "runs\n");
}

CASE("masked paths: a relative path is an error") {
  CITE(
      "config-linux.md#masked-paths: The values MUST be absolute paths in the container "
      "namespace.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 ignores it");
  DEVIATES("crun", "1.8.1 ignores it");
  check_path_list("maskedPaths");
}

CASE("read-only paths cannot be written") {
  CITE(kReadonly);
  REQUIRES(root());
  Bundle bundle;
  fs::create_directories(bundle.rootfs() / "fixed/below");
  write_file(bundle.rootfs() / "fixed/below/file", "as it was");
  bundle.writable_root()
      .set("/linux/readonlyPaths", Strings{"/fixed"})
      .guest({"write", "/fixed/x", "y", "--", "write", "/fixed/below/file", "changed", "--",
              "mkdir", "/fixed/new", "--", "chmod", "/fixed/below/file", "777", "--", "cat",
              "/fixed/below/file"});
  CHECK(run(bundle).out ==
        "write /fixed/x: EROFS\nwrite /fixed/below/file: EROFS\nmkdir /fixed/new: EROFS\n"
        "chmod /fixed/below/file: EROFS\nas it was");
}

CASE("read-only paths: a file, and what is beside it stays writable") {
  CITE(kReadonly);
  REQUIRES(root());
  Bundle bundle;
  write_file(bundle.rootfs() / "fixed", "as it was");
  bundle.writable_root()
      .set("/linux/readonlyPaths", Strings{"/fixed"})
      .guest({"write", "/fixed", "changed", "--", "write", "/other", "new", "--", "cat", "/fixed"});
  CHECK(run(bundle).out == "write /fixed: EROFS\nwrite /other: ok\nas it was");
}

CASE("read-only paths: a path that does not exist is no error") {
  CITE(kReadonly);
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/linux/readonlyPaths", Strings{"/missing", "/proc/missing"}).guest({"echo", "runs"});
  CHECK(run(bundle).out == "runs\n");
}

CASE("read-only paths: sysctls") {
  CITE(kReadonly);
  REQUIRES(root());
  Bundle bundle;
  give_sys_admin(bundle)
      .set("/linux/readonlyPaths", Strings{"/proc/sys"})
      .guest({"write", "/proc/sys/kernel/hostname", "x"});
  CHECK(run(bundle).out == "write /proc/sys/kernel/hostname: EROFS\n");
}

CASE("read-only paths: sysctls of the config are set all the same") {
  CITE(kReadonly);
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/linux/readonlyPaths", Strings{"/proc/sys"})
      .set_json("/linux/sysctl", R"({"net.core.somaxconn": "258"})")
      .guest({"cat", "/proc/sys/net/core/somaxconn"});
  CHECK(run(bundle).out == "258\n");
}

CASE("read-only paths: a mount keeps its other flags") {
  CITE(kReadonly);
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 drops them");
  Bundle bundle;
  bundle.set("/linux/readonlyPaths", Strings{"/dev/shm"}).guest({"mounts"});
  std::string last;
  for (const std::string& line : lines(run(bundle).out)) {
    if (contains(line, " /dev/shm ")) last = line;
  }
  for (const std::string flag : {" ro,", "nosuid", "nodev", "noexec"}) {
    CAPTURE(flag);
    CHECK(contains(last, flag));
  }
}

CASE("read-only paths: the host's directory behind a bind mount stays writable") {
  CITE(kReadonly);
  REQUIRES(root());
  const ScratchDirectory outside("outside");
  Bundle bundle;
  bundle.add_bind("/mounted", outside.path())
      .set("/linux/readonlyPaths", Strings{"/mounted"})
      .guest({"write", "/mounted/x", "y"});
  CHECK(run(bundle).out == "write /mounted/x: EROFS\n");
  write_file(outside.path() / "x", "z");
  CHECK(read_file(outside.path() / "x") == "z");
}

CASE("read-only paths: a relative path is an error") {
  CITE(
      "config-linux.md#readonly-paths: The values MUST be absolute paths in the container "
      "namespace.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 ignores it");
  DEVIATES("crun", "1.8.1 ignores it");
  check_path_list("readonlyPaths");
}

TEST_SUITE_END();
