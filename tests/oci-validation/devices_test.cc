// SPDX-License-Identifier: Apache-2.0
// config-linux.md: default file systems, linux.devices and the default devices.
#include "support/suite.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// A config with this one entry of linux.devices, in a rootfs that can be written.
struct WithDevice {
  explicit WithDevice(std::string_view entry) {
    bundle.writable_root().set_json("/linux/devices", "[" + std::string(entry) + "]");
  }
  fs::path in_rootfs(const std::string& path) const { return bundle.rootfs() / path; }
  std::string stat(const std::string& path) { return run(bundle.guest({"stat", path})).out; }
  bool refused() const { return !create(bundle).ok(); }
  Bundle bundle;
};

constexpr const char* kNullElsewhere = R"({"path": "/node", "type": "c", "major": 1, "minor": 3})";
constexpr const char* kTakesWhatIsThere = "1.1.5 takes what is there";
constexpr const char* kCrunTakesWhatIsThere = "1.8.1 takes what is there";
constexpr const char* kMismatch =
    "config-linux.md#devices: If a file already exists at path that does not match the requested "
    "device, the runtime MUST generate an error.";

// The file mode creation mask of this process, which the runtime inherits.
class Mask {
 public:
  explicit Mask(mode_t mask) : before_(umask(mask)) {}
  ~Mask() { umask(before_); }
  Mask(const Mask&) = delete;
  Mask& operator=(const Mask&) = delete;

 private:
  mode_t before_;
};

}  // namespace

TEST_SUITE_BEGIN("devices");

CASE("default file systems are available") {
  CITE(
      "config-linux.md#default-filesystems: The following filesystems SHOULD be made available in "
      "each container's filesystem:");
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle.guest({"mounts"}));
  struct Row {
    const char *path, *type;
  };
  for (const Row& row : {Row{"/proc", "proc"}, Row{"/sys", "sysfs"}, Row{"/dev/pts", "devpts"},
                         Row{"/dev/shm", "tmpfs"}}) {
    CAPTURE(row.path);
    bool found = false;
    for (const std::string& line : lines(outcome.out)) {
      found |= contains(line, std::string(" ") + row.path + " ") &&
               contains(line, std::string(" - ") + row.type + " ");
    }
    CHECK(found);
  }
}

CASE("devices: listed ones are available") {
  CITE(
      "config-linux.md#devices: devices (array of objects, OPTIONAL) lists devices that MUST be "
      "available in the container.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set_json("/linux/devices",
                  R"([{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 438,
    "uid": 0, "gid": 0}, {"path": "/dev/sda", "type": "b", "major": 8, "minor": 0, "fileMode": 432, "uid": 1, "gid": 2}])");
  const Outcome outcome = run(bundle.guest({"stat", "/dev/fuse", "/dev/sda"}));
  CHECK(contains(outcome.out, "/dev/fuse char 0666 0 0 10:229\n"));
  CHECK(contains(outcome.out, "/dev/sda block 0660 1 2 8:0\n"));
}

CASE("devices: type u is a character device") {
  CITE("config-linux.md#devices: type (string, REQUIRED) - type of device: c, b, u or p.");
  REQUIRES(root());
  WithDevice with(R"({"path": "/dev/raw", "type": "u", "major": 60, "minor": 7, "fileMode": 384})");
  CHECK(with.stat("/dev/raw") == "/dev/raw char 0600 0 0 60:7\n");
}

CASE("devices: type p is a fifo and needs no numbers") {
  CITE(
      "config-linux.md#devices: major, minor (int64, REQUIRED unless type is p) - major, minor "
      "numbers for the device.");
  REQUIRES(root());
  WithDevice with(R"({"path": "/dev/pipe", "type": "p", "fileMode": 416, "uid": 3, "gid": 4})");
  CHECK(with.stat("/dev/pipe") == "/dev/pipe fifo 0640 3 4 0:0\n");
}

CASE("devices: the greatest numbers that Linux has") {
  CITE(
      "config-linux.md#devices: major, minor (int64, REQUIRED unless type is p) - major, minor "
      "numbers for the device.");
  REQUIRES(root());
  WithDevice with(
      R"({"path": "/dev/last", "type": "b", "major": 4095, "minor": 1048575, "fileMode": 384})");
  CHECK(with.stat("/dev/last") == "/dev/last block 0600 0 0 4095:1048575\n");
}

CASE("devices: numbers that Linux does not have are an error") {
  CITE(
      "config-linux.md#devices: major, minor (int64, REQUIRED unless type is p) - major, minor "
      "numbers for the device.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 makes another device of them");
  DEVIATES("crun", "1.8.1 makes another device of them");
  for (const std::string numbers :
       {R"("major": 4096, "minor": 0)", R"("major": 1, "minor": 1048576)",
        R"("major": -1, "minor": 3)", R"("major": 4294967297, "minor": 3)"}) {
    CAPTURE(numbers);
    CHECK(WithDevice(R"({"path": "/dev/x", "type": "c", )" + numbers + "}").refused());
  }
}

CASE("devices: type, path and numbers are required") {
  CITE("config-linux.md#devices: path (string, REQUIRED) - full path to device inside container.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 takes a missing number for 0");
  DEVIATES("crun", "1.8.1 takes a missing number for 0");
  for (const std::string entry :
       {R"({"type": "c", "major": 1, "minor": 3})", R"({"path": "/dev/x", "major": 1, "minor": 3})",
        R"({"path": "/dev/x", "type": "c", "minor": 3})",
        R"({"path": "/dev/x", "type": "b", "major": 1})",
        R"({"path": "", "type": "c", "major": 1, "minor": 3})"}) {
    CAPTURE(entry);
    CHECK(WithDevice(entry).refused());
  }
}

CASE("devices: an unknown type is an error") {
  CITE("config-linux.md#devices: type (string, REQUIRED) - type of device: c, b, u or p.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 takes any other type for a character device");
  for (const std::string type : {"a", "x", "C", "", "char"}) {
    CAPTURE(type);
    CHECK(WithDevice(R"({"path": "/dev/x", "type": ")" + type + R"(", "major": 1, "minor": 3})")
              .refused());
  }
}

CASE("devices: a relative path is an error") {
  CITE("config-linux.md#devices: path (string, REQUIRED) - full path to device inside container.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 takes it for a path from the root");
  CHECK(WithDevice(R"({"path": "dev/x", "type": "c", "major": 1, "minor": 3})").refused());
}

CASE("devices: outside of /dev") {
  CITE(
      "config-linux.md#devices: The path MAY be anywhere in the container filesystem, notably "
      "outside of /dev.");
  REQUIRES(root());
  WithDevice with(R"({"path": "/nodes/null", "type": "c", "major": 1, "minor": 3})");
  CHECK(with.stat("/nodes/null") == "/nodes/null char 0666 0 0 1:3\n");
}

CASE("devices: directories on the way are made") {
  CITE(
      "config-linux.md#devices: The path MAY be anywhere in the container filesystem, notably "
      "outside of /dev.");
  REQUIRES(root());
  WithDevice with(R"({"path": "/dev/a/b/c", "type": "c", "major": 1, "minor": 3})");
  CHECK(contains(with.stat("/dev/a/b/c"), " char "));
}

CASE("devices: a directory on the way may be a link inside the container") {
  CITE(
      "config-linux.md#devices: The path MAY be anywhere in the container filesystem, notably "
      "outside of /dev.");
  REQUIRES(root());
  WithDevice with(R"({"path": "/link/null", "type": "c", "major": 1, "minor": 3})");
  fs::create_directory(with.in_rootfs("real"));
  fs::create_symlink("/real", with.in_rootfs("link"));
  CHECK(contains(with.stat("/real/null"), "/real/null char "));
}

CASE("devices: a link never leads out of the container") {
  CITE("config-linux.md#devices: path (string, REQUIRED) - full path to device inside container.");
  REQUIRES(root());
  const ScratchDirectory outside("outside");
  WithDevice with(R"({"path": "/link/null", "type": "c", "major": 1, "minor": 3})");
  fs::create_symlink(outside.path(), with.in_rootfs("link"));
  (void)create(with.bundle);
  CHECK(fs::is_empty(outside.path()));
}

CASE("devices: fileMode is exact, whatever the runtime's umask") {
  CITE("config-linux.md#devices: fileMode (uint32, OPTIONAL) - file mode for the device.");
  REQUIRES(root());
  const Mask mask(077);
  for (const int mode : {0, 0600, 0644, 0666, 0777}) {
    char octal[8];
    snprintf(octal, sizeof octal, "%04o", static_cast<unsigned>(mode));
    CAPTURE(octal);
    WithDevice with(R"({"path": "/dev/x", "type": "c", "major": 60, "minor": 1, "fileMode": )" +
                    std::to_string(mode) + "}");
    CHECK(with.stat("/dev/x") == "/dev/x char " + std::string(octal) + " 0 0 60:1\n");
  }
}

CASE("devices: uid and gid each alone") {
  CITE(
      "config-linux.md#devices: uid (uint32, OPTIONAL) - id of device owner in the container "
      "namespace.");
  REQUIRES(root());
  WithDevice owner(R"({"path": "/dev/x", "type": "c", "major": 60, "minor": 1, "uid": 1000})"),
      group(R"({"path": "/dev/x", "type": "c", "major": 60, "minor": 1, "gid": 1000})");
  CHECK(contains(owner.stat("/dev/x"), " 1000 0 60:1\n"));
  CHECK(contains(group.stat("/dev/x"), " 0 1000 60:1\n"));
}

CASE("devices: a mode or an owner that is no number of 32 bits is an error") {
  CITE("config-linux.md#devices: fileMode (uint32, OPTIONAL) - file mode for the device.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 takes text for a number");
  for (const std::string field : {R"("fileMode": -1)", R"("fileMode": "0666")", R"("uid": -1)",
                                  R"("gid": 4294967296)", R"("uid": 1.5)"}) {
    CAPTURE(field);
    CHECK(WithDevice(R"({"path": "/dev/x", "type": "c", "major": 60, "minor": 1, )" + field + "}")
              .refused());
  }
}

CASE("devices: an existing node that is the device is taken") {
  CITE(kMismatch);
  REQUIRES(root());
  WithDevice with(kNullElsewhere);
  REQUIRE(mknod(with.in_rootfs("node").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0);
  CHECK(contains(with.stat("/node"), " 0 0 1:3\n"));
}

CASE("devices: an existing node gets the mode and the owner that are asked for") {
  CITE("config-linux.md#devices: fileMode (uint32, OPTIONAL) - file mode for the device.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 leaves an existing node as it is");
  DEVIATES("crun", "1.8.1 leaves an existing node as it is");
  Bundle bundle;
  const fs::path node = bundle.rootfs() / "node";
  REQUIRE(mknod(node.c_str(), S_IFCHR | 0600, makedev(1, 5)) == 0);
  bundle.writable_root()
      .set_json("/linux/devices",
                R"([{"path": "/node", "type": "c", "major": 1, "minor": 5, "fileMode": 420,
                     "uid": 7, "gid": 8}])")
      .guest({"stat", "/node"});
  CHECK(contains(run(bundle).out, " 0644 7 8"));
}

CASE("devices: an existing file that is not the device is an error") {
  CITE(kMismatch);
  REQUIRES(root());
  DEVIATES("runc", kTakesWhatIsThere);
  DEVIATES("crun", kCrunTakesWhatIsThere);
  WithDevice with(kNullElsewhere);
  write_file(with.in_rootfs("node"), "a file");
  CHECK(with.refused());
  CHECK(read_file(with.in_rootfs("node")) == "a file");
}

CASE("devices: an existing directory is an error") {
  CITE(kMismatch);
  REQUIRES(root());
  DEVIATES("runc", kTakesWhatIsThere);
  DEVIATES("crun", kCrunTakesWhatIsThere);
  WithDevice with(kNullElsewhere);
  fs::create_directory(with.in_rootfs("node"));
  CHECK(with.refused());
}

CASE("devices: an existing node with other numbers is an error") {
  CITE(kMismatch);
  REQUIRES(root());
  DEVIATES("runc", kTakesWhatIsThere);
  DEVIATES("crun", kCrunTakesWhatIsThere);
  WithDevice with(kNullElsewhere);
  REQUIRE(mknod(with.in_rootfs("node").c_str(), S_IFCHR | 0666, makedev(1, 5)) == 0);
  CHECK(with.refused());
}

CASE("devices: an existing block device of the same numbers is an error") {
  CITE(kMismatch);
  REQUIRES(root());
  DEVIATES("runc", kTakesWhatIsThere);
  DEVIATES("crun", kCrunTakesWhatIsThere);
  WithDevice with(kNullElsewhere);
  REQUIRE(mknod(with.in_rootfs("node").c_str(), S_IFBLK | 0666, makedev(1, 3)) == 0);
  CHECK(with.refused());
}

CASE("devices: an existing fifo is an error for a character device, and the other way round") {
  CITE(kMismatch);
  REQUIRES(root());
  DEVIATES("runc", kTakesWhatIsThere);
  DEVIATES("crun", kCrunTakesWhatIsThere);
  WithDevice character(kNullElsewhere), fifo(R"({"path": "/node", "type": "p"})");
  REQUIRE(mkfifo(character.in_rootfs("node").c_str(), 0666) == 0);
  REQUIRE(mknod(fifo.in_rootfs("node").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0);
  CHECK(character.refused());
  CHECK(fifo.refused());
}

CASE("devices: an existing link is an error, even one to the device") {
  CITE(kMismatch);
  REQUIRES(root());
  DEVIATES("runc", kTakesWhatIsThere);
  DEVIATES("crun", kCrunTakesWhatIsThere);
  WithDevice with(kNullElsewhere);
  fs::create_symlink("/dev/null", with.in_rootfs("node"));
  CHECK(with.refused());
}

CASE("devices: two different devices at one path are an error") {
  CITE(kMismatch);
  REQUIRES(root());
  DEVIATES("runc", kTakesWhatIsThere);
  DEVIATES("crun", kCrunTakesWhatIsThere);
  WithDevice with(std::string(kNullElsewhere) +
                  R"(, {"path": "/node", "type": "c", "major": 1, "minor": 5})");
  CHECK(with.refused());
}

CASE("devices: one device at two paths is what the config says, though it should not") {
  CITE(
      "config-linux.md#devices: The same type, major and minor SHOULD NOT be used for multiple "
      "devices.");
  REQUIRES(root());
  WithDevice with(std::string(kNullElsewhere) +
                  R"(, {"path": "/again", "type": "c", "major": 1, "minor": 3})");
  const std::string out = run(with.bundle.guest({"stat", "/node", "/again"})).out;
  CHECK(contains(out, "/node char "));
  CHECK(contains(out, "/again char "));
}

CASE("devices: the default ones are supplied") {
  CITE(
      "config-linux.md#default-devices: In addition to any devices configured with this setting, "
      "the runtime MUST also supply:");
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome =
      run(bundle.guest({"stat", "/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                        "/dev/urandom", "/dev/tty", "/dev/ptmx"}));
  CHECK_FALSE(contains(outcome.out, "ENOENT"));
  for (const std::string line :
       {"/dev/null char 0666 0 0 1:3\n", "/dev/zero char 0666 0 0 1:5\n",
        "/dev/full char 0666 0 0 1:7\n", "/dev/random char 0666 0 0 1:8\n",
        "/dev/urandom char 0666 0 0 1:9\n", "/dev/tty char 0666 0 0 5:0\n"}) {
    CAPTURE(line);
    CHECK(contains(outcome.out, line));
  }
}

CASE("devices: the default ones can be used, by a user too, though all devices are denied") {
  CITE(
      "config-linux.md#default-devices: In addition to any devices configured with this setting, "
      "the runtime MUST also supply:");
  REQUIRES(root());
  Bundle bundle;
  bundle.set_json("/process/user", R"({"uid": 1000, "gid": 1000})");
  Strings words;
  const Strings paths = {"/dev/null",   "/dev/zero",    "/dev/full",
                         "/dev/random", "/dev/urandom", "/dev/ptmx"};
  for (const std::string& path : paths) {
    if (!words.empty()) words.push_back("--");
    words.insert(words.end(), {"open", path, "rw"});
  }
  const Outcome outcome = run(bundle.guest(words));
  for (const std::string& path : paths) {
    CAPTURE(path);
    CHECK(contains(outcome.out, "open " + path + ": ok\n"));
  }
}

CASE("devices: the default ones are supplied where /dev is no mount of its own") {
  CITE(
      "config-linux.md#default-devices: In addition to any devices configured with this setting, "
      "the runtime MUST also supply:");
  REQUIRES(root());
  Bundle bundle;
  fs::create_directory(bundle.rootfs() / "dev");
  for (const std::string mount : {"/dev/mqueue", "/dev/shm", "/dev/pts", "/dev"})
    bundle.drop_mount(mount);
  const Outcome outcome = run(
      bundle.guest({"stat", "/dev/null", "/dev/full", "/dev/tty", "--", "open", "/dev/null", "w"}));
  CHECK(contains(outcome.out, "/dev/null char 0666 0 0 1:3\n"));
  CHECK(contains(outcome.out, "/dev/full char 0666 0 0 1:7\n"));
  CHECK(contains(outcome.out, "/dev/tty char 0666 0 0 5:0\n"));
  CHECK(contains(outcome.out, "open /dev/null: ok\n"));
}

CASE("devices: those of the host are not there") {
  CITE(
      "config-linux.md#devices: Containers MAY NOT access any device node that is not either "
      "explicitly referenced in the devices array or listed as being part of the default devices.");
  REQUIRES(root());
  WithDevice with(R"({"path": "/dev/listed", "type": "c", "major": 60, "minor": 1})");
  const Strings expected = {"console", "core",   "fd",  "full",    "listed", "mqueue",
                            "null",    "ptmx",   "pts", "random",  "shm",    "stderr",
                            "stdin",   "stdout", "tty", "urandom", "zero"};
  const Outcome outcome = run(with.bundle.guest({"ls", "/dev"}));
  CHECK(contains(outcome.out, "listed\n"));
  for (const std::string& name : lines(outcome.out)) {
    CAPTURE(name);
    CHECK(std::find(expected.begin(), expected.end(), name) != expected.end());
  }
}

CASE("devices: an entry of the config goes before the default device") {
  CITE("config-linux.md#devices: fileMode (uint32, OPTIONAL) - file mode for the device.");
  REQUIRES(root());
  WithDevice with(R"({"path": "/dev/full", "type": "c", "major": 1, "minor": 7, "fileMode": 256,
                      "uid": 5, "gid": 6})");
  CHECK(with.stat("/dev/full") == "/dev/full char 0400 5 6 1:7\n");
}

CASE("devices: ptmx is the one of the container's own terminals") {
  CITE(
      "config-linux.md#default-devices: A bind-mount or symlink of the container's /dev/pts/ptmx.");
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(
      bundle.guest({"ls", "/dev/pts", "--", "stat", "/dev/ptmx", "--", "open", "/dev/ptmx", "rw"}));
  CHECK(contains(outcome.out, "ptmx\n"));
  CHECK((contains(outcome.out, "-> pts/ptmx\n") || contains(outcome.out, "-> /dev/pts/ptmx\n") ||
         contains(outcome.out, "/dev/ptmx char 0666")));
  CHECK(contains(outcome.out, "open /dev/ptmx: ok\n"));
}

CASE("devices: the console is the container's terminal") {
  CITE(
      "config-linux.md#default-devices: /dev/console is set up if terminal is enabled in the "
      "config by bind mounting the pseudoterminal pty to /dev/console.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/process/terminal", true)
      .guest({"stat", "/dev/console", "--", "mounts", "--", "open", "/dev/console", "rw", "--",
              "echo", "end"});
  const ConsoleSocket console;
  Container container(bundle);
  REQUIRE(container.create({"--console-socket", console.path()}).ok());
  PtyMaster master = console.receive();
  const pid_t pid = container.pid();
  REQUIRE(container.start().ok());
  REQUIRE(master.wait_for("end\r\n"));
  CHECK(contains(master.text(), "/dev/console char "));
  CHECK(contains(master.text(), " 136:0\r\n"));
  CHECK(contains(master.text(), " /dev/console "));
  CHECK(contains(master.text(), "open /dev/console: ok\r\n"));
  CHECK(container.wait_exit(pid) == 0);
}

TEST_SUITE_END();
