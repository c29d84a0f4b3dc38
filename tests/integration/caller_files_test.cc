// SPDX-License-Identifier: Apache-2.0
// Files that the runtime writes where its caller says (--log, --pid-file), in places where other
// users may have put something.
#include "support/suite.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

constexpr uid_t kOther = 1000;

// A directory, and a file of root's that nothing may be written to.
struct Place {
  Place() {
    write_file(victim, "as it was");
    REQUIRE(chmod(directory.c_str(), 01777) == 0);
  }
  bool untouched() const {
    return read_file(victim) == "as it was" &&
           std::distance(fs::directory_iterator(vault), {}) == 1;
  }
  ScratchDirectory shared{"shared"}, kept{"kept"};
  fs::path directory = shared.path(), vault = kept.path(), victim = vault / "victim";
};

void link_of(uid_t owner, const fs::path& target, const fs::path& link) {
  fs::create_symlink(target, link);
  REQUIRE(lchown(link.c_str(), owner, owner) == 0);
}

// A command that fails, and so has something to log.
Outcome log_to(const std::string& path, const Spawn& spawn = {}) {
  return runtime({"--log", path, "state", tag() + "-nobody"}, spawn);
}

// That there is no such container: crun names it, runc only says so.
bool tells(const std::string& text) {
  return contains(text, "-nobody") || contains(text, "does not exist");
}

}  // namespace

TEST_SUITE_BEGIN("caller_files");

CASE("--log follows no symbolic link of another user, at no place of the path") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  for (const mode_t mode : {01777U, 0755U}) {
    Place place;
    REQUIRE(chmod(place.directory.c_str(), mode) == 0);
    link_of(kOther, place.victim, place.directory / "file");
    link_of(kOther, place.vault / "new", place.directory / "dangling");
    link_of(kOther, place.vault, place.directory / "directory");
    link_of(0, place.directory / "file", place.directory / "indirect");
    for (const char* name : {"file", "dangling", "directory/victim", "directory/new", "indirect",
                             "./directory/../directory/victim"}) {
      CAPTURE(name);
      const Outcome outcome = log_to(place.directory / name);
      CHECK(outcome.status == 1);
      // In a sticky directory the kernel may be the first to refuse it.
      CHECK((contains(outcome.err, "is a symbolic link of uid 1000") ||
             (mode == 01777U && contains(outcome.err, "permission denied"))));
      CHECK(place.untouched());
    }
  }
}

CASE("--log takes no file or FIFO of another user in a sticky directory") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Place place;
  const fs::path planted = place.directory / "planted", fifo = place.directory / "fifo";
  write_file(planted, "");
  REQUIRE(mkfifo(fifo.c_str(), 0666) == 0);
  const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  for (const fs::path& path : {planted, fifo}) {
    CAPTURE(path);
    REQUIRE(chown(path.c_str(), kOther, kOther) == 0);
    const Outcome outcome = log_to(path);
    CHECK(contains(outcome.err, "it belongs to uid 1000, in a directory that others can write"));
  }
  CHECK(read_file(planted).empty());
  char byte;
  CHECK(read(reader, &byte, 1) <= 0);
  close(reader);
}

CASE("--log on a FIFO that nobody reads is an error and does not wait") {
  REQUIRES(root());
  EXCLUDES("runc", "waits for a reader");
  EXCLUDES("crun", "waits for a reader");
  const ScratchDirectory directory("fifo");
  const fs::path fifo = directory.path() / "fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_FALSE(log_to(fifo).ok());
}

CASE("--log takes what engines and shells pass: files, pipes, descriptors, links of one's own") {
  REQUIRES(root());
  Place place;
  const fs::path own = place.directory / "own", of_other = place.vault / "of other";
  link_of(0, place.vault / "through own link", own);
  write_file(of_other, "");
  REQUIRE(chown(of_other.c_str(), kOther, kOther) == 0);
  for (const auto& [path, written] :
       {std::pair{place.vault / "file", place.vault / "file"},
        std::pair{own, place.vault / "through own link"}, std::pair{of_other, of_other}}) {
    CAPTURE(path);
    CHECK_FALSE(log_to(path).ok());
    CHECK(tells(read_file(written)));
  }
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const fs::path fifo = place.vault / "fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const std::tuple<std::string, int> kPipes[] = {
      {"/dev/fd/3", ends[0]}, {"/proc/self/fd/3", ends[0]}, {fifo, reader}};
  for (const auto& [path, end] : kPipes) {
    CAPTURE(path);
    CHECK_FALSE(log_to(path, {.extra_fds = {ends[1]}}).ok());
    char text[1024] = {};
    CHECK(read(end, text, sizeof text - 1) > 0);
    CHECK(tells(text));
  }
  for (const int each : {ends[0], ends[1], reader}) close(each);
  CHECK(tells(log_to("/dev/stderr").err));
  CHECK(tells(log_to("/dev/stdout").out));
}

CASE("--log to a pipe that is full and that nobody reads ends the wait by itself") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Place place;
  const fs::path fifo = place.vault / "fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const int writer = open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  const std::string page(4096, 'x');
  while (write(writer, page.data(), page.size()) > 0) {
  }
  CHECK(tells(log_to(fifo).err));
  close(reader);
  close(writer);
}

CASE("--pid-file does not replace what is no file") {
  REQUIRES(root());
  DEVIATES("runc", "replaces it");
  DEVIATES("crun", "writes to it");
  Place place;
  const fs::path fifo = place.vault / "fifo", device = place.vault / "device";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  REQUIRE(mknod(device.c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0);
  const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  for (const fs::path& path : {fifo, device}) {
    CAPTURE(path);
    Bundle bundle;
    Container container(bundle);
    const Outcome outcome = container.create({"--pid-file", path});
    CHECK_FALSE(outcome.ok());
    CHECK(contains(outcome.err, "--pid-file: '" + path.string() + "' is not a regular file"));
    CHECK(container.status().empty());
  }
  CHECK(fs::is_fifo(fifo));
  CHECK(fs::is_character_file(device));
  close(reader);
}

CASE("--pid-file leaves other files alone, and goes where nothing runs") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 leaves the file");
  DEVIATES("crun", "leaves the file");
  Place place;
  const fs::path file = place.vault / "pid", neighbour = place.vault / "pid.tmp";
  write_file(neighbour, "of the caller");
  Bundle bundle;
  write_file(bundle.rootfs() / "no-program",
             "\x7f"
             "ELF");
  fs::permissions(bundle.rootfs() / "no-program", fs::perms::all);
  bundle.set("/process/args", Strings{"/no-program"});
  Container container(bundle);
  CHECK_FALSE(container.run({"--pid-file", file}).ok());
  CHECK_FALSE(fs::exists(file));
  CHECK(read_file(neighbour) == "of the caller");
}

CASE("--pid-file and spec follow no symbolic link of another user") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Place place;
  link_of(kOther, place.victim, place.directory / "file");
  link_of(kOther, place.vault, place.directory / "directory");
  Bundle bundle;
  Container container(bundle);
  const Outcome outcome =
      container.create({"--pid-file", place.directory / "directory" / "victim"});
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "is a symbolic link of uid 1000"));
  CHECK_FALSE(runtime({"spec", "--bundle", place.directory / "directory"}).ok());
  CHECK(place.untouched());
  // The link itself is replaced, as any file is.
  CHECK(container.create({"--pid-file", place.directory / "file"}).ok());
  CHECK(read_file(place.directory / "file") == std::to_string(container.pid()));
  CHECK(place.untouched());
}

TEST_SUITE_END();
