// SPDX-License-Identifier: Apache-2.0
// Descriptors around `create`: standard streams, socket activation, the socket for a pidfd.
#include "support/suite.h"
#include "support/user_namespace.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// The read end holds some text.
struct FilledPipe {
  explicit FilledPipe(std::string_view text) {
    if (pipe2(ends, O_CLOEXEC) == 0) (void)!write(ends[1], text.data(), text.size());
    close(ends[1]);
  }
  ~FilledPipe() { close(ends[0]); }
  FilledPipe(const FilledPipe&) = delete;
  FilledPipe& operator=(const FilledPipe&) = delete;
  int ends[2] = {-1, -1};
};

// `run` as a shell would become it: LISTEN_PID is then the pid of the runtime, or not.
Outcome activated(const Bundle& bundle, const Container& container, const char* pid,
                  const Spawn& spawn) {
  bundle.write();
  std::string command = std::string("export LISTEN_PID=") + pid + "; exec";
  for (const std::string& word : runtime_command(
           {"run", "--bundle", bundle.path().string(), "--preserve-fds", "1", container.id()})) {
    command += " '" + word + "'";
  }
  return run_program({"/bin/sh", "-c", command}, spawn);
}

// A detached container that tells about its standard streams by a file.
class Reporting {
 public:
  Reporting() : shared_("shared"), container_(bundle_) {
    std::filesystem::create_directory(bundle_.rootfs() / "out");
    bundle_.add_bind("/out", shared_.path()).guest({"streams", "/out/streams"}).write();
  }
  // `redirections` as a shell takes them.
  Outcome run(const std::string& redirections) const {
    std::string command = "exec";
    for (const std::string& word : runtime_command(
             {"run", "--detach", "--bundle", bundle_.path().string(), container_.id()})) {
      command += " '" + word + "'";
    }
    return run_program({"/bin/sh", "-c", command + " " + redirections});
  }
  Strings streams() const {
    CHECK(container_.wait_status("stopped"));
    return lines(read_file(shared_.path() / "streams"));
  }

 private:
  ScratchDirectory shared_;
  Bundle bundle_;
  Container container_;
};

}  // namespace

TEST_SUITE_BEGIN("descriptors");

CASE("LISTEN_FDS come before --preserve-fds, and count for LISTEN_PID only (checklist 10)") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 passes them without setting LISTEN_FDS");
  Bundle bundle;
  bundle.guest({"env", "--", "read-fd", "3", "--", "read-fd", "4", "--", "fds"});
  SUBCASE("for us") {
    const FilledPipe socket("socket"), kept("kept");
    const Container container(bundle);
    const Outcome outcome =
        activated(bundle, container, "$$",
                  {.extra_fds = {socket.ends[0], kept.ends[0]}, .environment = {"LISTEN_FDS=1"}});
    CHECK(contains(outcome.out, "env LISTEN_FDS=1\n"));
    CHECK(contains(outcome.out, "env LISTEN_PID=1\n"));
    CHECK(value_of(outcome.out, "read-fd 3") == "socket");
    CHECK(value_of(outcome.out, "read-fd 4") == "kept");
    CHECK_FALSE(contains(outcome.out, "fd 5 "));
  }
  SUBCASE("for another process") {
    const FilledPipe kept("kept"), other("other");
    const Container container(bundle);
    const Outcome outcome =
        activated(bundle, container, "1",
                  {.extra_fds = {kept.ends[0], other.ends[0]}, .environment = {"LISTEN_FDS=1"}});
    CHECK_FALSE(contains(outcome.out, "LISTEN_FDS"));
    CHECK(value_of(outcome.out, "read-fd 3") == "kept");
    CHECK_FALSE(contains(outcome.out, "fd 4 "));
  }
}

CASE("standard streams on the host's null device become the container's (checklist 20)") {
  REQUIRES(root());
  Reporting report;
  const Outcome outcome = report.run("</dev/null >/dev/null");
  CHECK(outcome.err == "");
  const Strings streams = report.streams();
  REQUIRE(streams.size() == 4);
  // Each line: the filesystem that a stream's file lies on; the last: that of /dev/null inside.
  CHECK(streams[0] == streams[3]);
  CHECK(streams[1] == streams[3]);
  CHECK(streams[2] != streams[3]);
}

CASE("a null device that is none is not taken for one") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  const ScratchDirectory dev("dev");
  write_file(dev.path() / "null", "");
  bundle.drop_mount("/dev/pts").drop_mount("/dev/shm").drop_mount("/dev/mqueue").drop_mount("/dev");
  bundle.add_bind("/dev", dev.path()).erase("/linux/maskedPaths").write();
  const Container container(bundle);
  std::string command = "exec";
  for (const std::string& word :
       runtime_command({"create", "--bundle", bundle.path().string(), container.id()}))
    command += " '" + word + "'";
  const Outcome outcome = run_program({"/bin/sh", "-c", command + " </dev/null"});
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "'/dev/null' in the container is not the null device"));
}

CASE("an image's own files do not stand in the place of the default devices") {
  REQUIRES(root());
  EXCLUDES("runc", "1.1.5 hangs with a file in the place of /dev/null");
  DEVIATES("crun", "1.8.1 takes what is there");
  Bundle bundle;
  bundle.writable_root();
  bundle.drop_mount("/dev/pts").drop_mount("/dev/shm").drop_mount("/dev/mqueue").drop_mount("/dev");
  // As images have them that were made without the right to make devices, or by hand.
  const fs::path dev = bundle.rootfs() / "dev";
  fs::create_directories(dev);
  write_file(dev / "null", "of the image");
  write_file(dev / "zero", "");
  fs::create_symlink("urandom", dev / "random");
  REQUIRE(mknod((dev / "full").c_str(), S_IFCHR | 0600, makedev(1, 5)) == 0);
  const Outcome outcome =
      run(bundle.guest({"stat", "/dev/null", "/dev/zero", "/dev/random", "/dev/full", "/dev/tty"}));
  CHECK(outcome.err == "");
  for (const char* line : {"/dev/null char 0666 0 0 1:3", "/dev/zero char 0666 0 0 1:5",
                           "/dev/random char 0666 0 0 1:8", "/dev/full char 0666 0 0 1:7",
                           "/dev/tty char 0666 0 0 5:0"}) {
    CAPTURE(line);
    CHECK(contains(outcome.out, line));
  }
  CHECK(read_file(dev / "null") == "of the image");
  CHECK(fs::is_symlink(dev / "random"));
}

CASE("a directory in the place of a default device is an error") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 takes what is there");
  DEVIATES("crun", "1.8.1 takes what is there");
  Bundle bundle;
  bundle.writable_root();
  bundle.drop_mount("/dev/pts").drop_mount("/dev/shm").drop_mount("/dev/mqueue").drop_mount("/dev");
  fs::create_directories(bundle.rootfs() / "dev" / "zero");
  const Outcome outcome = run(bundle.guest({"exit", "0"}));
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "linux.devices: '/dev/zero' already exists and is a directory"));
}

CASE("closed standard streams are the null device, and nothing else (checklist 38)") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 has files of its own on these numbers");
  DEVIATES("crun", "1.8.1 fails with closed standard streams");
  Reporting report;
  CHECK(report.run("<&- >&- 2>&-").status == 0);
  const Strings streams = report.streams();
  REQUIRE(streams.size() == 4);
  for (size_t i = 0; i < 3; i++) CHECK(streams[i] == streams[3]);
}

CASE("--pidfd-socket receives a pidfd of the first process") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not know it");
  DEVIATES("crun", "does not know it");
  const ConsoleSocket receiver;
  Bundle bundle;
  bundle.guest({"pause"});
  Container container(bundle);
  REQUIRE(container.create({"--pidfd-socket", receiver.path()}).err == "");
  const PtyMaster received = receiver.receive();
  REQUIRE(received.fd() >= 0);
  CHECK(contains(read_file("/proc/self/fdinfo/" + std::to_string(received.fd())),
                 "Pid:\t" + std::to_string(container.pid()) + "\n"));
  CHECK(syscall(SYS_pidfd_send_signal, received.fd(), SIGKILL, nullptr, 0) == 0);
  pollfd ended = {received.fd(), POLLIN, 0};
  CHECK(poll(&ended, 1, 30'000) == 1);
  CHECK(container.wait_status("stopped"));
}

CASE("run sends its pidfd as well") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not know it");
  DEVIATES("crun", "does not know it");
  const ConsoleSocket receiver;
  Bundle bundle;
  Container container(bundle);
  CHECK(container.run({"--pidfd-socket", receiver.path()}).status == 0);
  CHECK(receiver.receive().fd() >= 0);
}

CASE("a --pidfd-socket that nobody listens on is an error before anything is made") {
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  const Outcome outcome = container.create({"--pidfd-socket", "/nonexistent/socket"});
  CHECK(outcome.status != 0);
  if (is_onggi()) CHECK(contains(outcome.err, "connect '/nonexistent/socket'"));
  CHECK(container.status() == "");
}

TEST_SUITE_END();
