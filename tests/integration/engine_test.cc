// SPDX-License-Identifier: Apache-2.0
// What engines read beside the documents: the words of errors, the log, the refusal of what is not
// there. A change here breaks podman, containerd, dockerd or CRI-O, though no user would mind.
#include "support/suite.h"

#include <algorithm>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// docker's client compares with case, and Go's errors begin with a small letter.
std::string as_compared(std::string text) {
  if (is_onggi()) return text;
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool has_one_of(const std::string& text, const Strings& phrases) {
  return std::ranges::any_of(phrases, [&](const std::string& each) {
    return contains(as_compared(text), as_compared(each));
  });
}

// The names of a directory and their contents: equal before and after means that nothing was done.
Strings picture(const fs::path& directory) {
  Strings names;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    names.push_back(entry.path().string() + " " +
                    (entry.is_regular_file() ? read_file(entry.path()) : ""));
  }
  std::ranges::sort(names);
  return names;
}

// A program that cannot be executed, and what dockerd and podman look for to tell 126 from 127.
struct Program {
  const char* name;
  const char* content;  // of /bin/program; nullptr: a directory
  unsigned mode;
  Strings phrases;
};

const Strings kDenied = {"permission denied", "operation not permitted", "is a directory"};
const Strings kMissing = {"no such file or directory", "executable file not found"};

const Program kPrograms[] = {
    {"a directory", nullptr, 0755, kDenied},
    {"a file without the execute bit", "#!/bin/guest\n", 0644, kDenied},
    {"a script without its interpreter", "#!/no/such/interpreter\n", 0755, kMissing},
    {"a file of no known format", "neither\n", 0755, {"exec format error"}},
};

void install(const Bundle& bundle, const Program& program) {
  const fs::path path = bundle.rootfs() / "bin/program";
  if (program.content == nullptr) {
    fs::create_directory(path);
  } else {
    write_file(path, program.content);
  }
  fs::permissions(path, fs::perms{program.mode});
}

// create, then start: the words of whichever fails.
std::string failure_of_life(const Bundle& bundle) {
  Container container(bundle);
  const Outcome created = container.create();
  if (!created.ok()) return created.err;
  const Outcome started = container.start();
  CHECK(container.remove(true).ok());
  return started.ok() ? "" : started.err;
}

void check_unexecutable(Bundle& bundle, const Strings& phrases) {
  bundle.set("/process/args", Strings{"/bin/program"});
  const std::string words = failure_of_life(bundle);
  CAPTURE(words);
  CHECK(has_one_of(words, phrases));
  const Outcome outcome = run(bundle);
  CHECK(outcome.status == 1);
  CHECK(has_one_of(outcome.err, phrases));
  if (!is_onggi()) return;
  CHECK(contains(words, "process.args[0]: "));
  CHECK(contains(words, "'/bin/program'"));
}

// A stopped container.
void stop(Container& container) {
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  REQUIRE(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
}

}  // namespace

TEST_SUITE_BEGIN("engine");

CASE("errors have the words that engines look for (checklist 7)") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 says 'error opening file ...: No such file' of an unknown container");
  const std::string nobody = tag() + "-nobody";
  for (const std::string command : {"state", "start", "kill", "delete"}) {
    CAPTURE(command);
    CHECK(contains(runtime({command, nobody}).err, "does not exist"));
  }
  Bundle bundle;
  Container container(bundle);
  stop(container);
  CHECK(has_one_of(container.kill("KILL").err,
                   {"container not running", "no such process", "process already finished"}));
  CHECK(contains(container.start().err, "cannot start a container that has stopped"));
  Bundle missing;
  CHECK(has_one_of(create(missing.set("/process/args", Strings{"no-such-program"})).err,
                   {"executable file not found in $PATH"}));
  Bundle absolute;
  CHECK(has_one_of(failure_of_life(absolute.set("/process/args", Strings{"/no/such/program"})),
                   kMissing));
  // dockerd adds what to do about a bind mount of a file on a directory.
  Bundle mismatch;
  CHECK(has_one_of(create(mismatch.add_bind("/bin/guest", "/usr")).err, {"not a directory"}));
}

CASE("what cannot be executed is an error that engines understand (checklist 14)") {
  REQUIRES(root());
  DEVIATES("runc", "start succeeds where the kernel finds no interpreter");
  DEVIATES("crun", "start succeeds where the kernel finds no interpreter");
  for (const Program& program : kPrograms) {
    CAPTURE(program.name);
    Bundle bundle;
    install(bundle, program);
    check_unexecutable(bundle, program.phrases);
  }
}

CASE("a program without its dynamic loader is an error that names the cause (checklist 14)") {
  REQUIRES(root());
  REQUIRES((Need{contains(read_file("/bin/true"), "/ld-linux"), "needs a dynamic /bin/true"}));
  DEVIATES("runc", "start succeeds");
  DEVIATES("crun", "start succeeds");
  Bundle bundle;
  fs::copy_file("/bin/true", bundle.rootfs() / "bin/program");
  check_unexecutable(bundle, kMissing);
  if (is_onggi()) CHECK(contains(failure_of_life(bundle), "dynamic loader is missing"));
}

CASE("a log in JSON has the error and no warnings: podman reads it as one object (checklist 8)") {
  REQUIRES(root());
  DEVIATES("runc", "warns of the capability in the log");
  Bundle bundle;
  bundle.set("/process/capabilities/bounding/-", "CAP_OF_THE_FUTURE");
  const std::string log = (bundle.path() / "log").string();
  const auto create_logged = [&](const Container& container) {
    bundle.write();
    return runtime({"--log", log, "--log-format", "json", "create", "--bundle",
                    bundle.path().string(), container.id()});
  };
  {
    const Container container(bundle);
    CHECK(create_logged(container).ok());
    CHECK(read_file(log).empty());
  }
  bundle.set("/process/args", Strings{"/no/such/program"});
  const Container container(bundle);
  CHECK(create_logged(container).status == 1);
  const rapidjson::Document entry = parse_json(read_file(log));
  REQUIRE(entry.HasMember("level"));
  CHECK(std::string(entry["level"].GetString()) == "error");
  CHECK(lines(read_file(log)).size() == 1);
}

CASE("an error of the command line is in the log too (checklist 8)") {
  REQUIRES(root());
  EXCLUDES("runc", "prints it and help to the standard streams alone");
  EXCLUDES("crun", "prints it and help to the standard streams alone");
  const ScratchDirectory directory("log");
  const std::string log = (directory.path() / "log").string();
  for (const Strings& wrong :
       {Strings{"create", "--no-such-flag", "x"}, Strings{"no-such-command"}, Strings{"state"}}) {
    CAPTURE(wrong[0]);
    Strings words = {"--log", log, "--log-format=json"};
    words.insert(words.end(), wrong.begin(), wrong.end());
    CHECK(runtime(words).status == 1);
    CHECK(lines(read_file(log)).size() == 1);
    CHECK(parse_json(read_file(log)).HasMember("msg"));
    fs::remove(log);
  }
}

CASE("checkpoint and restore are refused by name and touch nothing (checklist 40)") {
  REQUIRES(root());
  EXCLUDES("runc", "has them");
  EXCLUDES("crun", "has them");
  Bundle bundle;
  bundle.guest({"pause"});
  Container container(bundle);
  REQUIRE(container.run({"--detach"}).ok());
  REQUIRE(container.wait_output("ready"));
  const ScratchDirectory images("images");
  write_file(images.path() / "dump.log", "of the last time");
  write_file(images.path() / "restore.log", "of the last time");
  const Strings before = picture(images.path());
  const std::string path = images.path().string();
  const Outcome checkpoint = runtime(
      {"checkpoint", "--image-path", path, "--work-path", path, "--leave-running", container.id()});
  CHECK(checkpoint.status == 1);
  CHECK(contains(checkpoint.err, "checkpoint: not supported yet"));
  CHECK(container.status() == "running");
  const Container other(bundle);
  const Outcome restore =
      runtime({"restore", "--detach", "-no-subreaper", "--image-path", path, "--work-path", path,
               "--bundle", bundle.path().string(), other.id()});
  CHECK(restore.status == 1);
  CHECK(contains(restore.err, "restore: not supported yet"));
  CHECK_FALSE(fs::exists(state_root() / other.id()));
  CHECK(picture(images.path()) == before);
}

TEST_SUITE_END();
