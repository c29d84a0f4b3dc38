// SPDX-License-Identifier: Apache-2.0
// Times, owners, modes, extended attributes, devices and holes, as the kernel reports them. Each
// case is applied in both forms.
#include "layer_fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace onggi::image::test {
namespace {

using doctest::skip;

// linux/capability.h: revision 2, effective, CAP_NET_BIND_SERVICE.
const std::string kCapability(
    "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00",
    20);
// linux/posix_acl_xattr.h, version 2: each entry has a tag, permissions and an id.
std::string acl_entry(char tag, char permissions, uint32_t id) {
  std::string bytes = {tag, 0, permissions, 0};
  for (unsigned i = 0; i < 4; ++i) bytes += static_cast<char>(id >> (8 * i));
  return bytes;
}
const std::string kAcl = std::string("\x02\x00\x00\x00", 4) + acl_entry(1, 7, UINT32_MAX) +
                         acl_entry(2, 6, 55) + acl_entry(4, 5, UINT32_MAX) +
                         acl_entry(0x10, 7, UINT32_MAX) + acl_entry(0x20, 5, UINT32_MAX);

TEST_CASE("Times have nanoseconds and may be before 1970" * skip(lacks_root())) {
  const Tree tree = tree_of({tar({
      with_pax(file("fraction"), {{"mtime", "1234567890.123456789"}}),
      with_pax(file("digits"), {{"mtime", "7.1234567891234"}}),
      with_pax(directory("d"), {{"mtime", "-5.5"}}),
      with_pax(symlink("l", "x"), {{"mtime", "-1"}}),
      with_mtime(file("base256"), -7),
      with_mtime(file("zero"), 0),
      with_pax(file("read"), {{"atime", "99.5"}}),
  })});
  const auto time = [&](const char* name) {
    return std::pair(tree.at(name).mtime, tree.at(name).mtime_ns);
  };
  CHECK(time("fraction") == std::pair<int64_t, unsigned>(1234567890, 123456789));
  CHECK(time("digits") == std::pair<int64_t, unsigned>(7, 123456789));
  CHECK(time("d") == std::pair<int64_t, unsigned>(-6, 500'000'000));
  CHECK(time("l") == std::pair<int64_t, unsigned>(-1, 0));
  CHECK(time("base256") == std::pair<int64_t, unsigned>(-7, 0));
  CHECK(time("zero") == std::pair<int64_t, unsigned>(0, 0));
  CHECK(tree.at("read").atime == 99);
  CHECK(tree.at("fraction").atime == 1234567890);
}

TEST_CASE("Set-id bits and capabilities survive the change of the owner" * skip(lacks_root())) {
  const Tree tree = tree_of({tar({
      with_owner(file("suid", "x", 06755), 5, 6),
      with_xattr(with_owner(file("capable", "x", 0755), 5, 6), "security.capability", kCapability),
      with_owner(directory("sgid", 03775), 5, 6),
      with_owner(device("dev", '4', 8, 1), 5, 6),
      with_owner(fifo("fifo"), 5, 6),
      with_owner(symlink("link", "suid"), 5, 6),
  })});
  CHECK(tree.at("suid").mode == (S_IFREG | 06755));
  CHECK(tree.at("capable").xattrs.at("security.capability") == kCapability);
  CHECK(tree.at("sgid").mode == (S_IFDIR | 03775));
  CHECK(tree.at("dev").mode == (S_IFBLK | 0644));
  CHECK(tree.at("dev").device == makedev(8, 1));
  for (const char* name : {"suid", "capable", "sgid", "dev", "fifo", "link"}) {
    CHECK(tree.at(name).uid == 5);
    CHECK(tree.at(name).gid == 6);
  }
}

TEST_CASE("Every mode is exact, whatever the umask" * skip(lacks_root())) {
  for (mode_t mask : {mode_t{0}, mode_t{022}, mode_t{077}}) {
    const mode_t before = umask(mask);
    const Tree tree = tree_of({tar({file("0", "", 0), file("1", "x", 0666), file("2", "x", 0777),
                                    file("3", "x", 01644), file("4", "x", 0222)})});
    umask(before);
    const unsigned modes[] = {0, 0666, 0777, 01644, 0222};
    for (size_t i = 0; i < 5; ++i) CHECK(tree.at(std::to_string(i)).mode == (S_IFREG | modes[i]));
  }
}

TEST_CASE("A directory's group and ACL are not handed down to what is made in it" *
          skip(lacks_root())) {
  const std::vector<Item> children = {file("d/f", "x"), directory("d/sub"), fifo("d/p"),
                                      symlink("d/l", "f"), file("d/implied/f")};
  std::vector<Item> both = {
      with_xattr(with_owner(directory("d", 02775), 0, 50), "system.posix_acl_default", kAcl)};
  const std::string above = tar(both);
  both.insert(both.end(), children.begin(), children.end());
  for (const std::vector<std::string>& layers :
       {std::vector{tar(both)}, std::vector{above, tar(children)}}) {
    const Tree tree = tree_of(layers);
    CHECK(tree.at("d").mode == (S_IFDIR | 02775));
    CHECK(tree.at("d").xattrs.count("system.posix_acl_default") == 1);
    for (const char* name : {"d/f", "d/sub", "d/p", "d/l", "d/implied", "d/implied/f"}) {
      CAPTURE(name);
      CHECK(tree.at(name).gid == 0);
      CHECK(tree.at(name).xattrs.empty());
    }
    CHECK(tree.at("d/f").mode == (S_IFREG | 0644));
    CHECK(tree.at("d/sub").mode == (S_IFDIR | 0755));
    CHECK(tree.at("d/implied").mode == (S_IFDIR | 0755));
  }
}

TEST_CASE("An owner that would mean no change is refused" * skip(lacks_root())) {
  CHECK(contains(error_of({tar({}), tar({with_owner(file("f"), UINT32_MAX, 0)})}),
                 "'f': owner 4294967295 is too large"));
  CHECK(contains(error_of({tar({}), tar({with_pax(directory("."), {{"gid", "4294967295"}})})}),
                 "'.': owner 4294967295 is too large"));
  CHECK(contains(error_of({tar({}), tar({with_pax(file("f"), {{"uid", "-1"}})})}),
                 "'-1' is not a valid size or id"));
}

TEST_CASE("Large owners arrive in PAX records and in base-256, names of owners do not count" *
          skip(lacks_root())) {
  const Tree tree = tree_of({tar({
      with_pax(file("pax"), {{"uid", "4294967294"}, {"gid", "2097152"}, {"uname", "daemon"}}),
      with_owner(file("base256"), 3'000'000'000, 2'500'000),
  })});
  CHECK(tree.at("pax").uid == 4294967294);
  CHECK(tree.at("pax").gid == 2097152);
  CHECK(tree.at("base256").uid == 3'000'000'000);
  CHECK(tree.at("base256").gid == 2'500'000);
}

TEST_CASE("Extended attributes come from either notation and are bytes" * skip(lacks_root())) {
  const std::string value("a=b\0\xff\n", 6);
  const Tree tree = tree_of({tar({
      with_xattr(with_xattr(file("f", "", 0400), "user.bytes", value), "user.empty", ""),
      with_pax(file("bsd"), {{"LIBARCHIVE.xattr.user.a%20b", "aGVsbG8"}}),
      with_xattr(directory("d"), "trusted.t", "1"),
      with_xattr(symlink("l", "f"), "trusted.t", "2"),
      with_xattr(fifo("p"), "trusted.t", "3"),
      with_xattr(file("acl", "", 0775), "system.posix_acl_access", kAcl),
  })});
  CHECK(tree.at("f").xattrs ==
        std::map<std::string, std::string>{{"user.bytes", value}, {"user.empty", ""}});
  CHECK(tree.at("bsd").xattrs.at("user.a b") == "hello");
  CHECK(tree.at("d").xattrs.at("trusted.t") == "1");
  CHECK(tree.at("l").xattrs.at("trusted.t") == "2");
  CHECK(tree.at("p").xattrs.at("trusted.t") == "3");
  CHECK(tree.at("acl").xattrs.at("system.posix_acl_access") == kAcl);
}

TEST_CASE("Attributes that are the host's own are not applied" * skip(lacks_root())) {
  const std::string layer = tar({
      with_xattr(file("f"), "security.selinux", "system_u:object_r:shadow_t:s0"),
      with_pax(file("g"), {{"RHT.security.selinux", "x"}}),
      with_xattr(directory("d"), "system.nfs4_acl", "x"),
  });
  const Tree tree = tree_of({layer});
  for (const char* name : {"f", "g", "d"}) CHECK(tree.at(name).xattrs.empty());
  CHECK(contains(warnings_of({layer}), "extended attribute security.selinux belongs to the host"));
}

TEST_CASE("An attribute that cannot be set is one warning, not a failure" * skip(lacks_root())) {
  const std::string layer =
      tar({with_xattr(symlink("l", "x"), "user.a", "1"), with_xattr(fifo("p"), "user.a", "1"),
           with_xattr(file("f"), "nonsense.a", "1"), file("after")});
  const Tree tree = tree_of({layer});
  CHECK(paths_of(tree) == "after f l p");
  const std::string said = warnings_of({layer});
  CHECK(contains(said, "user.a of l cannot be set, ignoring this and others"));
  CHECK(said.find("cannot be set") == said.rfind("cannot be set"));
}

TEST_CASE("What marks directories of overlays is an image's attribute like any other" *
          skip(lacks_root())) {
  // They would make the directory opaque, or another one's content appear in it.
  const auto marked = [](const char* name) {
    return with_xattr(with_xattr(with_xattr(directory(name), "trusted.overlay.opaque", "y"),
                                 "trusted.overlay.redirect", "/secret"),
                      "user.overlay.opaque", "y");
  };
  const Tree tree =
      tree_of({tar({directory("secret"), file("secret/x"), marked("low")}),
               tar({file("a/under"), directory("a")}), tar({marked("a"), file("a/new")})});
  CHECK(paths_of(tree) == "a a/new a/under low secret secret/x");
  for (const char* name : {"low", "a"}) {
    CHECK(tree.at(name).xattrs.at("trusted.overlay.opaque") == "y");
    CHECK(tree.at(name).xattrs.at("trusted.overlay.redirect") == "/secret");
    CHECK(tree.at(name).xattrs.at("user.overlay.opaque") == "y");
  }
}

TEST_CASE("Device 0:0 hides nothing: an empty file, with a warning" * skip(lacks_root())) {
  const std::string below = tar({file("f", "old"), file("kept")});
  const std::string layer = tar({with_owner(device("f", '3', 0, 0), 5, 6)});
  for (const std::vector<std::string>& layers :
       {std::vector{layer, below, layer}, std::vector{below, layer}, std::vector{layer}}) {
    const Tree tree = tree_of(layers);
    CHECK(tree.at("f").mode == S_IFREG);
    CHECK(tree.at("f").size == 0);
    CHECK(tree.at("f").uid == 5);
  }
  CHECK(contains(warnings_of({layer}), "device 0:0 'f' cannot be created"));
}

TEST_CASE("Devices and FIFOs are made" * skip(lacks_root())) {
  const Tree tree = tree_of({tar({device("null", '3', 1, 3), device("disk", '4', 259, 70000),
                                  device("zero", '4', 0, 0), fifo("p")})});
  CHECK(tree.at("null").device == makedev(1, 3));
  CHECK(tree.at("disk").device == makedev(259, 70000));
  CHECK(S_ISBLK(tree.at("zero").mode));
  CHECK(S_ISFIFO(tree.at("p").mode));
}

std::string old_sparse_header(const std::string& name, const std::string& stored) {
  Item item = file(name);
  item.type = 'S';
  std::string header = tar_header(item, stored.size());
  header.replace(257, 8, std::string("ustar  \0", 8));
  const auto number = [&](size_t at, const char* octal) { header.replace(at, 11, octal); };
  number(386, "00000000000");
  number(398, "00000000003");
  number(410, "00000010000");
  number(422, "00000000003");
  number(483, "00000030000");
  return with_checksum(header) + padded(stored);
}

TEST_CASE("Files with holes come in four notations and are holes again" * skip(lacks_root())) {
  const std::string map10 = padded("2\n0\n3\n4096\n3\n");
  Item v10 =
      with_pax(file("GNUSparseFile.0/v10", map10 + "abcdef"), {{"GNU.sparse.major", "1"},
                                                               {"GNU.sparse.minor", "0"},
                                                               {"GNU.sparse.name", "v10"},
                                                               {"GNU.sparse.realsize", "12288"}});
  Item v01 = with_pax(file("GNUSparseFile.0/v01", "abcdef"), {{"GNU.sparse.size", "12288"},
                                                              {"GNU.sparse.numblocks", "2"},
                                                              {"GNU.sparse.name", "v01"},
                                                              {"GNU.sparse.map", "0,3,4096,3"}});
  Item v00 = with_pax(file("v00", "abcdef"), {{"GNU.sparse.size", "12288"},
                                              {"GNU.sparse.numblocks", "2"},
                                              {"GNU.sparse.offset", "0"},
                                              {"GNU.sparse.numbytes", "3"},
                                              {"GNU.sparse.offset", "4096"},
                                              {"GNU.sparse.numbytes", "3"}});
  Item hole = with_pax(file("hole"), {{"GNU.sparse.size", "1000000000"}, {"GNU.sparse.map", ""}});
  const Tree tree =
      tree_of({tar_entry(v10) + tar_entry(v01) + tar_entry(v00) +
               old_sparse_header("old", "abcdef") + tar_entry(hole) + tar({file("after", "x")})});
  CHECK(paths_of(tree) == "after hole old v00 v01 v10");
  std::string content(12288, '\0');
  content.replace(0, 3, "abc").replace(4096, 3, "def");
  for (const char* name : {"v10", "v01", "v00", "old"}) {
    CAPTURE(name);
    CHECK(tree.at(name).content == content);
  }
  CHECK(tree.at("hole").size == 1'000'000'000);
}

// ── without privileges ──

TEST_CASE("As an ordinary user, owners are lost, devices are empty files, and modes are exact" *
          skip(geteuid() == 0)) {
  const std::string layer = tar({
      with_owner(file("f", "x", 0604), 5, 6),
      device("null", '3', 1, 3),
      directory("closed", 0000),
      file("closed/inside", "x"),
      with_xattr(file("readonly", "", 0444), "user.a", "1"),
      with_xattr(directory("d"), "trusted.overlay.opaque", "y"),
  });
  const std::string above = tar({file("closed/.wh.inside"), file("closed/new", "y")});
  CHECK(paths_of(flat_tree_of({layer, above, tar({directory("closed", 0700)})})) ==
        "closed closed/new d f null readonly");
  const Tree tree = flat_tree_of({layer, above});
  CHECK(tree.at("f").mode == (S_IFREG | 0604));
  CHECK(tree.at("f").uid == geteuid());
  CHECK(tree.at("null").mode == S_IFREG);
  CHECK(tree.at("closed").mode == S_IFDIR);
  CHECK(tree.at("readonly").xattrs.at("user.a") == "1");
  const std::string said = warnings_of({layer});
  CHECK(contains(said, "not root: every file belongs to this user"));
  CHECK(contains(said, "device 1:3 'null' cannot be created"));
}

bool in_user_namespace() {
  std::ifstream map("/proc/self/uid_map");
  std::string first, outside, count;
  map >> first >> outside >> count;
  return count != "4294967295";
}

TEST_CASE("As root of a user namespace, devices are empty files, and foreign owners an error" *
          skip(!in_user_namespace() || geteuid() != 0)) {
  const Tree tree = flat_tree_of({tar({device("null", '3', 1, 3), file("f", "x", 04755)})});
  CHECK(tree.at("null").mode == S_IFREG);
  CHECK(tree.at("f").mode == (S_IFREG | 04755));
  CHECK(contains(flat_error_of({tar({with_owner(file("g"), 5, 6)})}),
                 "'g': chown 'g': Invalid argument (is 5:6 mapped in this user namespace?)"));
}

// Runs cases of this program again, after `prepare`.
bool pass(const char* cases, bool (*prepare)()) {
  const pid_t child = fork();
  if (child == 0) {
    if (!prepare()) _exit(99);
    execl("/proc/self/exe", "layer_tests", cases, static_cast<char*>(nullptr));
    _exit(98);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool become_ordinary() {
  return setgid(65534) == 0 && setuid(65534) == 0;
}

bool enter_user_namespace() {
  if (unshare(CLONE_NEWUSER) != 0) return false;
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << "0 0 1";
  std::ofstream("/proc/self/gid_map") << "0 0 1";
  return geteuid() == 0 && getegid() == 0;
}

TEST_CASE("The cases of an ordinary user pass" * skip(lacks_root() || in_user_namespace())) {
  CHECK(pass("--test-case=As an ordinary user*", become_ordinary));
}

TEST_CASE("The cases of root of a user namespace pass" *
          skip(lacks_root() || in_user_namespace())) {
  CHECK(pass("--test-case=As root of a user namespace*", enter_user_namespace));
}

}  // namespace
}  // namespace onggi::image::test
