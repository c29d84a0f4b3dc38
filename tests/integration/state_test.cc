// SPDX-License-Identifier: Apache-2.0
// State on disk that is damaged, unreadable or not this user's. Whatever is wrong with it, no
// command may say success and leave processes behind that nobody can find any more.
#include "support/suite.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// A running container, and where its state is.
struct Running {
  explicit Running(Strings options = {}) : container(bundle, std::move(options)) {
    bundle.guest({"pause"});
    REQUIRE(container.create().ok());
    REQUIRE(container.start().ok());
    pid = container.pid();
    REQUIRE(pid > 0);
  }
  fs::path directory() const { return state_root() / container.id(); }
  fs::path file(const char* name) const { return directory() / name; }
  bool alive() const { return kill(pid, 0) == 0 && !ended(); }
  bool ended() const {
    siginfo_t info = {};
    return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid;
  }

  Bundle bundle;
  Container container;
  pid_t pid = 0;
};

Outcome delete_by_force(const Running& running) {
  return runtime({"delete", "--force", running.container.id()});
}

// What can happen to a file of the state.
struct Damage {
  const char* name;
  void (*apply)(const fs::path& file);
};
const Damage kDamages[] = {
    {"cut off", [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); }},
    {"empty", [](const fs::path& file) { fs::resize_file(file, 0); }},
    {"of another type", [](const fs::path& file) { write_file(file, R"({"id": 1, "pid": "2"})"); }},
    {"an array", [](const fs::path& file) { write_file(file, "[]"); }},
    {"huge", [](const fs::path& file) { fs::resize_file(file, uintmax_t{1} << 30); }},
    {"a FIFO",
     [](const fs::path& file) {
       fs::remove(file);
       REQUIRE(mkfifo(file.c_str(), 0600) == 0);
     }},
    {"a symbolic link",
     [](const fs::path& file) {
       const fs::path other = file.string() + ".other";
       fs::rename(file, other);
       fs::create_symlink(other, file);
     }},
    {"another user's", [](const fs::path& file) { REQUIRE(chown(file.c_str(), 1000, 1000) == 0); }},
    {"writable by others", [](const fs::path& file) { REQUIRE(chmod(file.c_str(), 0666) == 0); }},
};

}  // namespace

TEST_SUITE_BEGIN("state");

CASE("delete --force of a running container whose state.json is damaged ends it") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  for (const Damage& damage : kDamages) {
    CAPTURE(damage.name);
    Running running;
    damage.apply(running.file("state.json"));
    const Outcome state = running.container.state();
    CHECK_FALSE(state.ok());
    CHECK(contains(state.err, "state.json"));
    CHECK_FALSE(running.container.remove().ok());  // a plain delete keeps it
    CHECK(running.alive());
    CHECK(delete_by_force(running).ok());
    CHECK_FALSE(running.alive());
    CHECK_FALSE(fs::exists(running.directory()));
    CHECK(tagged_cgroups().empty());
  }
}

CASE("also when state.json is missing, or the container has no cgroup") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  for (const Strings& options : {Strings{}, Strings{"--cgroup-manager", "disabled"}}) {
    for (const bool missing : {false, true}) {
      CAPTURE(missing);
      Running running(options);
      if (missing) {
        fs::remove(running.file("state.json"));
      } else {
        write_file(running.file("state.json"), "{");
      }
      CHECK(delete_by_force(running).ok());
      CHECK(running.ended());
      CHECK_FALSE(fs::exists(running.directory()));
    }
  }
}

CASE("delete --force keeps a container whose processes it cannot know, and says what to do") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  for (const bool missing : {false, true}) {
    CAPTURE(missing);
    Running running;
    const std::string record = read_file(running.file("state.json"));
    for (const char* name : {"state.json", "creating.json"}) {
      fs::remove(running.file(name));
      if (!missing) write_file(running.file(name), "{");
    }
    const Outcome removed = delete_by_force(running);
    CHECK(removed.status == 1);
    CHECK(contains(removed.err, "state.json is damaged"));
    CHECK(contains(removed.err, "then remove '" + running.directory().string() + "'"));
    CHECK(running.alive());
    CHECK(fs::exists(running.directory()));
    write_file(running.file("state.json"), record);
    CHECK(running.container.remove(true).ok());
  }
}

CASE("a poststop hook runs though state.json is damaged") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const ScratchDirectory notes("notes");
  const std::string note = (notes.path() / "note").string();
  Bundle bundle;
  bundle.set_json("/hooks", R"({"poststop": [{"path": "/bin/sh", "args": ["sh", "-c", "cat >)" +
                                note + R"("], "env": ["PATH=/usr/bin:/bin"]}]})");
  for (const Strings& options : {Strings{}, Strings{"--cgroup-manager", "disabled"}}) {
    Container container(bundle, options);
    REQUIRE(container.create().ok());
    write_file(state_root() / container.id() / "state.json", "{");
    CHECK(container.remove(true).ok());
    CHECK(contains(read_file(note), "\"status\":\"stopped\""));
    fs::remove(note);
  }
}

CASE("no command acts on state that cannot be read: too many open files") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(onggi_only());
  const Running running;
  const std::string& id = running.container.id();
  for (const Strings& words : {Strings{"delete", "--force", id}, Strings{"delete", id},
                               Strings{"kill", id, "KILL"}, Strings{"state", id}}) {
    CAPTURE(words[0]);
    Strings command = {"/bin/sh", "-c", "ulimit -n 5; exec \"$@\"", "sh"};
    const Strings limited = runtime_command(words);
    command.insert(command.end(), limited.begin(), limited.end());
    const Outcome outcome = run_program(command);
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, "too many open files"));
    CHECK(running.alive());
    CHECK(fs::exists(running.directory()));
  }
}

CASE("delete --force that fails at any system call keeps the state or leaves nothing") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(file("/usr/bin/strace"));
  REQUIRES(onggi_only());
  constexpr int kMost = 12;  // of one call; more are the same for further hierarchies
  for (const char* call : {"openat", "read", "statx", "getdents64", "flock", "write", "unlinkat",
                           "pidfd_open", "pidfd_send_signal", "kill", "lseek", "ppoll"}) {
    CAPTURE(call);
    bool injected = true;
    for (int i = 1; injected && i <= kMost; i++) {
      CAPTURE(i);
      const Running running;
      const fs::path trace = running.bundle.path() / "trace";
      Strings command = {"/usr/bin/strace",
                         "-o",
                         trace.string(),
                         "-e",
                         std::string("trace=") + call,
                         "-e",
                         std::string("inject=") + call + ":error=EIO:when=" + std::to_string(i)};
      const Strings deleting = runtime_command({"delete", "--force", running.container.id()});
      command.insert(command.end(), deleting.begin(), deleting.end());
      const bool removed = run_program(command).ok();
      injected = contains(read_file(trace), "INJECTED");
      const bool gone = !fs::exists(running.directory());
      CHECK((gone || !removed));
      if (gone) {
        CHECK(running.ended());
        CHECK(tagged_cgroups().empty());
      } else {
        CHECK(running.container.remove(true).ok());
      }
    }
  }
}

CASE("a start that cannot reach init leaves the container created, and can be repeated") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  for (const long call : {SYS_socket, SYS_connect, SYS_sendmsg}) {
    CAPTURE(call);
    Bundle bundle;
    bundle.guest({"pause"});
    Container container(bundle);
    REQUIRE(container.create().ok());
    Spawn spawn;
    spawn.refused = {{.call = call, .errnum = EMFILE}};
    const Outcome failed = run_program(runtime_command({"start", container.id()}), spawn);
    CHECK_FALSE(failed.ok());
    CHECK(contains(failed.err, "too many open files"));
    CHECK(container.status() == "created");
    CHECK(container.start().ok());
    CHECK(container.status() == "running");
  }
}

CASE("directories in the place of state files do not keep delete --force") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  for (const std::string name : {"config.json", "start.sock", "other"}) {
    CAPTURE(name);
    Bundle bundle;
    bundle.guest({"pause"});
    Container container(bundle);
    REQUIRE(container.create().ok());
    const fs::path path = state_root() / container.id() / name;
    fs::remove(path);
    fs::create_directory(path);
    CHECK(container.remove(true).ok());
    CHECK(container.status().empty());
  }
}

CASE("a container's directory that is not this user's is not touched") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const Running running;
  const std::string& id = running.container.id();
  const fs::path directory = running.directory();
  const auto refused = [&](const Strings& words, const std::string& reason) {
    CAPTURE(words[0]);
    const Outcome outcome = runtime(words);
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, reason));
    CHECK(contains(outcome.err, directory.string()));
    CHECK(running.alive());
  };
  const auto all_refused = [&](const std::string& reason) {
    for (const Strings& words : {Strings{"state", id}, Strings{"kill", id, "KILL"},
                                 Strings{"delete", id}, Strings{"delete", "--force", id}})
      refused(words, reason);
  };
  REQUIRE(chown(directory.c_str(), 1000, 0) == 0);
  all_refused("belongs to uid 1000");
  REQUIRE(chown(directory.c_str(), 0, 0) == 0);
  REQUIRE(chmod(directory.c_str(), 0770) == 0);
  all_refused("can be written by other users (mode 0770)");
  REQUIRE(chmod(directory.c_str(), 0700) == 0);
  const fs::path moved = directory.string() + ".moved";
  fs::rename(directory, moved);
  fs::create_symlink(moved, directory);
  all_refused("not a directory");
  fs::remove(directory);
  fs::rename(moved, directory);
  CHECK(running.container.status() == "running");
}

CASE("a state root that is not this user's, or is a link, is refused") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const ScratchDirectory scratch("roots");
  const fs::path other = scratch.path() / "other", open = scratch.path() / "open",
                 link = scratch.path() / "link";
  for (const fs::path& path : {other, open}) fs::create_directory(path);
  REQUIRE(chown(other.c_str(), 1000, 1000) == 0);
  REQUIRE(chmod(open.c_str(), 01777) == 0);
  fs::create_directory_symlink(state_root(), link);
  Bundle bundle;
  bundle.write();
  const std::pair<std::string, std::string> kRoots[] = {{other, "belongs to uid 1000"},
                                                        {open, "can be written by other users"},
                                                        {link, "not a directory"},
                                                        {link / "", "not a directory"}};
  for (const auto& [path, reason] : kRoots) {
    for (const Strings& words :
         {Strings{"create", "--bundle", bundle.path().string(), "x"}, Strings{"state", "x"},
          Strings{"delete", "--force", "x"}, Strings{"list"}}) {
      CAPTURE(path);
      CAPTURE(words[0]);
      Strings command = {runtime_path(), "--root", path};
      command.insert(command.end(), words.begin(), words.end());
      const Outcome outcome = run_program(command);
      CHECK(outcome.status == 1);
      CHECK(contains(outcome.err, reason));
    }
  }
}

CASE("an empty directory in the state root is no container, and its name is free") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  Container container(bundle);
  const fs::path directory = state_root() / container.id();
  for (const bool cut_off : {false, true}) {
    REQUIRE(mkdir(directory.c_str(), 0700) == 0);
    if (cut_off) write_file(directory / "creating.json.tmp", "{");
    CHECK(runtime({"list", "-q"}).out.empty());
    CHECK(contains(container.state().err, "does not exist"));
    CHECK(container.create().ok());
    CHECK(container.status() == "created");
    CHECK(container.remove(true).ok());
  }
  REQUIRE(mkdir(directory.c_str(), 0700) == 0);
  CHECK(runtime({"delete", "--force", container.id()}).ok());
  CHECK_FALSE(fs::exists(directory));
}

CASE("list shows a damaged container as such, with the reason on standard error") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const Running running, whole;
  write_file(running.file("state.json"), "{");
  const Outcome table = runtime({"list"});
  CHECK(table.ok());
  CHECK(lines(table.out).size() == 3);
  CHECK(contains(table.out, "damaged"));
  CHECK(contains(table.err, running.container.id() + ": state.json is damaged"));
  const rapidjson::Document list = parse_json(runtime({"list", "--format", "json"}).out);
  REQUIRE(list.Size() == 2);
  CHECK(std::string(list[0]["status"].GetString()) == "damaged");
  CHECK(list[0]["pid"].GetInt() == 0);
  CHECK(std::string(list[1]["status"].GetString()) == "running");
  CHECK(runtime({"list", "-q"}).out == running.container.id() + "\n" + whole.container.id() + "\n");
}

CASE("list names the rootfs and the annotations of each container") {
  REQUIRES(root());
  Bundle bundle;
  bundle.set_json("/annotations", R"({"com.example.key": "value"})");
  Container container(bundle);
  REQUIRE(container.create().ok());
  DEVIATES("crun", "1.8.1 lists neither");
  const rapidjson::Document list = parse_json(runtime({"list", "--format", "json"}).out);
  REQUIRE(list.Size() == 1);
  REQUIRE(list[0].HasMember("rootfs"));
  CHECK(list[0]["rootfs"].GetString() == bundle.rootfs().string());
  REQUIRE(list[0].HasMember("annotations"));
  CHECK(std::string(list[0]["annotations"]["com.example.key"].GetString()) == "value");
}

TEST_SUITE_END();
