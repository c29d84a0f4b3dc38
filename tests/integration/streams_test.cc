// SPDX-License-Identifier: Apache-2.0
// Whose the standard streams are: the container's program opens /dev/stderr again, but the files
// and devices of the host are not given away for it.
#include "support/suite.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

constexpr unsigned kFirstId = 100000;

struct Row {
  const char* name;
  const char* script;  // runs "$@" with a stream of root's as standard error
};
// The shell's own standard output is that of the test.
constexpr Row kRows[] = {
    {"a pipe", R"({ "$@" 2>&1 >&3 3>&- | cat >&2; } 3>&1)"},
    {"a file", R"("$@" 2>"$FILE")"},
    {"a FIFO", R"(mkfifo "$FILE" && { cat "$FILE" >&2 & "$@" 2>"$FILE"; })"},
};

Bundle& in_user_namespace(Bundle& bundle) {
  REQUIRE(chown(bundle.rootfs().c_str(), kFirstId, kFirstId) == 0);
  return bundle.set_namespace("user")
      .set_json("/linux/uidMappings", mapping(0, kFirstId, 65536))
      .set_json("/linux/gidMappings", mapping(0, kFirstId, 65536));
}

Outcome in_shell(const Row& row, const fs::path& file, const Strings& command,
                 std::shared_ptr<Capture> out = nullptr) {
  Strings words = {"/bin/sh", "-c", row.script, "sh"};
  words.insert(words.end(), command.begin(), command.end());
  fs::remove(file);
  return run_program(words, {.environment = {"PATH=/usr/bin:/bin", "FILE=" + file.string()},
                             .out = std::move(out)});
}

const Strings kOpen = {"open", "/dev/stderr", "w"};
constexpr const char* kOpened = "open /dev/stderr: ok\n";

unsigned owner(const fs::path& path) {
  struct stat info = {};
  REQUIRE(lstat(path.c_str(), &info) == 0);
  return info.st_uid;
}

}  // namespace

TEST_SUITE_BEGIN("streams");

CASE("standard streams of root can be opened again in a user namespace") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  for (const Row& row : kRows) {
    for (const unsigned uid : {0U, 1000U}) {
      CAPTURE(row.name);
      CAPTURE(uid);
      Bundle bundle;
      in_user_namespace(bundle).guest(kOpen).set("/process/user/uid", uid);
      bundle.write();
      const Container container(bundle);
      const Outcome outcome =
          in_shell(row, bundle.path() / "stream",
                   runtime_command({"run", "--bundle", bundle.path().string(), container.id()}));
      CHECK(outcome.out == kOpened);
    }
  }
}

CASE("standard streams of root can be opened again after create and start") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  DEVIATES("runc", "1.1.5 leaves them to root");
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    Bundle bundle;
    in_user_namespace(bundle).guest(kOpen).set("/process/user/uid", 1000);
    bundle.write();
    const Container container(bundle);
    Strings words = {"/bin/sh", "-c", R"("$0" "$@" && "$0" --root "$ROOT" start "$ID")"};
    const Strings create = container.create_command();
    words.insert(words.end(), create.begin(), create.end());
    words.insert(words.begin(),
                 {"/usr/bin/env", "ROOT=" + state_root().string(), "ID=" + container.id()});
    const auto out = std::make_shared<Capture>();
    const Outcome outcome = in_shell(row, bundle.path() / "stream", words, out);
    CAPTURE(outcome.err);
    CHECK(container.wait_status("stopped"));
    CHECK(out->text() == kOpened);
  }
}

CASE("standard streams of root can be opened again by an exec in a user namespace") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(user_namespaces());
  EXCLUDES("crun", "1.8.1 gives /dev/null to the user of an exec");
  Bundle bundle;
  in_user_namespace(bundle).guest({"pause"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  REQUIRE(container.start().ok());
  for (const Row& row : kRows) {
    for (const char* user : {"0", "1000"}) {
      CAPTURE(row.name);
      CAPTURE(user);
      Strings command = {"exec", "--user", user, container.id(), "/bin/guest"};
      command.insert(command.end(), kOpen.begin(), kOpen.end());
      const Outcome outcome = in_shell(row, bundle.path() / "stream", runtime_command(command));
      CHECK(outcome.out == kOpened);
    }
  }
}

// A file that the container may only read must not become writable by its user.
CASE("a file that is open for reading stays its owner's") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  DEVIATES("runc", "gives it to the program's user");
  DEVIATES("crun", "gives it to the program's user");
  for (const bool user_namespace : {false, true}) {
    for (const char* kind : {"file", "directory"}) {
      CAPTURE(user_namespace);
      CAPTURE(kind);
      Bundle bundle;
      if (user_namespace) in_user_namespace(bundle);
      bundle.guest({"open", "/dev/stdin", "w"}).set("/process/user/uid", 1000);
      bundle.write();
      const fs::path path = bundle.path() / "input";
      if (kind[0] == 'f') {
        write_file(path, "secret");
        fs::permissions(path, fs::perms{0600});
      } else {
        fs::create_directory(path);
      }
      const Container container(bundle);
      Strings words = {"/bin/sh", "-c", R"("$@" <"$INPUT")", "sh"};
      const Strings command =
          runtime_command({"run", "--bundle", bundle.path().string(), container.id()});
      words.insert(words.end(), command.begin(), command.end());
      const Outcome outcome =
          run_program(words, {.environment = {"PATH=/usr/bin:/bin", "INPUT=" + path.string()}});
      if (kind[0] == 'f') CHECK(outcome.out == "open /dev/stdin: EACCES\n");
      CHECK(owner(path) == 0);
    }
  }
}

// Without process.terminal it is no terminal of the container's.
CASE("a terminal of the host stays its owner's") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  for (const bool user_namespace : {false, true}) {
    CAPTURE(user_namespace);
    const Pty pty(24, 80);
    struct stat before = {}, after = {};
    REQUIRE(fstat(pty.slave, &before) == 0);
    Bundle bundle;
    if (user_namespace) in_user_namespace(bundle);
    bundle.guest({"echo", "x"}).set("/process/user/uid", 1000).set("/process/terminal", false);
    Container container(bundle);
    CHECK(container.run({}, {.terminal = pty.slave}).ok());
    REQUIRE(fstat(pty.slave, &after) == 0);
    CHECK(after.st_uid == before.st_uid);
    CHECK(after.st_gid == before.st_gid);
  }
}

CASE("the null device stays root's") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  EXCLUDES("crun", "1.8.1 gives it away");
  for (const bool user_namespace : {false, true}) {
    CAPTURE(user_namespace);
    Bundle bundle;
    if (user_namespace) in_user_namespace(bundle);
    bundle.guest({"echo", "x"}).set("/process/user/uid", 1000);
    bundle.write();
    const Container container(bundle);
    Strings words = {"/bin/sh", "-c", R"("$@" </dev/null >/dev/null 2>&1)", "sh"};
    const Strings command =
        runtime_command({"run", "--bundle", bundle.path().string(), container.id()});
    words.insert(words.end(), command.begin(), command.end());
    CHECK(run_program(words).ok());
    CHECK(owner("/dev/null") == 0);
  }
}

TEST_SUITE_END();
