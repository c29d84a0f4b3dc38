// SPDX-License-Identifier: Apache-2.0
// What the commands print: the state document, list, spec, features, --version, the rules for
// container ids.
#include "integration/executed.h"
#include "support/suite.h"

#include <algorithm>
#include <regex>

using namespace onggi::test;

TEST_SUITE_BEGIN("info");

CASE("the state document has everything that engines read") {
  REQUIRES(root());
  Bundle bundle;
  bundle.set_json("/annotations", R"({"com.example.key": "value", "b": "2"})");
  Container container(bundle);
  REQUIRE(container.create().ok());
  const Outcome outcome = container.state();
  CHECK(outcome.err.empty());
  if (is_onggi()) CHECK(outcome.out.ends_with("\n"));
  const rapidjson::Document state = container.document();
  for (const std::string key :
       {"ociVersion", "id", "status", "pid", "bundle", "annotations", "created"}) {
    CAPTURE(key);
    REQUIRE(state.HasMember(key));
  }
  CHECK(std::regex_match(state["ociVersion"].GetString(),
                         std::regex("1\\.[0-9]+\\.[0-9]+(-[a-z0-9.+]+)?")));
  CHECK(state["id"].GetString() == container.id());
  CHECK(std::string(state["status"].GetString()) == "created");
  CHECK(state["pid"].GetInt() > 1);
  CHECK(state["bundle"].GetString() == bundle.path().string());
  CHECK(std::string(state["annotations"]["com.example.key"].GetString()) == "value");
  CHECK(std::regex_match(
      state["created"].GetString(),
      std::regex("2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?Z")));
}

CASE("the state document names the rootfs and the owner") {
  REQUIRES(root());
  DEVIATES("crun", "prints the rootfs as the config has it");
  Bundle bundle;
  Container container(bundle);
  REQUIRE(container.create().ok());
  const rapidjson::Document state = container.document();
  REQUIRE(state.HasMember("rootfs"));
  CHECK(state["rootfs"].GetString() == bundle.rootfs().string());
  CHECK(state.HasMember("owner"));
}

CASE("the pid of a stopped container is 0") {
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK(container.kill("KILL").ok());
  CHECK(container.wait_status("stopped"));
  CHECK(container.pid() == 0);
}

CASE("list shows every container as a table, as JSON and as ids") {
  REQUIRES(root());
  Bundle bundle;
  Container first(bundle), second(bundle);
  REQUIRE(first.create().ok());
  REQUIRE(second.create().ok());
  const Outcome table = runtime({"list"});
  CHECK(table.ok());
  REQUIRE(lines(table.out).size() == 3);
  for (const std::string title : {"PID", "STATUS", "BUNDLE", "CREATED", "OWNER"})
    CHECK(contains(lines(table.out)[0], title));
  CHECK(contains(table.out, first.id()));
  CHECK(contains(table.out, "created"));
  const rapidjson::Document list = parse_json(runtime({"list", "--format", "json"}).out);
  REQUIRE(list.IsArray());
  REQUIRE(list.Size() == 2);
  for (const std::string key : {"id", "pid", "status", "bundle", "created", "owner"})
    CHECK(list[0].HasMember(key));
  Strings ids = lines(runtime({"list", "-q"}).out);
  if (!is_onggi()) std::sort(ids.begin(), ids.end());
  CHECK(ids == Strings{first.id(), second.id()});
}

CASE("list without containers is empty") {
  REQUIRES(root());
  const Outcome ids = runtime({"list", "-q"});
  CHECK(ids.ok());
  CHECK(ids.out.empty());
  const Outcome json = runtime({"list", "-f", "json"});
  CHECK(json.ok());
  if (!is_onggi()) return;
  CHECK(json.out == "[]\n");
}

CASE("list of a root that does not exist is empty, and does not make it") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 makes it");
  DEVIATES("crun", "makes it");
  const ScratchDirectory directory("root");
  const std::string missing = (directory.path() / "missing").string();
  const Outcome outcome = run_program({runtime_path(), "--root", missing, "list", "-q"});
  CHECK(outcome.ok());
  CHECK(outcome.out.empty());
  CHECK_FALSE(std::filesystem::exists(missing));
}

CASE("list refuses an unknown format") {
  REQUIRES(root());
  CHECK_FALSE(runtime({"list", "--format", "yaml"}).ok());
}

CASE("ids outside the allowed characters are refused (checklist 29)") {
  REQUIRES(root());
  DEVIATES("crun", "allows everything but a slash");
  Bundle bundle;
  bundle.write();
  const std::string base = bundle.path().string();
  for (const std::string id :
       {"", ".", "..", "a/b", "../escape", "a b", "a\nb", "a:b", "한글", "a$b"}) {
    CAPTURE(id);
    const Outcome outcome = runtime({"create", "--bundle", base, id});
    CHECK_FALSE(outcome.ok());
    if (outcome.ok()) (void)runtime({"delete", "--force", id});
  }
  CHECK_FALSE(std::filesystem::exists(state_root().parent_path() / "escape"));
}

CASE("an id of 256 bytes is refused, and what it left is nothing (checklist 29)") {
  REQUIRES(root());
  Bundle bundle;
  bundle.write();
  CHECK_FALSE(runtime({"create", "--bundle", bundle.path().string(), std::string(256, 'a')}).ok());
}

CASE("ids of letters, digits and _+-. are accepted") {
  REQUIRES(root());
  Bundle bundle;
  bundle.write();
  for (const std::string suffix : {"A", "_a", "+b", "-c", ".d", "0"}) {
    const std::string id = tag() + suffix;
    CAPTURE(id);
    CHECK(runtime({"create", "--bundle", bundle.path().string(), id}).ok());
    CHECK(runtime({"delete", "--force", id}).ok());
  }
}

CASE("ids as long as a file name may be work, though no socket path holds them (checklist 29)") {
  REQUIRES(root());
  Bundle bundle;
  bundle.write();
  for (const size_t size : {107U, 108U, 200U, 255U}) {
    CAPTURE(size);
    const std::string id = tag() + std::string(size - tag().size(), 'x');
    CHECK(runtime({"create", "--bundle", bundle.path().string(), id}).ok());
    CHECK(runtime({"state", id}).ok());
    CHECK(runtime({"start", id}).ok());
    CHECK(runtime({"delete", "--force", id}).ok());
  }
}

CASE("--timing says in one line where the time of a command went") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  bundle.guest({"echo", "hello"});
  bundle.write();
  const Strings words = {"run", "--bundle", bundle.path().string(), tag() + "-timed"};
  Strings timed = {"--timing"};
  timed.insert(timed.end(), words.begin(), words.end());
  const Outcome outcome = runtime(timed);
  REQUIRE(outcome.ok());
  CHECK(outcome.out == "hello\n");
  // Phases, and what they add up to.
  const std::regex line(
      "timing in ms \\(running\\): start [0-9.]+ \\([0-9.]+\\)(, [a-z ]+ [0-9.]+ \\([0-9.]+\\))+"
      ", whole [0-9.]+ \\([0-9.]+\\)\n");
  CHECK_MESSAGE(std::regex_match(outcome.err, line), outcome.err);
  for (const char* phase : {", config ", ", clone ", ", init ", ", program "})
    CHECK(outcome.err.find(phase) != std::string::npos);
  CHECK(runtime(words).err.empty());
}

CASE("spec writes a config that runs") {
  REQUIRES(root());
  Bundle bundle;
  Spawn spawn;
  spawn.directory = bundle.path().string();
  REQUIRE(run_program({runtime_path(), "spec"}, spawn).ok());
  std::string text = read_file(bundle.config());
  const auto replace = [&text](std::string_view from, std::string_view to) {
    const size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
  };
  replace("\"sh\"", R"("/bin/guest", "echo", "spec runs")");
  replace("\"terminal\": true", "\"terminal\": false");
  bundle.raw(text);
  CHECK(run(bundle).out == "spec runs\n");
}

CASE("spec refuses to overwrite a config") {
  REQUIRES(root());
  Bundle bundle;
  bundle.raw("precious").write();
  const Outcome outcome = run_program({runtime_path(), "spec", "--bundle", bundle.path().string()});
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "config.json"));
  CHECK(contains(outcome.err, "exist"));
  CHECK(read_file(bundle.config()) == "precious");
}

CASE("spec --bundle writes into that directory") {
  const ScratchDirectory directory("spec");
  CHECK(run_program({runtime_path(), "spec", "--bundle", directory.path().string()}).ok());
  CHECK(parse_json(read_file(directory.path() / "config.json")).HasMember("ociVersion"));
}

CASE("features is a JSON document for any user, with silent standard error (checklist 4)") {
  REQUIRES(root());
  DEVIATES("crun", "version 1.8.1 has no features command");
  Spawn spawn;
  SUBCASE("root") {}
  SUBCASE("an ordinary user") {
    DEVIATES("runc", "1.1.5 wants a state root that it can write");
    spawn.user = 4242;
  }
  const Outcome outcome = run_program({runtime_path(), "features"}, spawn);
  CHECK(outcome.ok());
  CHECK(outcome.err.empty());
  const rapidjson::Document features = parse_json(outcome.out);
  for (const std::string key :
       {"ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux"}) {
    CAPTURE(key);
    CHECK(features.HasMember(key));
  }
  if (!is_onggi()) return;
  bool rro = false;
  for (const auto& option : features["mountOptions"].GetArray())
    rro |= std::string(option.GetString()) == "rro";
  CHECK(rro);
  bool user = false;
  for (const auto& name : features["linux"]["namespaces"].GetArray())
    user |= std::string(name.GetString()) == "user";
  CHECK(user);
}

CASE("--version prints name, commit and spec, a line each (checklist 4)") {
  for (const std::string flag : {"--version", "-v"}) {
    const Outcome outcome = run_program({runtime_path(), flag});
    if (!is_onggi() && std::string(flag) == "-v") continue;
    CHECK(outcome.ok());
    CHECK(outcome.err.empty());
    const Strings printed = lines(outcome.out);
    REQUIRE(printed.size() >= 3);
    CHECK(printed[0].starts_with(runtime_name() + " version "));
    CHECK(printed[1].starts_with("commit: "));
    if (is_onggi()) CHECK(printed[2] == "spec: 1.3.0");
  }
}

CASE("an unknown command or flag is an error") {
  REQUIRES(root());
  for (const Strings& arguments :
       {Strings{"no-such-command"}, Strings{"state", "--no-such-flag", "x"}, Strings{"state"},
        Strings{"create"}, Strings{"--no-such-flag", "list"}}) {
    CAPTURE(arguments[0]);
    const Outcome outcome = runtime(arguments);
    if (runtime_name() == "runc" && arguments[0] == "no-such-command")
      continue;  // prints help and succeeds
    CHECK_FALSE(outcome.ok());
  }
}

CASE("a command line of other tools, or in the wrong order, comes with the cure") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const std::pair<Strings, const char*> cases[] = {
      {{"run", "--root", "/x", "web"},
       "--root must come before the command: onggi --root DIR run ..."},
      {{"state", "--debug", "web"},
       "--debug must come before the command: onggi --debug state ..."},
      {{"list", "--log-format=json"}, "--log-format must come before the command"},
      {{"kill", "--nothing", "web"}, "(try 'onggi kill --help')"},
      {{"kill", "-s", "KILL", "web"}, "(the signal is an argument: onggi kill ID KILL)"},
      {{"kill", "-9", "web"}, "(the signal is an argument: onggi kill ID KILL)"},
      {{"kill", "-KILL", "web"}, "(the signal is an argument: onggi kill ID KILL)"},
      {{"kill", "--signal=9", "web"}, "(the signal is an argument: onggi kill ID KILL)"},
      {{"rm", "web"}, "(use 'onggi delete')"},
      {{"version"}, "(use 'onggi --version')"},
      {{"list", "--root"}, "--root must come before the command"},
      {{"run", "--bundle", "", "web"}, "--bundle must not be empty"},
      {{"run", "--config=", "web"}, "--config must not be empty"},
      {{"exec", "--user", "", "web", "id"}, "--user must not be empty"},
      {{"update", "--memory", "", "web"}, "--memory must not be empty"},
      {{"update", "--memory", "10x", "web"},
       "--memory: '10x' is not a valid value (a number of bytes, or with k, m, g; -1: unlimited)"},
      {{"--root", "", "list"}, "--root must not be empty"},
      {{"--log=", "list"}, "--log must not be empty"},
  };
  for (const auto& [words, wanted] : cases) {
    CAPTURE(wanted);
    Strings command = {runtime_path()};
    command.insert(command.end(), words.begin(), words.end());
    const Outcome outcome = run_program(command);
    CHECK_FALSE(outcome.ok());
    CHECK_MESSAGE(contains(outcome.err, wanted), outcome.err);
  }
}

CASE("pause of a paused container says so") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Running running;
  running.start();
  REQUIRE(runtime({"pause", running.container.id()}).ok());
  const Outcome again = runtime({"pause", running.container.id()});
  CHECK(again.status == 1);
  CHECK_MESSAGE(contains(again.err, "container is already paused"), again.err);
  REQUIRE(runtime({"resume", running.container.id()}).ok());
}

CASE("--log collects the error as one JSON object (checklist 8)") {
  REQUIRES(root());
  Bundle bundle;
  const std::string log = (bundle.path() / "log").string();
  const Outcome outcome =
      runtime({"--log", log, "--log-format", "json", "state", tag() + "-nobody"});
  CHECK_FALSE(outcome.ok());
  CHECK(lines(read_file(log)).size() == 1);
  const rapidjson::Document entry = parse_json(read_file(log));
  REQUIRE(entry.HasMember("level"));
  REQUIRE(entry.HasMember("msg"));
  CHECK(entry.HasMember("time"));
  CHECK(std::string(entry["level"].GetString()) == "error");
  if (runtime_name() != "crun") CHECK(contains(entry["msg"].GetString(), "does not exist"));
}

CASE("a debug log tells of the host, each step, cgroup writes and hooks, with command and id") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  const std::string log = (bundle.path() / "log").string();
  bundle.set("/linux/resources/pids/limit", 77).guest({"echo", "out"});
  bundle.set_json("/hooks", R"({"prestart": [{"path": "/bin/true"}]})");
  bundle.write();
  const std::string id = tag() + "-debug";
  const Outcome outcome = runtime({"--debug", "--log", log, "--log-format", "json", "run",
                                   "--bundle", bundle.path().string(), id});
  CHECK(outcome.ok());
  CHECK(outcome.out == "out\n");
  CHECK(outcome.err == "");  // the container's
  std::string messages;
  for (const std::string& line : lines(read_file(log))) {
    const rapidjson::Document entry = parse_json(line);
    CHECK(std::string(entry["level"].GetString()) == "debug");
    CHECK(std::string(entry["command"].GetString()) == "run " + id);
    messages.append(entry["msg"].GetString()).append("\n");
  }
  CHECK(messages.starts_with("host: user "));
  CHECK(contains(messages, "cgroup: wrote '77' to /sys/fs/cgroup/"));
  CHECK(contains(messages, "hooks.prestart: '/bin/true' ended after "));
  CHECK(contains(messages, "applied: mounts[0]: "));
  CHECK(contains(messages, "applied: root: pivot_root\n"));
  CHECK(runtime({"run", "--bundle", bundle.path().string(), id}).err == "");
}

CASE("a missing bundle directory is named") {
  REQUIRES(root());
  const Outcome outcome = runtime({"create", "--bundle", "/no/such/bundle", tag() + "-x"});
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "o such file or directory"));
  if (is_onggi()) CHECK(contains(outcome.err, "/no/such/bundle"));
}

CASE("a bundle without config.json is an error that names the file") {
  REQUIRES(root());
  const ScratchDirectory directory("empty");
  const Outcome outcome = runtime({"create", "--bundle", directory.path().string(), tag() + "-x"});
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "config.json"));
}

TEST_SUITE_END();
