// SPDX-License-Identifier: Apache-2.0
// What is kept, what is believed, and that nothing of it can fail a container.
#include "linux/seccomp_cache.h"

#include "../libs/bpf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace onggi::test {
namespace {

namespace fs = std::filesystem;
using spec::SeccompAction;

Result<UniqueFd> make(int root, const spec::Seccomp& seccomp) {
  SeccompCompilation compilation = TRY(SeccompCompilation::start(root, seccomp));
  return compilation.wait(-1);
}

class Root {
 public:
  Root() : fd_(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) { REQUIRE(fd_ >= 0); }
  ~Root() {
    close(fd_);
    fs::remove_all(path_);
  }
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;

  fs::path cache() const { return path_ / kSeccompCache; }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    if (!fs::is_directory(cache())) return found;
    for (const auto& entry : fs::directory_iterator(cache())) found.push_back(entry.path());
    return found;
  }
  std::string program(const spec::Seccomp& seccomp) const {
    const Result<UniqueFd> made = make(fd_, seccomp);
    REQUIRE(static_cast<bool>(made));
    std::string bytes(static_cast<size_t>(lseek(made.value().get(), 0, SEEK_END)), '\0');
    REQUIRE(pread(made.value().get(), bytes.data(), bytes.size(), 0) ==
            static_cast<ssize_t>(bytes.size()));
    return bytes;
  }

 private:
  static fs::path make_path() {
    char name[] = "/tmp/onggi-unit-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    return name;
  }
  fs::path path_ = make_path();
  int fd_;
};

spec::Seccomp profile(uint32_t error = 1) {
  spec::Seccomp seccomp;
  seccomp.syscalls = {rule({"getppid"}, SeccompAction::errno_, {{0, 1, 0, 4}}, error)};
  return seccomp;
}

std::string compiled(const spec::Seccomp& seccomp) {
  const Program program = compile(seccomp);
  return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)};
}

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void overwrite(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST_CASE("the second time the program comes out of the cache") {
  const Root root;
  CHECK(root.program(profile()) == compiled(profile()));
  REQUIRE(root.files().size() == 1);
  struct stat info = {};
  REQUIRE(stat(root.cache().c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0700);
  REQUIRE(stat(root.files()[0].c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  const ino_t inode = info.st_ino;
  CHECK(root.program(profile()) == compiled(profile()));
  REQUIRE(stat(root.files()[0].c_str(), &info) == 0);
  CHECK(info.st_ino == inode);  // a new one would have taken its place
}

TEST_CASE("the program is sealed, whether new or kept") {
  const Root root;
  const int directory = open(root.cache().parent_path().c_str(), O_RDONLY | O_CLOEXEC);
  for (int round = 0; round < 2; round++) {
    const Result<UniqueFd> made = make(directory, profile());
    REQUIRE(static_cast<bool>(made));
    CHECK(pwrite(made.value().get(), "x", 1, 0) == -1);
    CHECK(ftruncate(made.value().get(), 0) == -1);
  }
  close(directory);
}

TEST_CASE("everything that decides the program makes another entry") {
  const Root root;
  std::vector<spec::Seccomp> profiles(10, profile());
  profiles[1].syscalls[0].errno_ret = 2;
  profiles[2].syscalls[0].action = SeccompAction::trace;
  profiles[3].syscalls[0].names = {"getpid"};
  profiles[4].syscalls[0].args[0].index = 1;
  profiles[5].syscalls[0].args[0].value = 2;
  profiles[6].syscalls[0].args[0].op = 1;
  profiles[7].architectures = {"SCMP_ARCH_X86"};
  profiles[8].default_action = SeccompAction::log;
  profiles[9].syscalls.push_back(profiles[1].syscalls[0]);
  profiles[9].syscalls[1].names = {"getpid"};
  for (size_t i = 0; i < profiles.size(); i++) {
    CAPTURE(i);
    CHECK(root.program(profiles[i]) == compiled(profiles[i]));
    CHECK(root.files().size() == i + 1);
    CHECK(root.program(profiles[i]) == compiled(profiles[i]));
  }
}

TEST_CASE("what does not decide the program does not") {
  const Root root;
  spec::Seccomp seccomp = profile();
  (void)root.program(seccomp);
  seccomp.flags = 0;
  seccomp.listener_path = "/run/agent.sock";
  seccomp.listener_metadata = "m";
  (void)root.program(seccomp);
  CHECK(root.files().size() == 1);
}

TEST_CASE("a damaged file is not believed, and replaced") {
  const Root root;
  (void)root.program(profile());
  const fs::path file = root.files().at(0);
  const std::string whole = content(file);
  std::string flipped = whole, other_key = whole, longer = whole + "12345678";
  flipped[whole.size() - 1] = static_cast<char>(flipped[whole.size() - 1] ^ 1);
  other_key[40] = static_cast<char>(other_key[40] ^ 1);
  for (const std::string& damaged :
       {std::string(), whole.substr(0, 10), whole.substr(0, whole.size() / 2),
        whole.substr(0, whole.size() - 8), flipped, other_key, longer}) {
    overwrite(file, damaged);
    CHECK(root.program(profile()) == compiled(profile()));
    CHECK(content(file) == whole);
  }
}

TEST_CASE("a file that others could have written is not believed, and replaced") {
  const Root root;
  (void)root.program(profile());
  const fs::path file = root.files().at(0);
  // Whole, but another profile's program under this profile's key would be found out only by where
  // it comes from.
  REQUIRE(chmod(file.c_str(), 0666) == 0);
  CHECK(root.program(profile()) == compiled(profile()));
  CHECK(fs::status(file).permissions() == fs::perms(0600));
  const std::string whole = content(file);
  const fs::path elsewhere = root.cache() / "elsewhere";
  overwrite(elsewhere, whole);
  fs::remove(file);
  fs::create_symlink(elsewhere, file);
  CHECK(root.program(profile()) == compiled(profile()));
  CHECK(fs::is_regular_file(fs::symlink_status(file)));
}

TEST_CASE("a file of another user is not believed, and replaced") {
  if (geteuid() != 0) return;
  const Root root;
  (void)root.program(profile());
  const fs::path file = root.files().at(0);
  REQUIRE(chown(file.c_str(), 1000, 1000) == 0);
  CHECK(root.program(profile()) == compiled(profile()));
  struct stat info = {};
  REQUIRE(stat(file.c_str(), &info) == 0);
  CHECK(info.st_uid == 0);
}

TEST_CASE("a cache that cannot be used is done without") {
  const Root root;
  const fs::path elsewhere = root.cache().parent_path() / "elsewhere";
  SUBCASE("a file in its place") {
    overwrite(root.cache(), "x");
  }
  SUBCASE("a link in its place") {
    fs::create_directory(elsewhere);
    fs::create_directory_symlink(elsewhere, root.cache());
  }
  SUBCASE("open to others") {
    fs::create_directory(root.cache());
    fs::permissions(root.cache(), fs::perms(0777));
  }
  SUBCASE("a directory in the place of the file") {
    (void)root.program(profile());
    const fs::path file = root.files().at(0);
    fs::remove(file);
    fs::create_directories(file / "x");
  }
  CHECK(root.program(profile()) == compiled(profile()));
  CHECK(root.program(profile()) == compiled(profile()));
  CHECK((!fs::exists(elsewhere) || fs::is_empty(elsewhere)));
}

TEST_CASE("the oldest of 64 programs goes") {
  const Root root;
  (void)root.program(profile(100));
  const fs::path first = root.files().at(0);
  const timespec old[2] = {{1000, 0}, {1000, 0}};
  REQUIRE(utimensat(AT_FDCWD, first.c_str(), old, 0) == 0);
  for (uint32_t error = 101; error < 164; error++) (void)root.program(profile(error));
  CHECK(root.files().size() == 64);
  CHECK(fs::exists(first));
  (void)root.program(profile(164));
  CHECK(root.files().size() == 64);
  CHECK_FALSE(fs::exists(first));
}

TEST_CASE("an error of the profile is none of the cache") {
  const Root root;
  spec::Seccomp seccomp = profile();
  seccomp.architectures = {"SCMP_ARCH_VAX"};
  const int directory = open(root.cache().parent_path().c_str(), O_RDONLY | O_CLOEXEC);
  const Result<UniqueFd> made = make(directory, seccomp);
  close(directory);
  REQUIRE_FALSE(static_cast<bool>(made));
  CHECK(made.error().place.view() == "linux.seccomp.architectures[0]");
  CHECK(root.files().empty());
}

}  // namespace
}  // namespace onggi::test
