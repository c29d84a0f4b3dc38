// SPDX-License-Identifier: Apache-2.0
// Documents that no runtime may run. Each gives one line on standard error that names the place in
// config.json, exit status 1, and leaves nothing. The rows hold for the rivals too, except for the
// place and where a reason is given.
#include "support/suite.h"

#include <sys/stat.h>

#include <tuple>

using namespace onggi::test;

namespace {

// kCrunHarms: not run there, as it mounts on the host.
enum AcceptedBy : unsigned { kNone = 0, kRunc = 1, kCrun = 2, kBoth = 3, kCrunHarms = 4 };

struct Row {
  std::string pointer;             // where the value goes, as a JSON pointer
  std::string value;               // JSON; empty: the member is erased
  std::string place;               // what onggi's error must name
  AcceptedBy accepted_by = kNone;  // the rivals that run the document
};

std::string problem_of(const Outcome& outcome, const std::string& place) {
  if (outcome.status != 1) return "exit status " + std::to_string(outcome.status);
  if (outcome.err.empty()) return "nothing on standard error";
  if (!is_onggi()) return "";
  if (lines(outcome.err).size() != 1) return "more than one line: " + outcome.err;
  if (!outcome.err.starts_with("onggi: create " + tag()))
    return "does not start with the command and id: " + outcome.err;
  if (!contains(outcome.err, ": " + place)) return "does not name " + place + ": " + outcome.err;
  if (outcome.err.size() > 1200) return "too long";
  return "";
}

// A row that a rival is known to accept must be accepted by it; otherwise the note is out of date.
void check_row(const Row& row, const std::string& problem) {
  const std::string what = row.pointer + " " + row.value;
  const unsigned rival = runtime_name() == "runc"   ? kRunc
                         : runtime_name() == "crun" ? kCrun
                                                    : kNone;
  CAPTURE(what);
  if ((row.accepted_by & rival) == 0) {
    CHECK(problem == "");
  } else if (problem.empty()) {
    CHECK_MESSAGE(false, "the known deviation is gone: " << what);
  } else {
    note_deviation(what, "accepts it");
  }
}

// The value goes into the text as it stands: no JSON writer would pass a number such as 1e400 on.
std::string document_with(const Row& row) {
  constexpr std::string_view kMark = "\"@value@\"";
  Bundle bundle;
  if (row.value.empty()) return bundle.erase(row.pointer).text();
  std::string text = bundle.set_json(row.pointer, kMark).text();
  return text.replace(text.find(kMark), kMark.size(), row.value);
}

void check_rows(const std::vector<Row>& rows) {
  const Snapshot before;
  for (const Row& row : rows) {
    if (row.accepted_by == kCrunHarms && runtime_name() == "crun") {
      note_deviation(row.pointer + " " + row.value,
                     "not run: takes it for no mount namespace and mounts on the host");
      continue;
    }
    Bundle bundle;
    Container container(bundle.raw(document_with(row)));
    const std::string problem = problem_of(container.create(), row.place);
    if (problem.starts_with("exit status 0")) CHECK(container.remove(true).ok());
    check_row(row, problem);
  }
  if (runtime_name() == "crun" && !before.left_behind().empty()) {
    note_deviation("after refusing a document",
                   "1.8.1 leaves the cgroups of a failed create behind");
    before.clean_up();
  }
}

std::string check_text(const std::string& text, const std::string& place) {
  Bundle bundle;
  Container container(bundle.raw(text));
  const std::string problem = problem_of(container.create(), place);
  if (problem.starts_with("exit status 0")) (void)container.remove(true);
  return problem;
}

}  // namespace

TEST_SUITE_BEGIN("bad_config");

CASE("missing members are named") {
  REQUIRES(root());
  check_rows({
      {"/root", "", "root"},
      {"/root/path", "", "root.path"},
      {"/process/args", "", "process.args", kCrun},
      {"/process/cwd", "", "process.cwd"},
      {"/ociVersion", "", "ociVersion", kRunc},
      {"/mounts/3/destination", "", "mounts[3].destination"},
      {"/linux/namespaces/2/type", "", "linux.namespaces[2].type"},
  });
}

CASE("values of the wrong type are named") {
  REQUIRES(root());
  check_rows({
      {"/process/capabilities/bounding", R"("CAP_KILL")", "process.capabilities.bounding", kCrun},
      {"/process/capabilities/effective/1", "7", "process.capabilities.effective[1]", kCrun},
      {"/process/args", R"("sh")", "process.args", kCrun},
      {"/process/args/1", "null", "process.args[1]", kBoth},
      {"/process/env", "{}", "process.env", kCrun},
      {"/process/user/uid", R"("0")", "process.user.uid", kCrun},
      {"/process/terminal", "1", "process.terminal", kCrun},
      {"/root/readonly", R"("true")", "root.readonly", kCrun},
      {"/mounts", "{}", "mounts"},
      {"/mounts/2/options", R"("ro")", "mounts[2].options", kCrun},
      {"/linux/namespaces", "{}", "linux.namespaces", kCrunHarms},
      {"/linux/maskedPaths/0", "[]", "linux.maskedPaths[0]", kCrun},
      {"/annotations", R"({"a": 1})", "annotations.a"},
      {"/hostname", "[]", "hostname", kCrun},
      {"/linux/resources/memory", "5", "linux.resources.memory", kCrun},
  });
}

CASE("numbers outside their range are named and never wrap") {
  REQUIRES(root());
  check_rows({
      {"/process/user/uid", "-1", "process.user.uid"},
      {"/process/user/uid", "4294967296", "process.user.uid"},
      {"/process/user/gid", "18446744073709551616", "process.user.gid"},
      {"/process/user/uid", "1e400", "config.json:1:"},
      {"/process/user/uid", "1.5", "process.user.uid"},
      {"/process/user/additionalGids", "[0, -5]", "process.user.additionalGids[1]"},
      {"/linux/resources/memory", R"({"limit": 18446744073709551616})",
       "linux.resources.memory.limit"},
      {"/linux/resources/memory", R"({"limit": 1e400})", "config.json:1:"},
      {"/linux/resources/memory", R"({"limit": 1.5})", "linux.resources.memory.limit"},
      {"/linux/resources/pids", R"({"limit": 99999999999999999999})", "linux.resources.pids.limit"},
      {"/process/rlimits/0/hard", "-1", "process.rlimits[0].hard"},
      {"/process/oomScoreAdj", "1001", "process.oomScoreAdj"},
      {"/process/oomScoreAdj", "-1001", "process.oomScoreAdj"},
      {"/linux/resources/cpu", R"({"shares": -1})", "linux.resources.cpu.shares", kCrun},
  });
}

CASE("values that the specification rules out are named") {
  REQUIRES(root());
  check_rows({
      {"/process/cwd", R"("relative")", "process.cwd", kCrun},
      {"/process/cwd", R"("")", "process.cwd"},
      {"/process/args", "[]", "process.args"},
      {"/process/args/0", R"("")", "process.args[0]"},
      {"/process/env/1", R"("NOEQUALS")", "process.env[1]", kCrun},
      {"/process/env/1", R"("=value")", "process.env[1]", kCrun},
      {"/root/path", R"("no-such-rootfs")", "root.path"},
      {"/root/path", R"("config.json")", "root.path"},
      {"/root/path", R"("")", "root.path"},
      {"/process/rlimits/1", R"({"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 512})",
       "process.rlimits[1]", kBoth},
      {"/process/rlimits/0/type", R"("RLIMIT_NOPE")", "process.rlimits[0].type"},
      {"/process/rlimits/0/soft", "2000", "process.rlimits[0]"},
      {"/linux/namespaces/6", R"({"type": "network"})", "linux.namespaces[6]", kCrun},
      {"/linux/namespaces/6", R"({"type": "nope"})", "linux.namespaces[6].type"},
      {"/linux/namespaces/1/path", R"("relative/path")", "linux.namespaces[1].path"},
      {"/linux/uidMappings", R"([{"containerID": 0, "hostID": 1000, "size": 1}])",
       "linux.uidMappings", kBoth},
      {"/linux/timeOffsets", R"({"monotonic": {"secs": 5}})", "linux.timeOffsets", kBoth},
      {"/linux/sysctl", R"({"kernel.no_such_thing": "1"})",
       R"(linux.sysctl["kernel.no_such_thing"])"},
      {"/linux/sysctl", R"({"kernel.hostname": "other"})", R"(linux.sysctl["kernel.hostname"])"},
      {"/linux/maskedPaths/0", R"("relative")", "linux.maskedPaths[0]", kBoth},
      {"/linux/readonlyPaths/0", R"("relative")", "linux.readonlyPaths[0]", kBoth},
      {"/linux/seccomp", R"({"defaultAction": "SCMP_ACT_NOPE"})", "linux.seccomp.defaultAction"},
      {"/linux/seccomp", R"({})", "linux.seccomp.defaultAction", kRunc},
      {"/linux/seccomp",
       R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"}]})",
       "linux.seccomp.syscalls[0].names", kBoth},
      {"/linux/rootfsPropagation", R"("sideways")", "linux.rootfsPropagation", kCrun},
      {"/linux/devices", R"([{"type": "x", "path": "/dev/x", "major": 1, "minor": 1}])",
       "linux.devices[0].type", kCrun},
      {"/linux/devices", R"([{"type": "c", "path": "/dev/x"}])", "linux.devices[0].major", kBoth},
      {"/linux/resources/hugepageLimits", R"([{"pageSize": "../../x", "limit": 1}])",
       "linux.resources.hugepageLimits[0].pageSize"},
      {"/linux/resources/devices/0/access", R"("rwx")", "linux.resources.devices[0].access", kBoth},
      {"/linux/personality", R"({"domain": "WINDOWS"})", "linux.personality.domain", kRunc},
      {"/annotations", R"({"": "empty key"})", "annotations", kBoth},
      {"/ociVersion", R"("not a version")", "ociVersion", kRunc},
      {"/ociVersion", R"("2.0.0")", "ociVersion", kRunc},
      {"/hooks", R"({"poststart": [{"path": "relative"}]})", "hooks.poststart[0].path", kCrun},
      {"/hooks", R"({"prestart": [{"path": "/bin/true", "timeout": 0}]})",
       "hooks.prestart[0].timeout", kCrun},
  });
}

CASE("mounts that cannot be are named") {
  REQUIRES(root());
  check_rows({
      {"/mounts/7",
       R"({"destination": "/x", "source": "/tmp", "options": ["bind", "no-such-option"]})",
       "mounts[7].options[1]", kBoth},
      {"/mounts/7", R"({"destination": "/x", "source": "/tmp", "options": ["bind", "size=5"]})",
       "mounts[7].options[1]", kBoth},
      {"/mounts/7", R"({"destination": "", "type": "tmpfs", "source": "tmpfs"})",
       "mounts[7].destination"},
      {"/mounts/7", R"({"destination": "/x", "options": ["bind"]})", "mounts[7].source", kRunc},
      {"/mounts/7", R"({"destination": "/x", "source": "tmpfs"})", "mounts[7].type"},
      {"/mounts/7", R"({"destination": "/x", "source": "/tmp", "options": ["bind", "idmap"]})",
       "mounts[7]", kRunc},
  });
}

CASE("a namespace that a setting needs is asked for") {
  REQUIRES(root());
  Bundle bundle;
  bundle.drop_namespace("uts");
  const Outcome outcome = create(bundle);
  CHECK(problem_of(outcome, "hostname") == "");
}

CASE("a sysctl of a namespace that the container does not own is named") {
  REQUIRES(root());
  Bundle bundle;
  bundle.drop_namespace("network").set_json("/linux/sysctl", R"({"net.ipv4.ip_forward": "0"})");
  const Outcome outcome = create(bundle);
  CHECK(problem_of(outcome, R"(linux.sysctl["net.ipv4.ip_forward"])") == "");
}

CASE("NUL in a string that the kernel ends at NUL is refused") {
  REQUIRES(root());
  check_rows({
      {"/process/args/1", R"("ex\u0000it")", "process.args[1]", kBoth},
      {"/process/env/1", R"("A=\u0000B")", "process.env[1]", kCrun},
      {"/process/cwd", R"("/\u0000x")", "process.cwd", kCrun},
      {"/root/path", R"("rootfs\u0000x")", "root.path", kCrun},
      {"/mounts/3/destination", R"("/dev\u0000/shm")", "mounts[3].destination"},
      {"/mounts/3/source", R"("shm\u0000")", "mounts[3].source", kCrun},
      {"/hostname", R"("a\u0000b")", "hostname", kBoth},
      {"/linux/maskedPaths/0", R"("/proc\u0000")", "linux.maskedPaths[0]", kCrun},
      {"/linux/cgroupsPath", R"("/a\u0000b")", "linux.cgroupsPath", kCrun},
      {"/linux/namespaces/1/path", R"("/proc/1/ns/net\u0000")", "linux.namespaces[1].path"},
  });
}

CASE("a duplicate key is refused and named") {
  REQUIRES(root());
  DEVIATES("runc", "takes the last one");
  DEVIATES("crun", "takes the last one");
  Bundle bundle;
  std::string text = bundle.text();
  const std::string key = R"("readonly":true)";
  text.replace(text.find(key), key.size(), key + R"(,"readonly":false)");
  CHECK(check_text(text, "root.readonly") == "");
}

CASE("keys in another case are not the known keys") {
  REQUIRES(root());
  DEVIATES("runc", "matches names without regard to case");
  Bundle bundle;
  std::string text = bundle.text();
  text.replace(text.find(R"("root":)"), 7, R"("Root":)");
  CHECK(check_text(text, "root") == "");
}

CASE("unknown members are ignored") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"echo", "runs"})
      .set_json("/process/ofTheFuture", R"({"deep": [1, {"x": null}]})")
      .set("/top", 5);
  const Outcome outcome = run(bundle);
  CHECK(outcome.ok());
  CHECK(outcome.out == "runs\n");
}

CASE("a syntax error is located by line and column") {
  REQUIRES(root());
  struct Sample {
    std::string text, where;
  };
  for (const Sample& sample :
       {Sample{"{\n  \"ociVersion\": \"1.0.2\",\n  oops\n}\n", "3:3"}, Sample{"", "1:1"},
        Sample{"{\n", "2:1"}, Sample{"{}\n{}\n", "2:1"}, Sample{"\xff\xfe{}", "1:1"},
        Sample{"{\"a\": 01}", "1:"}, Sample{"{\"a\": \"\xc3\x28\"}", "1:"}}) {
    CAPTURE(sample.text);
    Bundle bundle;
    const Outcome outcome = create(bundle.raw(sample.text));
    CHECK(outcome.status == 1);
    CHECK_FALSE(outcome.err.empty());
    if (!is_onggi()) continue;
    CHECK(lines(outcome.err).size() == 1);
    CHECK_MESSAGE(contains(outcome.err, "config.json:" + sample.where), outcome.err);
  }
}

CASE("documents that are not an object are refused") {
  REQUIRES(root());
  DEVIATES("runc", "panics with status 2 on null");
  for (const std::string text : {"null", "[]", "5", "\"text\"", "true"}) {
    CAPTURE(text);
    Bundle bundle;
    const Outcome outcome = create(bundle.raw(text));
    CHECK(outcome.status == 1);
    CHECK_FALSE(outcome.err.empty());
  }
}

CASE("ten thousand nested brackets are refused without a crash") {
  REQUIRES(root());
  for (const std::string& bracket : {std::string("["), std::string("{\"a\":")}) {
    std::string deep;
    for (int i = 0; i < 10'000; i++) deep += bracket;
    Bundle bundle;
    const Outcome outcome = create(bundle.raw(deep));
    CHECK(outcome.status == 1);
    CHECK(outcome.err.size() < 2000);
    if (is_onggi()) CHECK(lines(outcome.err).size() == 1);
  }
}

CASE("a file of 50 MiB is refused in one line") {
  REQUIRES(root());
  DEVIATES("runc", "reads it all and ignores the unknown member");
  DEVIATES("crun", "reads it all and ignores the unknown member");
  Bundle bundle;
  std::string text = bundle.text();
  text.insert(text.size() - 1, R"(,"filler":")" + std::string(50U << 20U, 'x') + "\"");
  Container container(bundle.raw(text));
  const Outcome outcome = container.create();
  CHECK(outcome.status == 1);
  CHECK(lines(outcome.err).size() == 1);
  CHECK(contains(outcome.err, "config.json"));
}

CASE("config.json as a directory, a device or a link to nothing is an error") {
  REQUIRES(root());
  for (const std::string target : {"/", "/dev/null", "/no/such/file", "config.json"}) {
    CAPTURE(target);
    Bundle bundle;
    std::filesystem::create_symlink(target, bundle.config());
    const Outcome outcome =
        runtime({"create", "--bundle", bundle.path().string(), tag() + "-link"});
    CHECK(outcome.status == 1);
    CHECK_FALSE(outcome.err.empty());
  }
}

CASE("values of environment variables are never printed") {
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/process/env/1", "hunter2-no-equals-sign");
  const Outcome outcome = create(bundle);
  if (is_onggi()) CHECK_FALSE(contains(outcome.err, "hunter2"));
}

CASE("a misspelt key and an unsupported annotation are told once, and are errors with --strict") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"/linux/maskedPath", "[]", "did you mean \"maskedPaths\"?"},
      {"/linux/noNewPrivileges", "true", "which belongs in process"},
      {"/process/noNewPrivilege", "true", "did you mean \"noNewPrivileges\"?"},
      {"/process/user/username", R"("web")", "process.user.username: has no effect on Linux"},
      {"/annotations", R"({"run.oci.keep_original_groups": "1"})",
       "annotations[\"run.oci.keep_original_groups\"]: is not supported"},
      {"/annotations", R"({"org.criu.config": "/x"})", "annotations[\"org.criu.config\"]"},
      {"/process/capabilities/bounding/-", R"("KILL")",
       "unknown capability \"KILL\", did you mean \"CAP_KILL\"?"},
      {"/env", "[]", "unknown key \"env\", which belongs in process"},
      {"/process/command", "[]", "unknown key \"command\", did you mean \"args\"?"},
  };
  for (const auto& [pointer, value, message] : cases) {
    CAPTURE(pointer);
    Bundle bundle;
    bundle.set_json(pointer, value).guest({"exit", "0"});
    const Outcome outcome = run(bundle);
    CHECK(outcome.ok());
    CHECK(contains(outcome.err, std::string("onggi: warning: ")));
    CHECK(contains(outcome.err, message));
    CHECK(lines(outcome.err).size() == 1);
    bundle.write();
    const std::string path = bundle.path().string();
    for (const char* command : {"create", "run", "plan"}) {
      CAPTURE(command);
      const Outcome strict = runtime({command, "--strict", "--bundle", path, tag() + "-strict"});
      CHECK(strict.status == 1);
      CHECK(contains(strict.err, message));
      CHECK_FALSE(contains(strict.err, "ignoring"));
    }
    const Outcome planned = runtime({"plan", "--bundle", path});
    CHECK(contains(planned.err, "onggi: warning: "));
    CHECK(contains(planned.err, message));
    CHECK_FALSE(contains(planned.out, message));
  }
}

CASE("keys of other systems and of nobody are ignored without a word") {
  REQUIRES(root());
  Bundle bundle;
  bundle.set_json("/windows", R"({"layerFolders": ["C:\\layers"]})")
      .set_json("/vendorExtension", "[1]")
      .guest({"exit", "0"});
  const Outcome outcome = run(bundle);
  CHECK(outcome.ok());
  CHECK(outcome.err.empty());
}

CASE("with --strict every unknown key and a relative destination are errors") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"/vendorExtension", "[1]", "config.json: unknown key \"vendorExtension\""},
      {"/linux/resources/vendor", "1", "linux.resources: unknown key \"vendor\""},
      {"/hooks", R"({"vendor": []})", "hooks: unknown key \"vendor\""},
      {"/mounts/0/destination", R"("proc")", "mounts[0].destination: relative paths"},
      {"/windows", R"({"layerFolders": []})", ""},
      {"/annotations", R"({"vendor": "1"})", ""},
  };
  for (const auto& [pointer, value, message] : cases) {
    CAPTURE(pointer);
    Bundle bundle;
    bundle.set_json(pointer, value).guest({"exit", "0"});
    CHECK(run(bundle).err.empty());
    bundle.write();
    const Outcome strict =
        runtime({"run", "--strict", "--bundle", bundle.path().string(), tag() + "-strict"});
    CHECK(strict.status == (*message == 0 ? 0 : 1));
    CHECK_MESSAGE(contains(strict.err, message), strict.err);
  }
}

CASE("a named pipe, a missing file and a bundle that is a file are told at once, with the cure") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  const std::string path = bundle.path().string();
  const auto plan = [&](const std::string& directory) {
    return runtime({"plan", "--bundle", directory}).err;
  };
  CHECK(contains(plan(path), "onggi spec"));
  REQUIRE(mkfifo(bundle.config().c_str(), 0600) == 0);
  CHECK(contains(plan(path), "is not a regular file"));
  CHECK(contains(plan(bundle.config().string()), "pass the directory"));
}

CASE("a sysctl that the kernel does not have, or whose value it refuses, is named") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const std::tuple<const char*, const char*> cases[] = {
      {R"({"net.foo": "1"})", "linux.sysctl[\"net.foo\"]: unknown sysctl"},
      {R"({"net.ipv4.ip_forward": "yes"})",
       "linux.sysctl[\"net.ipv4.ip_forward\"]: write 'yes': invalid argument"},
  };
  for (const auto& [sysctls, wanted] : cases) {
    Bundle bundle;
    const Outcome outcome = create(bundle.set_json("/linux/sysctl", sysctls));
    CHECK(outcome.status == 1);
    CHECK_MESSAGE(contains(outcome.err, wanted), outcome.err);
  }
}

TEST_SUITE_END();
