// SPDX-License-Identifier: Apache-2.0
// Where a program without a slash is found: PATH is searched as execvp(3) does, past everything
// that is not a program.
#include "support/suite.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// Puts something in the way of the program at /last/program.
struct Row {
  const char* name;
  std::string path;  // value of PATH
  void (*prepare)(const fs::path& root);
  bool found = true;
  unsigned uid = 0;
  const char* cwd = "/";
  const char* phrase = "executable file not found in $PATH";  // of onggi, where it is not found
  const char *runc = nullptr, *crun = nullptr;                // why one does otherwise
};

void nothing(const fs::path&) {}
void link(const fs::path& root, const char* target) {
  fs::create_symlink(target, root / "first/program");
}
void file(const fs::path& root, mode_t mode) {
  fs::copy_file(root / "last/program", root / "first/program");
  REQUIRE(chmod((root / "first/program").c_str(), mode) == 0);
}

const std::string kLong(5000, 'x');
// With the program's name too long by one byte, which cut off would be /last/program.
const std::string kCut = std::string(4095 - strlen("last/program"), '/') + "last/program" + "x";

constexpr const char* kRelative = "refuses what lies in the working directory";
constexpr const char* kEmpty = "1.8.1 passes over empty items";

const Row kRows[] = {
    {"a directory", "/first:/last",
     [](const fs::path& root) { fs::create_directory(root / "first/program"); }},
    {"a file that is not executable", "/first:/last",
     [](const fs::path& root) { file(root, 0644); }},
    {.name = "another user's file",
     .path = "/first:/last",
     .prepare = [](const fs::path& root) { file(root, 0700); },
     .uid = 1000,
     .runc = "looks with the rights of root",
     .crun = "looks with the rights of root"},
    {"a link to nothing", "/first:/last", [](const fs::path& root) { link(root, "nothing"); }},
    {"a link to itself", "/first:/last", [](const fs::path& root) { link(root, "program"); }},
    {"a link to a directory", "/first:/last", [](const fs::path& root) { link(root, "/bin"); }},
    {.name = "a FIFO",
     .path = "/first:/last",
     .prepare =
         [](const fs::path& root) { REQUIRE(mkfifo((root / "first/program").c_str(), 0777) == 0); },
     .runc = "1.1.5 takes it for a program"},
    {.name = "a closed directory",
     .path = "/first:/last",
     .prepare =
         [](const fs::path& root) {
           file(root, 0755);
           fs::permissions(root / "first", fs::perms{0700});
         },
     .uid = 1000,
     .crun = "looks with the rights of root"},
    {"an item that is a file", "/bin/guest:/last", nothing},
    {"an item that is missing", "/nowhere:/last", nothing},
    {"an item that is a link to itself", "/first/program:/last",
     [](const fs::path& root) { link(root, "program"); }},
    {"an item longer than a path may be", "/" + kLong + ":/last", nothing},
    {"an item with a name that is too long", "/" + kLong.substr(0, 300) + ":/last", nothing},
    {.name = "an empty item is the working directory",
     .path = ":/nowhere",
     .prepare = nothing,
     .cwd = "/last",
     .runc = kRelative,
     .crun = kEmpty},
    {.name = "an empty last item",
     .path = "/nowhere:",
     .prepare = nothing,
     .cwd = "/last",
     .runc = kRelative,
     .crun = kEmpty},
    {.name = "two empty items in the middle",
     .path = "/nowhere:::/first",
     .prepare = nothing,
     .cwd = "/last",
     .runc = kRelative,
     .crun = kEmpty},
    {.name = "a relative item",
     .path = "last:/nowhere",
     .prepare = nothing,
     .cwd = "/",
     .runc = kRelative},
    {"an item with a slash at its end", "/last/", nothing},
    {"an empty item elsewhere", ":/nowhere", nothing, false},
    {.name = "a path that is cut off",
     .path = kCut,
     .prepare = nothing,
     .found = false,
     .phrase = "file name too long",
     .crun = "1.8.1 cuts it off"},
    {"only a directory", "/nowhere:/first",
     [](const fs::path& root) { fs::create_directory(root / "first/program"); }, false, 0, "/",
     "is a directory"},
    {"only a file that is not executable", "/first:/nowhere",
     [](const fs::path& root) { file(root, 0644); }, false, 0, "/", "permission denied"},
    {"only a link to itself", "/first:/nowhere",
     [](const fs::path& root) { link(root, "program"); }, false, 0, "/",
     "too many levels of symbolic links"},
};

struct Image {
  explicit Image(const Row& row) {
    fs::create_directory(bundle.rootfs() / "first");
    fs::create_directory(bundle.rootfs() / "last");
    fs::copy_file(bundle.rootfs() / "bin/guest", bundle.rootfs() / "last/program");
    row.prepare(bundle.rootfs());
    bundle.set("/process/cwd", row.cwd)
        .set("/process/env", Strings{"PATH=" + row.path})
        .set("/process/args", Strings{"program", "echo", "found"})
        .set("/process/user/uid", row.uid);
  }
  Bundle bundle;
};

const char* reason_of(const Row& row) {
  if (runtime_name() == "runc") return row.runc;
  return runtime_name() == "crun" ? row.crun : nullptr;
}

}  // namespace

TEST_SUITE_BEGIN("lookup");

CASE("PATH is searched past what is not a program") {
  REQUIRES(root());
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    const Image image(row);
    const Outcome outcome = run(image.bundle);
    CAPTURE(outcome.err);
    const bool as_wanted = row.found == (outcome.ok() && outcome.out == "found\n");
    if (const char* reason = reason_of(row)) {
      CHECK_FALSE(as_wanted);
      note_deviation(row.name, reason);
      continue;
    }
    CHECK(as_wanted);
    if (is_onggi() && !row.found) CHECK(contains(outcome.err, row.phrase));
  }
}

CASE("exec searches PATH past what is not a program") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  EXCLUDES("crun", "1.8.1 gives /dev/null to the user of an exec");
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    Image image(row);
    image.bundle.set("/process/args", Strings{"/bin/guest", "pause"});
    Container container(image.bundle);
    REQUIRE(container.create().ok());
    REQUIRE(container.start().ok());
    const Outcome outcome = runtime({"exec", container.id(), "program", "echo", "found"});
    CAPTURE(outcome.err);
    const bool as_wanted = row.found == (outcome.ok() && outcome.out == "found\n");
    if (reason_of(row) == nullptr) CHECK(as_wanted);
    CHECK(container.remove(true).ok());
  }
}

// Only the user's group may enter; the root of the container is not above that directory's owner,
// whom its namespace does not know.
CASE("a program that only its user can see is found, by path and by name") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  for (const char* program : {"program", "/first/program"}) {
    CAPTURE(program);
    Bundle bundle;
    bundle.set_namespace("user")
        .set_json("/linux/uidMappings", mapping(0, 100000, 65536))
        .set_json("/linux/gidMappings", mapping(0, 100000, 65536));
    const fs::path first = bundle.rootfs() / "first";
    fs::create_directory(first);
    fs::copy_file(bundle.rootfs() / "bin/guest", first / "program");
    REQUIRE(chown(bundle.rootfs().c_str(), 100000, 100000) == 0);
    REQUIRE(chown(first.c_str(), 4000000, 101000) == 0);
    fs::permissions(first, fs::perms{0750});
    bundle.set("/process/env", Strings{"PATH=/nowhere:/first:/bin"})
        .set("/process/args", Strings{program, "echo", "found"})
        .set("/process/user/uid", 1000)
        .set("/process/user/gid", 1000);
    CHECK(run(bundle).out == "found\n");
  }
}

CASE("the file that stands in the way of a program is named") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  fs::create_directories(bundle.rootfs() / "first/program");
  bundle.set("/process/env", Strings{"PATH=/nowhere:/first:/bin"})
      .set("/process/args", Strings{"program"});
  CHECK(contains(run(bundle).err, "process.args[0]: exec '/first/program': is a directory"));
}

// An interpreter that is missing is not a program that is missing: the search ends there.
CASE("a script without its interpreter is not passed over") {
  REQUIRES(root());
  Bundle bundle;
  fs::create_directory(bundle.rootfs() / "first");
  fs::copy_file(bundle.rootfs() / "bin/guest", bundle.rootfs() / "bin/program");
  write_file(bundle.rootfs() / "first/program", "#!/no/interpreter\n");
  fs::permissions(bundle.rootfs() / "first/program", fs::perms{0755});
  bundle.set("/process/env", Strings{"PATH=/nowhere:/first:/bin"})
      .set("/process/args", Strings{"program", "echo", "found"});
  const Outcome outcome = run(bundle);
  CHECK_FALSE(outcome.ok());
  CHECK(outcome.out.empty());
  if (is_onggi()) CHECK(contains(outcome.err, "interpreter or dynamic loader is missing"));
}

TEST_SUITE_END();
