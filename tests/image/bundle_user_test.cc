// SPDX-License-Identifier: Apache-2.0
// Users and groups of an image, out of files that may be anything.
#include "base/file.h"
#include "bundle/user.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace onggi::image {
namespace {

class RootWithUsers {
 public:
  RootWithUsers() {
    char path[] = "/tmp/onggi-users.XXXXXX";
    REQUIRE(mkdtemp(path) != nullptr);
    path_ = path;
    REQUIRE(mkdir((path_ + "/etc").c_str(), 0755) == 0);
  }
  RootWithUsers(const RootWithUsers&) = delete;
  RootWithUsers& operator=(const RootWithUsers&) = delete;
  ~RootWithUsers() { (void)!std::system(("rm -rf " + path_).c_str()); }

  std::string etc(const std::string& name) const { return path_ + "/etc/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(etc(name)) << text;
  }
  Result<ContainerUser> resolve(const std::string& user) const {
    Result<UniqueFd> root = open_directory(AT_FDCWD, path_);
    REQUIRE(static_cast<bool>(root));
    return resolve_user(user, root->get());
  }
  std::string error(const std::string& user) const {
    const Result<ContainerUser> resolved = resolve(user);
    return resolved ? "" : std::string(resolved.error().message.view());
  }

 private:
  std::string path_;
};

using Groups = std::vector<uint32_t>;

TEST_CASE("Every form of User has its ids") {
  const RootWithUsers root;
  root.write("passwd",
             "# a comment\n\nroot:x:0:0::/root:/bin/sh\nshort\nuser:x:1000:100::/home/user:\n"
             "+nis::::::\nuser:x:7:7::/second:\n");
  root.write("group", "root:x:0:\nstaff:x:50:user,other\nwheel:x:10:root\nempty:x:5\n");
  struct Row {
    const char* user;
    uint32_t uid, gid;
    Groups groups;
    const char* home;
  };
  const Row rows[] = {
      {"", 0, 0, {0, 10}, "/root"},
      {"user", 1000, 100, {100, 50}, "/home/user"},
      {"1000", 1000, 100, {100, 50}, "/home/user"},
      {"4711", 4711, 0, {0}, "/"},
      {"user:staff", 1000, 50, {50}, "/home/user"},
      {"user:7", 1000, 7, {7}, "/home/user"},
      {"8:9", 8, 9, {9}, "/"},
      {"8:wheel", 8, 10, {10}, "/"},
      {":staff", 0, 50, {50}, "/root"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.user);
    const Result<ContainerUser> user = root.resolve(row.user);
    REQUIRE(static_cast<bool>(user));
    CHECK(user->uid == row.uid);
    CHECK(user->gid == row.gid);
    // With the group itself: a file may deny it what others have (CVE-2022-2989).
    CHECK(user->groups == row.groups);
    CHECK(user->home == row.home);
  }
}

TEST_CASE("Nobody is somebody by accident") {
  const RootWithUsers root;
  root.write("passwd", "99999999999:x:0:0::/:\n-1:x:0:0::/:\n0x0:x:3:3::/:\n");
  root.write("group", "");
  CHECK(root.error("nobody") == "the image has no user 'nobody'");
  CHECK(root.error("1:nogroup") == "the image has no group 'nogroup'");
  // Digits are a number, also where the image has such a name (CVE-2024-40635, CVE-2026-46680).
  CHECK(root.error("99999999999") == "id 99999999999 is out of range");
  CHECK(root.error("4294967296") == "id 4294967296 is out of range");
  CHECK(root.error("4294967295") == "id 4294967295 is out of range");
  CHECK(root.error("0:4294967296") == "id 4294967296 is out of range");
  CHECK(root.resolve("2147483648")->uid == 2147483648u);
  CHECK(root.resolve("0x0")->uid == 3);
  CHECK(root.error(" 0") == "the image has no user ' 0'");
}

TEST_CASE("Without files, numbers go and names do not") {
  const RootWithUsers root;
  CHECK(root.resolve("5")->gid == 0);
  CHECK(root.resolve("")->uid == 0);
  CHECK(root.error("user") == "the image has no user 'user'");
}

TEST_CASE("Files that are something else do not hang, and lead nowhere (CVE-2024-9676)") {
  const RootWithUsers root;
  REQUIRE(mkfifo(root.etc("passwd").c_str(), 0644) == 0);
  CHECK(root.error("user") == "/etc/passwd in the image is not a regular file");
  REQUIRE(unlink(root.etc("passwd").c_str()) == 0);
  // The host's file has a user of this name, the image has none.
  REQUIRE(symlink("/../../../etc/passwd", root.etc("passwd").c_str()) == 0);
  CHECK(root.error("daemon").find("open 'etc/passwd'") == 0);
  REQUIRE(unlink(root.etc("passwd").c_str()) == 0);
  REQUIRE(symlink("/etc/group", root.etc("passwd").c_str()) == 0);
  root.write("group", "inside:x:1:1::/:\n");
  CHECK(root.resolve("inside")->uid == 1);
  REQUIRE(truncate(root.etc("group").c_str(), off_t{5} << 30) == 0);
  CHECK(root.error("inside").find("is larger than") != std::string::npos);
}

TEST_CASE("A user may have no more groups than the kernel takes (CVE-2026-47262)") {
  const RootWithUsers root;
  root.write("passwd", "user:x:1:1::/:\n");
  std::string groups;
  for (int i = 0; i < 100'000; ++i) groups += "g:x:" + std::to_string(i + 10) + ":user\n";
  root.write("group", groups);
  CHECK(root.resolve("user")->groups.size() <= 65536);
}

}  // namespace
}  // namespace onggi::image
