// SPDX-License-Identifier: Apache-2.0
// The command line of runc and crun as one: every option of either is there, in every spelling that
// engines use. What an option does is tested where its subject is, here only what has no other
// place.
#include "support/suite.h"

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

void replace(std::string& word, std::string_view name, const std::string& value) {
  if (const size_t at = word.find(name); at != std::string::npos)
    word.replace(at, name.size(), value);
}

// "ID" becomes the id and "DIR" a scratch directory.
Strings filled(Strings words, const std::string& id, const std::string& directory) {
  for (std::string& word : words) {
    replace(word, "ID", id);
    replace(word, "DIR", directory);
  }
  return words;
}

std::string joined(const Strings& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

// A rival knows a part of the whole; its lacks are listed, not failures.
void check_accepted(const Strings& row, const Outcome& outcome) {
  if (!is_onggi()) {
    if (!outcome.ok()) note_deviation(joined(row), "does not know it, or fails with it");
    return;
  }
  CAPTURE(joined(row));
  CAPTURE(outcome.err);
  CHECK(outcome.ok());
}

const Strings kGlobalOptions[] = {
    {"--debug"},
    {"--debug=false"},
    {"--log", "DIR/log"},
    {"--log=DIR/log"},
    {"--log=file:DIR/log"},
    {"--log-format", "text"},
    {"--log-format=json"},
    {"--log-level", "error"},
    {"--log-level=warning"},
    {"--log-level=debug"},
    {"--systemd-cgroup=false"},
    {"--cgroup-manager", "cgroupfs"},
    {"--cgroup-manager=cgroupfs"},
    {"--rootless", "auto"},
    {"--rootless=false"},
    {"--rootless=true"},
};

const Strings kRunOptions[] = {
    {"--config", "config.json"}, {"-f", "config.json"},    {"--pid-file", "DIR/pid"},
    {"--pid-file=DIR/pid"},      {"--no-pivot"},           {"--no-new-keyring"},
    {"--preserve-fds", "0"},     {"--preserve-fds=0"},     {"--no-subreaper"},
    {"-no-subreaper"},           {"--no-subreaper=false"}, {"--keep=false"},
    {"--detach=false"},
};

const Strings kCreateOptions[] = {
    {"--config=config.json"}, {"--pid-file", "DIR/pid"}, {"--no-pivot"},
    {"--no-new-keyring"},     {"--preserve-fds=0"},      {"--no-subreaper"},
};

const Strings kCommandsOfRunning[] = {
    {"state", "ID"},
    {"kill", "ID", "0"},
    {"kill", "ID", "URG"},
    {"kill", "ID", "SIGURG"},
    {"kill", "--all", "ID", "23"},
    {"kill", "-a", "ID", "23"},
    {"kill", "ID", "--all", "23"},
    {"exec", "--cwd", "/", "ID", "guest", "id"},
    {"exec", "--env", "A=b", "ID", "guest", "id"},
    {"exec", "-e", "A=b", "ID", "guest", "id"},
    {"exec", "--tty=false", "ID", "guest", "id"},
    {"exec", "--user", "1:2", "ID", "guest", "id"},
    {"exec", "-u", "1", "ID", "guest", "id"},
    {"exec", "--additional-gids", "7", "ID", "guest", "id"},
    {"exec", "-g", "7", "ID", "guest", "id"},
    {"exec", "--cap", "CAP_KILL", "ID", "guest", "id"},
    {"exec", "-c", "CAP_KILL", "ID", "guest", "id"},
    {"exec", "--no-new-privs", "ID", "guest", "id"},
    {"exec", "--preserve-fds", "0", "ID", "guest", "id"},
    {"exec", "--cgroup", "/", "ID", "guest", "id"},
    {"exec", "--ignore-paused", "ID", "guest", "id"},
    {"exec", "--pid-file", "DIR/pid", "ID", "guest", "id"},
    {"ps", "--format", "json", "ID"},
    {"ps", "-f", "table", "ID"},
    {"ps", "ID", "-o", "pid,args"},
    {"list", "--format=json"},
    {"list", "-f", "table"},
    {"list", "--quiet"},
    {"list", "-q"},
    {"events", "--stats", "ID"},
    {"update", "--cpu-period", "100000", "ID"},
    {"update", "--cpu-quota=50000", "ID"},
    {"update", "--cpu-share", "512", "ID"},
    {"update", "--cpuset-cpus", "0", "ID"},
    {"update", "--cpuset-mems", "0", "ID"},
    {"update", "--memory-reservation", "16777216", "ID"},
    {"update", "--memory", "67108864", "ID"},
    {"update", "--memory", "64m", "ID"},
    {"update", "--pids-limit", "100", "ID"},
    {"pause", "ID"},
    {"resume", "ID"},
    {"features"},
    {"--version"},
    {"-v"},
    {"--help"},
    {"kill", "--regex", "^ID$", "0"},
};

// Where only words are printed, as crun's and as runc's users ask for them.
const Strings kHelp[] = {
    {"--help"}, {"-h"}, {"-?"}, {"--usage"}, {"help"}, {"create", "--help"}, {"create", "-h"},
};

bool accepts(const Bundle& bundle, const Strings& options, const std::string& directory) {
  Container container(bundle);
  return container.create(filled(options, container.id(), directory)).ok();
}

}  // namespace

TEST_SUITE_BEGIN("superset");

CASE("every global option of either rival stands before a command") {
  REQUIRES(root());
  const ScratchDirectory directory("options");
  Bundle bundle;
  for (const Strings& row : kGlobalOptions) {
    Container container(bundle, filled(row, "", directory.path().string()));
    check_accepted(row, container.run());
  }
}

CASE("every option of create and run of either rival is accepted") {
  REQUIRES(root());
  const ScratchDirectory directory("options");
  Bundle bundle;
  for (const Strings& row : kRunOptions) {
    Container container(bundle);
    check_accepted(row, container.run(filled(row, "", directory.path().string())));
  }
  for (const Strings& row : kCreateOptions) {
    Outcome outcome;
    outcome.status = accepts(bundle, row, directory.path().string()) ? 0 : 1;
    check_accepted(row, outcome);
  }
}

CASE("every command of either rival does its work on a running container, with every option") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  const ScratchDirectory directory("options");
  Bundle bundle;
  bundle.guest({"pause"});
  Container container(bundle);
  REQUIRE(container.run({"--detach"}).ok());
  REQUIRE(container.wait_output("ready"));
  for (const Strings& row : kCommandsOfRunning)
    check_accepted(row, runtime(filled(row, container.id(), directory.path().string())));
  CHECK(container.status() == "running");
  CHECK(container.remove(true).ok());
}

CASE("help is printed whoever asks") {
  for (const Strings& row : kHelp) {
    const Outcome outcome = runtime(row);
    check_accepted(row, outcome);
    if (is_onggi()) CHECK(contains(outcome.out, "Usage: onggi "));
  }
}

CASE("without a cgroup manager a container stays in its caller's cgroups") {
  REQUIRES(root());
  EXCLUDES("runc", "has no --cgroup-manager");
  Bundle bundle;
  bundle.guest({"cat", "/proc/self/cgroup"}).drop_namespace("cgroup").erase("/linux/resources");
  Container container(bundle, {"--cgroup-manager", "disabled"});
  const Outcome outcome = container.run();
  CHECK(outcome.err == "");
  CHECK(outcome.out == read_file("/proc/self/cgroup"));
}

CASE("limits without a cgroup manager are refused before anything is made") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  bundle.set("/linux/resources/pids/limit", 10);
  Container container(bundle, {"--cgroup-manager", "disabled"});
  const Outcome outcome = container.create();
  CHECK(outcome.status == 1);
  CAPTURE(outcome.err);
  CHECK(contains(outcome.err, "linux.resources.pids.limit: "));
  CHECK_FALSE(fs::exists(state_root() / container.id()));
}

CASE("--regex means all containers whose ids match") {
  REQUIRES(root());
  EXCLUDES("runc", "has no --regex");
  DEVIATES("crun", "1.8.1 crashes over what is no regular expression");
  Bundle bundle;
  bundle.guest({"pause"});
  Container first(bundle), second(bundle);
  REQUIRE(first.create().ok());
  REQUIRE(second.create().ok());
  const std::string either = "^(" + first.id() + "|" + second.id() + ")$";
  // A regular expression is one only where that was said.
  CHECK(runtime({"kill", either, "KILL"}).status == 1);
  CHECK(runtime({"kill", "--regex", "no such id", "KILL"}).ok());
  CHECK(first.status() == "created");
  const Outcome wrong = runtime({"kill", "--regex", "(" + first.id()});
  CHECK(wrong.status == 1);
  if (is_onggi()) CHECK(contains(wrong.err, "--regex '("));
  CHECK(runtime({"kill", "-r", either, "KILL"}).ok());
  CHECK(first.wait_status("stopped"));
  CHECK(second.wait_status("stopped"));
  CHECK(runtime({"delete", "-r", "^" + second.id() + "$"}).ok());
  CHECK(second.status() == "");
  CHECK(first.status() == "stopped");
  CHECK(runtime({"delete", "--regex", either}).ok());
  CHECK(first.status() == "");
}

CASE("an error of one container does not keep --regex from the others") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  bundle.guest({"pause"});
  Container running(bundle), created(bundle);
  REQUIRE(running.run({"--detach"}).ok());
  REQUIRE(running.wait_output("ready"));
  REQUIRE(created.create().ok());
  const Outcome outcome =
      runtime({"delete", "--regex", "^(" + running.id() + "|" + created.id() + ")$"});
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, running.id() + ": "));
  CHECK(contains(outcome.err, "that is not stopped: running"));
  CHECK(lines(outcome.err).size() == 1);
  CHECK(running.status() == "running");
  CHECK(created.status() == "");
}

CASE("--log takes a file in crun's form, and refuses what is none") {
  REQUIRES(onggi_only());
  const ScratchDirectory directory("log");
  Spawn spawn;
  spawn.directory = directory.path().string();
  CHECK(runtime({"--log", "file:log", "--log-format=json", "state", "nobody"}, spawn).status == 1);
  CHECK(contains(read_file(directory.path() / "log"), "does not exist"));
  fs::remove(directory.path() / "log");
  for (const std::string sink : {"journald:onggi", "syslog:onggi"}) {
    const Outcome outcome = runtime({"--log", sink, "features"}, spawn);
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, "--log '" + sink + "': only files are supported"));
  }
  CHECK(fs::is_empty(directory.path()));
}

CASE("spec --config names the file") {
  REQUIRES(root());
  DEVIATES("runc", "has no such option");
  DEVIATES("crun", "1.8.1 has no such option");
  const ScratchDirectory directory("spec");
  const std::string bundle = directory.path().string();
  CHECK(runtime({"spec", "--bundle", bundle, "--config", "other.json"}).ok());
  CHECK(contains(read_file(directory.path() / "other.json"), "ociVersion"));
  CHECK_FALSE(fs::exists(directory.path() / "config.json"));
}

TEST_SUITE_END();
