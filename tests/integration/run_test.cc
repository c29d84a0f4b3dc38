// SPDX-License-Identifier: Apache-2.0
// `run` in the foreground: exit statuses, standard streams, arguments, environment, working
// directory, PATH look-up.
#include "support/suite.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace onggi::test;

TEST_SUITE_BEGIN("run");

CASE("run returns the exit status of the program") {
  REQUIRES(root());
  Bundle bundle;
  for (const int status : {0, 1, 42, 255}) {
    CHECK(run(bundle.guest({"exit", std::to_string(status)})).status == status);
  }
}

CASE("run returns 128 plus the signal that ended the program") {
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.guest({"crash"})).status == 128 + 4);
}

CASE("run returns 137 when the container is killed from outside") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"pause"}).write();
  Container container(bundle);
  Process running(runtime_command({"run", "--bundle", bundle.path().string(), container.id()}));
  REQUIRE(eventually([&] { return contains(running.output(), "ready"); }));
  CHECK(container.kill("KILL").ok());
  CHECK(running.wait().status == 137);
}

CASE("run passes standard input, output and error through") {
  REQUIRES(root());
  Bundle bundle;
  Spawn spawn;
  spawn.input = "two\nlines\n";
  const Outcome outcome = run(bundle.guest({"pass", "--", "complain", "to stderr"}), spawn);
  CHECK(outcome.ok());
  CHECK(outcome.out == "two\nlines\n");
  CHECK(outcome.err == "to stderr\n");
}

CASE("run prints nothing of its own") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.empty());
}

CASE("run forwards SIGTERM to the program") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"signal-exit"}).write();
  const Container container(bundle);
  Process running(runtime_command({"run", "--bundle", bundle.path().string(), container.id()}));
  REQUIRE(eventually([&] { return contains(running.output(), "ready"); }));
  running.kill(SIGTERM);
  const Outcome outcome = running.wait();
  CHECK(outcome.ok());
  CHECK(value_of(outcome.out, "signal") == "15");
}

CASE("run deletes the container, so the id is free again") {
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  CHECK(container.run().ok());
  CHECK_FALSE(container.state().ok());
  CHECK(container.run().ok());
}

CASE("run --keep leaves a stopped container") {
  REQUIRES(root());
  DEVIATES("crun", "version 1.8.1 has no --keep");
  Bundle bundle;
  Container container(bundle);
  CHECK(container.run({"--keep"}).ok());
  CHECK(container.status() == "stopped");
  CHECK(container.remove().ok());
}

CASE("long options may have a single dash, as go-runc writes -no-subreaper (checklist 5)") {
  REQUIRES(root());
  DEVIATES("crun", "takes it for letters");
  Bundle bundle;
  bundle.guest({"exit", "5"});
  Container container(bundle);
  CHECK(container.run({"-no-subreaper"}).status == 5);
  CHECK(container.run({"--no-subreaper"}).status == 5);
}

CASE("run --detach returns while the program runs") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"pause"});
  Container container(bundle);
  CHECK(container.run({"--detach"}).ok());
  CHECK(container.status() == "running");
  CHECK(container.wait_output("ready"));
  CHECK(container.remove(true).ok());
}

CASE("arguments reach the program byte for byte") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome =
      run(bundle.guest({"echo", "", "a b", "\"q\"", "\\", "한글", "$HOME", "*"}));
  CHECK(outcome.out == " a b \"q\" \\ 한글 $HOME *\n");
}

CASE("the environment is that of the config and nothing of the caller") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"env"}).set("/process/env", Strings{"PATH=/bin", "A=1", "EMPTY=", "B=x=y"});
  Spawn spawn;
  spawn.environment = {"ONGGI_TEST_SECRET=1"};
  const Outcome outcome = run(bundle, spawn);
  CHECK(contains(outcome.out, "env A=1\n"));
  CHECK(contains(outcome.out, "env EMPTY=\n"));
  CHECK(contains(outcome.out, "env B=x=y\n"));
  CHECK_FALSE(contains(outcome.out, "ONGGI_TEST_SECRET"));
  CHECK_FALSE(contains(outcome.out, "XDG_RUNTIME_DIR"));
}

CASE("HOME comes from the container's passwd file when the config has none") {
  REQUIRES(root());
  Bundle bundle;
  std::filesystem::create_directory(bundle.rootfs() / "etc");
  write_file(bundle.rootfs() / "etc/passwd", "root:x:0:0:root:/home/of/root:/bin/sh\n");
  CHECK(contains(run(bundle.guest({"env"})).out, "env HOME=/home/of/root\n"));
}

CASE("an empty HOME is replaced as a missing one is (checklist 12)") {
  REQUIRES(root());
  DEVIATES("crun", "keeps it empty");
  Bundle bundle;
  std::filesystem::create_directory(bundle.rootfs() / "etc");
  write_file(bundle.rootfs() / "etc/passwd", "root:x:0:0:root:/home/of/root:/bin/sh\n");
  bundle.guest({"env"}).set("/process/env", Strings{"PATH=/bin", "HOME="});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "env HOME=/home/of/root\n"));
  CHECK_FALSE(contains(outcome.out, "env HOME=\n"));
}

CASE("HOME is / for a user without a passwd entry") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"env"}).set("/process/user/uid", 4242).set("/process/user/gid", 4242);
  CHECK(contains(run(bundle).out, "env HOME=/\n"));
}

CASE("HOME is found in a passwd file of any kind, which cannot make the runtime wait") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 reads no line above 64 KiB");
  DEVIATES("crun", "1.8.1 sets no HOME where a file has no user at all");
  const std::string user = "a:x:1000:100::/home/a";
  struct Row {
    const char* name;
    std::string text;
    const char* home;
  };
  const Row rows[] = {
      {"six fields", user + "\n", "/home/a"},
      {"no newline", user, "/home/a"},
      {"behind a long line", "b:x:1:1:" + std::string(70000, 'g') + ":/b:/bin/sh\n" + user,
       "/home/a"},
      {"one long line", std::string(100000, 'x'), "/"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Bundle bundle;
    std::filesystem::create_directory(bundle.rootfs() / "etc");
    write_file(bundle.rootfs() / "etc/passwd", row.text);
    bundle.guest({"env"}).set("/process/user/uid", 1000);
    CHECK(contains(run(bundle).out, std::string("env HOME=") + row.home + "\n"));
  }
  if (!is_onggi()) return;
  for (const char* kind : {"a FIFO", "a sparse file", "a directory", "a link out of the root"}) {
    CAPTURE(kind);
    Bundle bundle;
    const std::filesystem::path passwd = bundle.rootfs() / "etc/passwd";
    std::filesystem::create_directory(bundle.rootfs() / "etc");
    const std::string what = kind;
    if (what == "a FIFO") REQUIRE(mkfifo(passwd.c_str(), 0600) == 0);
    if (what == "a sparse file") {
      write_file(passwd, "");
      std::filesystem::resize_file(passwd, uintmax_t{1} << 30);
    }
    if (what == "a directory") std::filesystem::create_directory(passwd);
    write_file(bundle.path() / "passwd", user + "\n");
    if (contains(what, "link")) std::filesystem::create_symlink("../../passwd", passwd);
    bundle.guest({"env"}).set("/process/user/uid", 1000);
    CHECK(contains(run(bundle).out, "env HOME=/\n"));
  }
}

CASE("the last of duplicate environment entries wins (checklist 12)") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"env"}).set("/process/env", Strings{"PATH=/bin", "A=first", "A=last"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "env A=last\n"));
  CHECK_FALSE(contains(outcome.out, "env A=first\n"));
}

CASE("the program starts in the working directory") {
  REQUIRES(root());
  Bundle bundle;
  std::filesystem::create_directories(bundle.rootfs() / "srv/data");
  CHECK(run(bundle.guest({"cwd"}).set("/process/cwd", "/srv/data")).out == "cwd /srv/data\n");
}

CASE(
    "a working directory that only the program's user may enter is entered as that user (checklist "
    "13)") {
  REQUIRES(root());
  REQUIRES(file("/usr/bin/setpriv"));
  EXCLUDES("runc", "cannot do without cgroups");
  Bundle bundle;
  const auto home = bundle.rootfs() / "home";
  std::filesystem::create_directory(home);
  CHECK(chown(home.c_str(), 4242, 4242) == 0);
  std::filesystem::permissions(home, std::filesystem::perms{0700});
  bundle.guest({"cwd"}).set("/process/cwd", "/home");
  bundle.set("/process/user/uid", 4242).set("/process/user/gid", 4242).write();
  const Container container(bundle);
  // Without these capabilities root is as powerless as on a network file system that squashes it,
  // also in cgroups that belong to others.
  const Outcome outcome =
      run_program({"/usr/bin/setpriv", "--bounding-set=-dac_override,-dac_read_search",
                   runtime_path(), "--root", state_root().string(), "--cgroup-manager", "disabled",
                   "run", "--bundle", bundle.path().string(), container.id()});
  CHECK_MESSAGE(outcome.ok(), outcome.err);
  CHECK(outcome.out == "cwd /home\n");
}

CASE("a missing working directory is created") {
  REQUIRES(root());
  Bundle bundle;
  bundle.writable_root().guest({"cwd"}).set("/process/cwd", "/not/there/yet");
  CHECK(run(bundle).out == "cwd /not/there/yet\n");
}

CASE("a program without a slash is looked up in the container's PATH") {
  REQUIRES(root());
  Bundle bundle;
  std::filesystem::create_directory(bundle.rootfs() / "opt");
  std::filesystem::rename(bundle.rootfs() / "bin/guest", bundle.rootfs() / "opt/other");
  bundle.set("/process/args", Strings{"other", "echo", "found"})
      .set("/process/env", Strings{"PATH=/bin:/opt"});
  CHECK(run(bundle).out == "found\n");
}

CASE("a program that PATH does not have is named in the error") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = create(bundle.set("/process/args", Strings{"no-such-program"}));
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "executable file"));
  CHECK(contains(outcome.err, "not found in $PATH"));
  CHECK(contains(outcome.err, "no-such-program"));
}

CASE("a missing absolute program is an error that engines understand") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle.set("/process/args", Strings{"/no/such/program"}));
  CHECK(outcome.status == 1);
  CHECK((contains(outcome.err, "o such file or directory") ||
         contains(outcome.err, "xecutable file not found")));
}

CASE("a directory as the program is an error that engines understand") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle.set("/process/args", Strings{"/bin"}));
  CHECK(outcome.status == 1);
  // The three phrases that engines turn into status 126.
  CHECK((contains(outcome.err, "ermission denied") ||
         contains(outcome.err, "peration not permitted") ||
         contains(outcome.err, "s a directory")));
}

CASE("a program without the execute bit is an error that engines understand") {
  REQUIRES(root());
  Bundle bundle;
  write_file(bundle.rootfs() / "bin/text", "#!/bin/guest\n");
  const Outcome outcome = run(bundle.set("/process/args", Strings{"/bin/text"}));
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "ermission denied"));
}

CASE("a script without its interpreter is reported and leaves nothing") {
  REQUIRES(root());
  Bundle bundle;
  write_file(bundle.rootfs() / "bin/script", "#!/no/such/interpreter\n");
  std::filesystem::permissions(bundle.rootfs() / "bin/script", std::filesystem::perms{0755});
  const Outcome outcome = run(bundle.set("/process/args", Strings{"/bin/script"}));
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "o such file or directory"));
}

CASE("the bundle defaults to the working directory of the caller") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"echo", "here"}).write();
  const Container container(bundle);
  Spawn spawn;
  spawn.directory = bundle.path().string();
  CHECK(runtime({"run", container.id()}, spawn).out == "here\n");
}

CASE("two hundred runs in a row leave nothing behind") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"echo", "x"});
  for (int i = 0; i < rounds(200); i++) {
    const Outcome outcome = run(bundle);
    CAPTURE(i);
    CHECK(outcome.err == "");
    CHECK(outcome.out == "x\n");
    CHECK(outcome.status == 0);
  }
}

CASE("run works with standard streams closed") {
  REQUIRES(root());
  DEVIATES("crun", "version 1.8.1 fails with closed standard streams");
  Bundle bundle;
  bundle.guest({"exit", "7"});
  Spawn spawn;
  spawn.closed = {0, 1, 2};
  CHECK(run(bundle, spawn).status == 7);
}

TEST_SUITE_END();

// Of all its mappings, in KiB (proc(5), smaps_rollup).
long held_by(pid_t process) {
  std::istringstream lines(read_file("/proc/" + std::to_string(process) + "/smaps_rollup"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Pss:")) return std::stol(line.substr(4));
  }
  return 0;
}

CASE("a run that waits for its program holds less than a MiB, and still passes signals on") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  REQUIRES(freestanding_init());
  Bundle bundle;
  bundle.guest({"signal-exit"}).write();
  const Container container(bundle);
  Process running(runtime_command({"run", "--bundle", bundle.path().string(), container.id()}));
  REQUIRE(eventually([&] { return contains(running.output(), "ready"); }));
  CHECK(eventually([&] { return held_by(running.pid()) < 1024; }));
  running.kill(SIGTERM);
  const Outcome outcome = running.wait();
  CHECK(outcome.ok());
  CHECK(contains(outcome.out, "signal " + std::to_string(SIGTERM) + "\n"));
}
