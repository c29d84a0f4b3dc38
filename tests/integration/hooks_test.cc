// SPDX-License-Identifier: Apache-2.0
// The six lists of hooks: when and where they run, what they are given, and what becomes of the
// container when one fails. The hooks are the guest program, on the host as in the container; they
// leave their reports in a directory that both see.
#include "support/suite.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <set>

using namespace onggi::test;

namespace {

constexpr const char* kInTrace = "/trace";  // of the container

// What the rivals do differently, in more than one case.
constexpr const char* kPoststartInCreate = "1.1.5 runs poststart hooks at the end of create";
constexpr const char* kPoststartTooEarly =
    "1.8.1 runs poststart at times before startContainer has ended";
constexpr const char* kIgnored = "start succeeds whatever the hook did";

// Options of one hook, beside the report that it writes.
struct Extra {
  Strings then;                               // verbs of the guest behind the report
  std::optional<Strings> env = std::nullopt;  // absent: no "env" at all
  std::optional<unsigned> timeout = std::nullopt;
  std::string argv0 = "guest";
  std::string name = {};  // of the report; else the list's
};

std::string json_list(const Strings& values) {
  std::string json;
  for (const std::string& value : values) json += (json.empty() ? "" : ",") + json_string(value);
  return "[" + json + "]";
}

std::string words(const Strings& list) {
  std::string text;
  for (const std::string& word : list) text += (text.empty() ? "" : " ") + word;
  return text;
}

// A bundle with hooks that report.
class Hooked {
 public:
  Hooked() : trace_("trace") {
    std::filesystem::create_directory(bundle_.rootfs() / "trace");
    bundle_.add_bind(kInTrace, trace_.path());
  }
  Bundle& bundle() { return bundle_; }

  void add(const std::string& point, const Extra& extra = {}) {
    const bool inside = point == "startContainer";
    const std::string path = inside ? "/bin/guest" : (bundle_.rootfs() / "bin/guest").string();
    Strings args = {extra.argv0, "record", inside ? kInTrace : trace_.path().string(),
                    extra.name.empty() ? point : extra.name};
    if (!extra.then.empty()) args.push_back("--");
    args.insert(args.end(), extra.then.begin(), extra.then.end());
    std::string json = R"({"path": )" + json_string(path) + R"(, "args": )" + json_list(args);
    if (extra.env) json += R"(, "env": )" + json_list(*extra.env);
    if (extra.timeout) json += R"(, "timeout": )" + std::to_string(*extra.timeout);
    add_json(point, json + "}");
  }
  void add_json(const std::string& point, const std::string& json) {
    if (points_.insert(point).second) bundle_.set_json("/hooks/" + point, "[]");
    bundle_.set_json("/hooks/" + point + "/-", json);
  }

  // The names of the hooks that have run: "prestart createRuntime".
  std::string order() const { return words(lines(text("order"))); }
  std::string text(const std::string& name) const {
    const auto path = trace_.path() / name;
    return std::filesystem::exists(path) ? read_file(path) : "";
  }
  std::string value(const std::string& name, const std::string& key) const {
    return value_of(text(name), key);
  }
  Strings environment(const std::string& name) const {
    Strings entries;
    for (const std::string& line : lines(text(name))) {
      if (line.starts_with("env ")) entries.push_back(line.substr(4));
    }
    return entries;
  }
  rapidjson::Document state(const std::string& name) const {
    const std::string report = text(name);
    const size_t at = report.find("\nstate\n");
    return parse_json(at == report.npos ? "{}" : std::string_view(report).substr(at + 7));
  }
  std::string status(const std::string& name) const {
    const rapidjson::Document document = state(name);
    return document.HasMember("status") ? document["status"].GetString() : "<none>";
  }
  bool in_namespace(const std::string& name, const std::string& target) const {
    const Strings report = lines(text(name));
    return std::find(report.begin(), report.end(), "ns " + target) != report.end();
  }
  bool has_run(const std::string& name) const { return !text(name).empty(); }
  void forget() { std::filesystem::remove(trace_.path() / "order"); }

 private:
  ScratchDirectory trace_;
  Bundle bundle_;
  std::set<std::string> points_;
};

const Strings kAll = {"prestart",       "createRuntime", "createContainer",
                      "startContainer", "poststart",     "poststop"};
const Strings kOnHost = {"prestart", "createRuntime", "poststart", "poststop"};
const Strings kInContainer = {"createContainer", "startContainer"};
const Strings kOfCreate = {"prestart", "createRuntime", "createContainer"};

void add_all(Hooked& hooked, const Extra& extra = {}) {
  for (const std::string& point : kAll) hooked.add(point, extra);
}

std::string namespace_of(const std::string& process, const std::string& kind) {
  char target[64] = {};
  const std::string path = "/proc/" + process + "/ns/" + kind;
  return readlink(path.c_str(), target, sizeof target - 1) < 0 ? "<none>" : target;
}

// From create to delete, all of which must succeed. The namespaces are those of the created
// container.
struct Life {
  pid_t pid = 0;
  std::string mount_namespace, pid_namespace;
};
Life live(Container& container) {
  Life life;
  const Outcome created = container.create();
  CAPTURE(created.err);
  REQUIRE(created.ok());
  life.pid = container.pid();
  life.mount_namespace = namespace_of(std::to_string(life.pid), "mnt");
  life.pid_namespace = namespace_of(std::to_string(life.pid), "pid");
  const Outcome started = container.start();
  CAPTURE(started.err);
  REQUIRE(started.ok());
  CHECK(container.wait_exit(life.pid) == 0);
  CHECK(container.remove().ok());
  return life;
}

constexpr const char* kFail[] = {"echo", "why it failed", "--", "exit", "7"};
const Extra kFailing = {.then = Strings(std::begin(kFail), std::end(kFail))};

// The error is that of the hook. onggi's names it and has its output.
void check_error(const Outcome& outcome, const std::string& point) {
  CAPTURE(outcome.err);
  CHECK_FALSE(outcome.ok());
  CHECK_FALSE(outcome.err.empty());
  if (!is_onggi()) return;
  CHECK(contains(outcome.err, "hooks." + point + "[0]: "));
  CHECK(contains(outcome.err, "exited with status 7: why it failed"));
  CHECK(lines(outcome.err).size() == 1);
}

void check_failing_start(const std::string& point) {
  Hooked hooked;
  hooked.add(point, kFailing);
  hooked.add("poststop");
  hooked.bundle().guest({"pause"});
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  check_error(container.start(), point);
  CHECK(container.wait_exit(pid) >= 0);
  // runtime.md#lifecycle goes on with step 12, which destroys the container; engines delete what
  // they have created in any case.
  const std::string status = container.status();
  CHECK((status.empty() || status == "stopped"));
  CHECK(container.remove(true).ok());
  CHECK(hooked.order() == point + " poststop");
}

void check_failing_run(const std::string& point) {
  CAPTURE(point);
  Hooked hooked;
  hooked.add(point, kFailing);
  hooked.bundle().guest({"pause"});
  Container container(hooked.bundle());
  check_error(container.run(), point);
  CHECK(container.status().empty());
}

}  // namespace

TEST_SUITE_BEGIN("hooks");

CASE("each operation runs its hooks, in the order of the life cycle") {
  REQUIRES(root());
  DEVIATES("runc", kPoststartInCreate);
  EXCLUDES("crun", kPoststartTooEarly);
  Hooked hooked;
  add_all(hooked);
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  CHECK(hooked.order() == words(kOfCreate));
  const pid_t pid = container.pid();
  hooked.forget();
  REQUIRE(container.start().ok());
  CHECK(hooked.order() == "startContainer poststart");
  CHECK(container.wait_exit(pid) == 0);
  hooked.forget();
  CHECK(container.remove().ok());
  CHECK(hooked.order() == "poststop");
}

CASE("the hooks of a list run in its order") {
  REQUIRES(root());
  for (const std::string& point : kAll) {
    CAPTURE(point);
    Hooked hooked;
    for (const char* name : {"first", "second", "third"}) {
      hooked.add(point, {.then = {}, .name = name});
    }
    Container container(hooked.bundle());
    live(container);
    CHECK(hooked.order() == "first second third");
  }
}

CASE("run runs all hooks") {
  REQUIRES(root());
  DEVIATES("runc", kPoststartInCreate);
  EXCLUDES("crun", kPoststartTooEarly);
  Hooked hooked;
  add_all(hooked);
  CHECK(run(hooked.bundle()).ok());
  CHECK(hooked.order() == words(kAll));
}

CASE("delete --force of a running container runs poststop") {
  REQUIRES(root());
  Hooked hooked;
  hooked.add("poststop");
  hooked.bundle().guest({"pause"});
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  REQUIRE(container.start().ok());
  CHECK(container.remove(true).ok());
  CHECK(hooked.order() == "poststop");
  CHECK(hooked.status("poststop") == "stopped");
}

CASE("delete of a container that was never started runs poststop") {
  REQUIRES(root());
  Hooked hooked;
  hooked.add("poststop");
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  CHECK(container.remove(true).ok());
  CHECK(hooked.order() == "poststop");
}

CASE("hooks run in the namespaces of the runtime or of the container") {
  REQUIRES(root());
  Hooked hooked;
  add_all(hooked);
  Container container(hooked.bundle());
  const Life life = live(container);
  for (const std::string kind : {"mnt", "pid", "net", "uts"}) {
    for (const std::string& point : kOnHost) {
      CAPTURE(point);
      CHECK(hooked.in_namespace(point, namespace_of("self", kind)));
    }
  }
  for (const std::string& point : kInContainer) {
    CAPTURE(point);
    CHECK(hooked.in_namespace(point, life.mount_namespace));
    CHECK(hooked.in_namespace(point, life.pid_namespace));
  }
}

CASE("createContainer runs before the root is changed, with the mounts of config.json") {
  REQUIRES(root());
  Hooked hooked;
  ScratchDirectory host("host");
  const auto file = host.path() / "only-here";
  write_file(file, "yes");
  hooked.add("createContainer",
             {.then = {"cat", file, "--", "cat", hooked.bundle().rootfs() / "proc/self/stat"}});
  Container container(hooked.bundle());
  const Outcome created = container.create();
  CHECK_MESSAGE(created.ok(), created.err);
}

CASE("the path of a startContainer hook is one of the container") {
  REQUIRES(root());
  Hooked hooked;
  hooked.bundle().writable_root();
  std::filesystem::rename(hooked.bundle().rootfs() / "bin/guest",
                          hooked.bundle().rootfs() / "only-inside");
  hooked.add_json("startContainer",
                  R"({"path": "/only-inside", "args": ["guest", "write", "/mark", "yes"]})");
  hooked.bundle().set("/process/args", Strings{"/only-inside", "exit", "0"});
  Container container(hooked.bundle());
  live(container);
  CHECK(read_file(hooked.bundle().rootfs() / "mark") == "yes");
}

CASE("prestart and createRuntime run before the root is changed") {
  REQUIRES(root());
  for (const std::string point : {"prestart", "createRuntime"}) {
    CAPTURE(point);
    Hooked hooked;
    // The root of the container's first process, which the state document names.
    hooked.add_json(point, R"({"path": "/bin/sh", "args": ["sh", "-c",
      "pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/;t;d' | head -n 1); readlink /proc/$pid/root >&2; [ -e /proc/$pid/root/bin/sh ]"],
      "env": ["PATH=/usr/bin:/bin"]})");
    Container container(hooked.bundle());
    const Outcome created = container.create();
    CHECK_MESSAGE(created.ok(), created.err);
  }
}

CASE("the state document tells the status") {
  REQUIRES(root());
  DEVIATES("runc", kPoststartInCreate);
  DEVIATES("crun", "says created where the specification says creating, and starting for created");
  Hooked hooked;
  add_all(hooked);
  Container container(hooked.bundle());
  live(container);
  CHECK(hooked.status("prestart") == "creating");
  CHECK(hooked.status("createRuntime") == "creating");
  CHECK(hooked.status("createContainer") == "creating");
  CHECK(hooked.status("startContainer") == "created");
  CHECK(hooked.status("poststart") == "running");
  CHECK(hooked.status("poststop") == "stopped");
}

CASE("the state document has id, version, bundle and annotations") {
  REQUIRES(root());
  DEVIATES("crun", "the bundle is wrong for startContainer");
  Hooked hooked;
  add_all(hooked);
  hooked.bundle().set_json("/annotations", R"({"org.example.key": "a \"value\""})");
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) {
    CAPTURE(point);
    const rapidjson::Document state = hooked.state(point);
    REQUIRE(state.HasMember("id"));
    CHECK(state["id"].GetString() == container.id());
    REQUIRE(state.HasMember("ociVersion"));
    REQUIRE(state.HasMember("bundle"));
    CHECK(std::string(state["bundle"].GetString()) == hooked.bundle().path().string());
    REQUIRE(state.HasMember("annotations"));
    REQUIRE(state["annotations"].HasMember("org.example.key"));
    CHECK(state["annotations"]["org.example.key"].GetString() == std::string("a \"value\""));
  }
}

CASE("the state document has the pid of the container on the host") {
  REQUIRES(root());
  Hooked hooked;
  add_all(hooked);
  Container container(hooked.bundle());
  const Life life = live(container);
  for (const std::string point : {"prestart", "createRuntime", "poststart"}) {
    CAPTURE(point);
    const rapidjson::Document state = hooked.state(point);
    REQUIRE(state.HasMember("pid"));
    CHECK(state["pid"].GetInt() == life.pid);
  }
}

CASE("the state document of a hook in the container has a pid") {
  REQUIRES(root());
  DEVIATES("crun", "0");
  Hooked hooked;
  add_all(hooked);
  Container container(hooked.bundle());
  const Life life = live(container);
  for (const std::string& point : kInContainer) {
    CAPTURE(point);
    const rapidjson::Document state = hooked.state(point);
    REQUIRE(state.HasMember("pid"));
    const int pid = state["pid"].GetInt();
    CHECK((pid == 1 || pid == life.pid));
  }
}

CASE("a hook has the environment that it is given, and no other") {
  REQUIRES(root());
  Hooked hooked;
  add_all(hooked, {.then = {}, .env = Strings{"B=2", "A=one two"}});
  hooked.bundle().set_json("/process/env/-", R"("FROM_IMAGE=1")");
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) {
    CAPTURE(point);
    CHECK(hooked.environment(point) == Strings{"B=2", "A=one two"});
  }
}

CASE("a hook without env has an empty environment") {
  REQUIRES(root());
  DEVIATES("runc", "passes its own environment on");
  DEVIATES("crun", "passes its own environment on");
  Hooked hooked;
  for (const std::string& point : kAll) {
    if (point != "startContainer") hooked.add(point);
  }
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) {
    CAPTURE(point);
    CHECK(hooked.environment(point).empty());
  }
}

CASE("hooks on the host never have the environment of the container's program") {
  REQUIRES(root());
  DEVIATES("runc", "createContainer hooks have it (CVE-2025-23266)");
  Hooked hooked;
  add_all(hooked);
  hooked.bundle().set_json("/process/env/-", R"("LD_PRELOAD=./evil.so")");
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) {
    if (point == "startContainer") continue;  // a program of the container itself
    CAPTURE(point);
    REQUIRE(hooked.has_run(point));
    for (const std::string& entry : hooked.environment(point)) {
      CHECK_FALSE(entry.starts_with("LD_PRELOAD="));
    }
  }
}

CASE("a hook that runs on the host's files does not run in the container's directory") {
  REQUIRES(root());
  DEVIATES("runc", "createContainer hooks run in the rootfs");
  Hooked hooked;
  add_all(hooked);
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) {
    CAPTURE(point);
    const std::string directory = hooked.value(point, "cwd");
    CHECK(directory.starts_with("/"));
    if (point != "startContainer")
      CHECK_FALSE(directory.starts_with(hooked.bundle().rootfs().string()));
    if (is_onggi() && point != "startContainer") CHECK(directory == hooked.bundle().path());
  }
}

CASE("the first of args is the name that a hook sees of itself") {
  REQUIRES(root());
  Hooked hooked;
  add_all(hooked, {.then = {}, .argv0 = "another-name"});
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) {
    CAPTURE(point);
    CHECK(hooked.value(point, "argv0") == "another-name");
  }
}

CASE("a hook that does not read its input does no harm") {
  REQUIRES(root());
  EXCLUDES("crun", "1.8.1 ends when the hook does not read");
  Hooked hooked;
  // More than a pipe holds.
  hooked.bundle().set("/annotations/org.example.large", std::string(200'000, 'x'));
  for (const std::string& point : kAll) {
    const bool inside = point == "startContainer";
    const std::string path =
        inside ? "/bin/guest" : (hooked.bundle().rootfs() / "bin/guest").string();
    hooked.add_json(point,
                    R"({"path": )" + json_string(path) + R"(, "args": ["guest", "exit", "0"]})");
  }
  Container container(hooked.bundle());
  live(container);
}

CASE("a failing hook makes create fail, and poststop runs") {
  REQUIRES(root());
  DEVIATES("crun", "poststop hooks do not run");
  for (const std::string& point : kOfCreate) {
    CAPTURE(point);
    Hooked hooked;
    hooked.add(point, kFailing);
    hooked.add(point, {.then = {}, .name = "behind"});
    hooked.add("poststop");
    Container container(hooked.bundle());
    check_error(container.create(), point);
    CHECK(container.status().empty());
    CHECK(hooked.order() == point + " poststop");
  }
}

CASE("a failing hook makes create fail and leaves nothing") {
  REQUIRES(root());
  for (const std::string& point : kOfCreate) {
    CAPTURE(point);
    Hooked hooked;
    hooked.add(point, kFailing);
    Container container(hooked.bundle());
    check_error(container.create(), point);
    CHECK(container.status().empty());
    CHECK(descendants().empty());
    CHECK(tagged_cgroups().empty());
    hooked.bundle().erase("/hooks");
    CHECK(container.create().ok());  // the id is free
  }
}

CASE("a hook that fails later does not run the hooks behind it") {
  REQUIRES(root());
  Hooked hooked;
  hooked.add("createRuntime", kFailing);
  hooked.add("createContainer");
  CHECK_FALSE(create(hooked.bundle()).ok());
  CHECK(hooked.order() == "createRuntime");
}

CASE("a failing startContainer hook makes start fail and stops the container") {
  REQUIRES(root());
  DEVIATES("runc", kIgnored);
  DEVIATES("crun", kIgnored);
  check_failing_start("startContainer");
}

CASE("a failing poststart hook makes start fail and stops the container") {
  REQUIRES(root());
  DEVIATES("runc", kPoststartInCreate);
  EXCLUDES("crun", "1.8.1 ignores the failure");
  check_failing_start("poststart");
}

CASE("a failing startContainer hook keeps the program from running") {
  REQUIRES(root());
  DEVIATES("runc", kIgnored);
  DEVIATES("crun", kIgnored);
  Hooked hooked;
  hooked.add("startContainer", kFailing);
  hooked.bundle().guest({"echo", "the program"});
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  CHECK_FALSE(container.start().ok());
  CHECK(container.wait_exit(pid) >= 0);
  CHECK_FALSE(contains(container.output(), "the program"));
}

CASE("run fails with a failing hook and leaves nothing") {
  REQUIRES(root());
  for (const std::string& point : kOfCreate) check_failing_run(point);
  check_failing_run("startContainer");
}

CASE("run fails with a failing poststart hook and leaves nothing") {
  REQUIRES(root());
  EXCLUDES("crun", "1.8.1 ignores the failure");
  check_failing_run("poststart");
}

CASE("a failing poststop hook does not fail delete, and the next one runs") {
  REQUIRES(root());
  DEVIATES("runc", "the first failure ends the list");
  Hooked hooked;
  hooked.add("poststop", kFailing);
  hooked.add("poststop", {.then = {}, .name = "behind"});
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const Outcome removed = runtime({"delete", "--force", container.id()});
  CHECK(removed.ok());
  CHECK(container.status().empty());
  CHECK(hooked.order() == "poststop behind");
  if (is_onggi()) CHECK(contains(removed.err, "hooks.poststop[0]: "));
}

CASE("a hook that takes longer than its timeout is killed and has failed") {
  REQUIRES(root());
  for (const std::string& point : kAll) {
    if (point == "poststop") continue;
    CAPTURE(point);
    Hooked hooked;
    hooked.add(point, {.then = {"sleep", "1000"}, .timeout = 1});
    hooked.bundle().guest({"pause"});
    Container container(hooked.bundle());
    const Outcome outcome = container.run();
    CAPTURE(outcome.err);
    CHECK_FALSE(outcome.ok());
    if (is_onggi()) {
      CHECK(contains(outcome.err, "hooks." + point + "[0]: "));
      CHECK(contains(outcome.err, "did not end within 1 second"));
    }
  }
}

CASE("a process that a hook leaves behind with its output open does not keep create") {
  REQUIRES(root());
  EXCLUDES("runc", "waits for the end of the output");
  Hooked hooked;
  const std::string file = (hooked.bundle().path() / "child.pid").string();
  hooked.add_json("createRuntime", R"({"path": "/bin/sh", "env": ["PATH=/usr/bin:/bin"], "args":
      ["sh", "-c", "sleep 1000 & echo $! >)" +
                                       file + R"("]})");
  Container container(hooked.bundle());
  CHECK(container.create().ok());
  const pid_t child = atoi(read_file(file).c_str());
  REQUIRE(child > 0);
  CHECK(kill(child, SIGKILL) == 0);
}

CASE("the path of a hook that does not exist is in the error") {
  REQUIRES(root());
  for (const std::string& point : kOfCreate) {
    CAPTURE(point);
    Hooked hooked;
    hooked.add_json(point, R"({"path": "/no/such/hook"})");
    const Outcome outcome = create(hooked.bundle());
    CHECK_FALSE(outcome.ok());
    CHECK(contains(outcome.err, "/no/such/hook"));
    if (is_onggi()) CHECK(contains(outcome.err, "hooks." + point + "[0]: "));
  }
}

CASE("a relative path is refused") {
  REQUIRES(root());
  DEVIATES("runc", "looks for it in the working directory");
  DEVIATES("crun", "looks for it in PATH");
  for (const std::string& point : kAll) {
    CAPTURE(point);
    Hooked hooked;
    hooked.add_json(point, R"({"path": "true"})");
    CHECK_FALSE(create(hooked.bundle()).ok());
  }
}

CASE("a timeout of zero or less is refused") {
  REQUIRES(root());
  DEVIATES("runc", "at once");
  DEVIATES("crun", "never");
  for (const char* timeout : {"0", "-1"}) {
    Hooked hooked;
    const std::string path = (hooked.bundle().rootfs() / "bin/guest").string();
    hooked.add_json("poststop", R"({"path": )" + json_string(path) +
                                    R"(, "args": ["guest", "exit", "0"], "timeout": )" + timeout +
                                    "}");
    CHECK_FALSE(create(hooked.bundle()).ok());
  }
}

CASE("hooks are those of config.json at create") {
  REQUIRES(root());
  Hooked hooked;
  add_all(hooked);
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  std::filesystem::remove(hooked.bundle().config());
  CHECK(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(container.remove().ok());
  for (const std::string& point : kAll) {
    CAPTURE(point);
    CHECK(hooked.has_run(point));
  }
}

CASE("the state command works while a hook runs") {
  REQUIRES(root());
  DEVIATES("runc", kPoststartInCreate);
  // A hook that asks for the state of its own container, as hooks of networks do.
  Hooked hooked;
  Container container(hooked.bundle());
  const std::string command =
      runtime_path() + " --root " + state_root().string() + " state " + container.id();
  hooked.add_json("poststart",
                  R"({"path": "/bin/sh", "timeout": 20, "args": ["sh", "-c", )" +
                      json_string(command + " >" + (hooked.bundle().path() / "seen").string()) +
                      "]}");
  hooked.bundle().guest({"pause"});
  REQUIRE(container.create().ok());
  const Outcome started = container.start();
  CHECK_MESSAGE(started.ok(), started.err);
  CHECK(contains(read_file(hooked.bundle().path() / "seen"), "running"));
}

TEST_SUITE_END();
