// SPDX-License-Identifier: Apache-2.0
// Syntax, types, ranges and names: each refusal with its exact place.
#include "spec/names.h"
#include "support.h"

#include <doctest/doctest.h>

#include <ctime>
#include <limits>

using namespace onggi;
using namespace onggi::spec;

namespace {

std::string refusal(std::string_view document) {
  const auto spec = parse(document);
  return spec ? "ok" : line_of(spec.error());
}

}  // namespace

TEST_CASE("a syntax error names line and column of the document as it was written") {
  const Case cases[] = {
      {"", "config.json:1:1: the document is empty"},
      {"  \n ", "config.json:2:2: the document is empty"},
      {"{]", "config.json:1:2: expected a key in quotes"},
      {"{\"a\\\"b\": 1,\n  \"c\" 2}", "config.json:2:7: expected a colon"},
      {"{\"ü\": tru}", "config.json:1:10: expected a value"},
      {"[1 2]", "config.json:1:4: expected a comma or ']'"},
      {"{\"a\": 1 \"b\"}", "config.json:1:9: expected a comma or '}'"},
      {"{} {}", "config.json:1:4: unexpected text after the end of the document"},
      {"{\"a\": \"b", "config.json:1:9: a string has no closing quote"},
      {"{\"a\": \"\\x\"}",
       "config.json:1:8: unknown escape sequence, or a control character in a string"},
      {"{\"a\": \"\\ud800x\"}", "config.json:1:8: incomplete surrogate pair"},
      {"{\"a\": \"\\u00g0\"}", "config.json:1:8: \\u requires four hexadecimal digits"},
      {"{\"a\": \"\xff\"}", "config.json:1:8: invalid UTF-8"},
      {"{\"a\": \"b\xf0", "config.json:1:9: invalid UTF-8"},
      {"{\"a\": 1.}", "config.json:1:9: expected digits after the decimal point"},
      {"{\"a\": 1e}", "config.json:1:9: expected digits in the exponent"},
      {"{// comment\n}", "config.json:1:2: expected a key in quotes"},
      {std::string("{}\0{}", 5), "config.json:1:3: unexpected NUL character"},
  };
  for (const auto& [document, expected] : cases) {
    CAPTURE(document);
    CHECK(refusal(document) == expected);
  }
}

TEST_CASE("too large, too deep") {
  CHECK(refusal(std::string(kMaxDocumentSize + 1, ' ')) ==
        "config.json: is larger than 4194304 bytes");
  CHECK(refusal(std::string(10000, '[')) ==
        "config.json:1:65: objects and arrays are nested too deeply");
  const std::string deepest = "{\"x\": " + std::string(63, '[') + std::string(63, ']') + "}";
  CHECK(refusal(deepest) == "ociVersion: is required");
}

// The CPU time that it takes to find the key of an object of so many that is there twice.
double seconds_of_search(int keys) {
  std::string document = "{";
  for (int i = 0; i < keys; ++i) document.append("\"").append(std::to_string(i)).append("\":0,");
  document += "\"7\":0}";
  const clock_t start = clock();
  CHECK(refusal(document) == "7: duplicate key");
  return static_cast<double>(clock() - start) / CLOCKS_PER_SEC;
}

TEST_CASE("no document is quadratic") {
  // For 16 times the keys: 16 times the time, and caches that no longer suffice. Quadratic would be
  // 256.
  const double few = seconds_of_search(12'500);
  CHECK(seconds_of_search(200'000) < 100 * few);
}

TEST_CASE("keys that are there twice, and NULs, also where nothing is read") {
  const Case cases[] = {
      {document_with(R"("hostname": "a", "hostname": "b")"), "hostname: duplicate key"},
      {document_with(R"("x-vendor": [{"a": {"b": 1, "b": 1}}])"), "x-vendor[0].a.b: duplicate key"},
      {document_with(R"("annotations": {"a.b/c": "", "a.b/c": ""})"),
       "annotations[\"a.b/c\"]: duplicate key"},
      {document_with(R"("hostname": "a\u0000b")"), "hostname: must not contain a NUL character"},
      {document_with(R"("x": ["", "\u0000"])"), "x[1]: must not contain a NUL character"},
      {document_with(R"("linux": {"\u0000": 1})"), "linux: a key must not contain a NUL character"},
  };
  for (const auto& [document, expected] : cases) {
    CAPTURE(document);
    CHECK(refusal(document) == expected);
  }
}

TEST_CASE("wrong types") {
  const Case cases[] = {
      {"[]", "config.json: must be an object"},
      {"{}", "ociVersion: is required"},
      {R"({"ociVersion": 1})", "ociVersion: must be a string"},
      {document_with(R"("mounts": {})"), "mounts: must be an array"},
      {document_with(R"("mounts": [{"destination": "/"}, 7])"), "mounts[1]: must be an object"},
      {document_with(R"("mounts": [{}])"), "mounts[0].destination: is required"},
      {document_with(R"("mounts": [{"destination": "/", "options": "ro"}])"),
       "mounts[0].options: must be an array of strings"},
      {document_with(R"("annotations": {"a": 1})"), "annotations.a: must be a string"},
      {document_with(R"("annotations": [])"), "annotations: must be an object of strings"},
      {document_with(R"("hooks": {"poststop": [{}]})"), "hooks.poststop[0].path: is required"},
      {process_with(R"("terminal": "yes")"), "process.terminal: must be true or false"},
      {process_with(R"("capabilities": {"bounding": "CAP_KILL"})"),
       "process.capabilities.bounding: must be an array of strings"},
      {process_with(R"("capabilities": {"bounding": ["CAP_KILL", 5]})"),
       "process.capabilities.bounding[1]: must be a string"},
      {process_with(R"("env": [null])"), "process.env[0]: must be a string"},
      {process_with(R"("rlimits": [{"type": "RLIMIT_CORE", "soft": 1}])"),
       "process.rlimits[0].hard: is required"},
      {document_with(R"("process": {"args": []})"), "process.cwd: is required"},
      {linux_with(R"("devices": [{"type": "c", "path": "/dev/x", "major": 1}])"),
       "linux.devices[0].minor: is required for a device of type \"c\""},
      {linux_with(R"("netDevices": {"eth0": {"name": 23}})"),
       "linux.netDevices.eth0.name: must be a string"},
      {linux_with(R"("netDevices": [])"), "linux.netDevices: must be an object"},
      {resources_with(R"("rdma": {"m": 1})"), "linux.resources.rdma.m: must be an object"},
      {resources_with(R"("pids": {})"), "linux.resources.pids.limit: is required"},
      {linux_with(R"("seccomp": {})"), "linux.seccomp.defaultAction: is required"},
  };
  for (const auto& [document, expected] : cases) {
    CAPTURE(document);
    CHECK(refusal(document) == expected);
  }
}

TEST_CASE("integers outside their range, and what is no integer") {
  const std::string int64 = "must be an integer from -9223372036854775808 to 9223372036854775807";
  const std::string limit = "linux.resources.memory.limit: " + int64;
  const auto memory = [](std::string_view number) {
    return resources_with(std::string(R"("memory": {"limit": )").append(number).append("}"));
  };
  const Case cases[] = {
      {memory("1.5"), limit},
      {memory("1e3"), limit},
      {"{\"a\": 1e400}",
       "config.json:1:7: the number is too big: integers range from -9223372036854775808 to "
       "18446744073709551615"},
      {memory("9223372036854775808"), limit},
      {memory("-9223372036854775809"), limit},
      {memory("18446744073709551616"), limit},
      {memory("\"1\""),
       "linux.resources.memory.limit: must be a number of bytes without quotes, or -1"},
      {memory("\"512m\""),
       "linux.resources.memory.limit: must be a number of bytes without quotes (512m is "
       "536870912), or -1"},
      {memory("\"much\""), "linux.resources.memory.limit: must be a number of bytes, or -1"},
      {resources_with(R"("hugepageLimits": [{"pageSize": "2MB", "limit": "4m"}])"),
       "linux.resources.hugepageLimits[0].limit: must be a number of bytes without quotes (4m is "
       "4194304)"},
      {process_with(R"("user": {"uid": "1000"})"),
       "process.user.uid: must be an integer from 0 to 4294967295, without quotes"},
      {memory("true"), limit},
      {memory("9223372036854775807"), "ok"},
      {memory("-9223372036854775808"), "ok"},
      {memory("-0"), "ok"},
      {process_with(R"("user": {"uid": -1})"),
       "process.user.uid: must be an integer from 0 to 4294967295"},
      {process_with(R"("user": {"uid": 4294967296})"),
       "process.user.uid: must be an integer from 0 to 4294967295"},
      {process_with(R"("user": {"additionalGids": [1, -2]})"),
       "process.user.additionalGids[1]: must be an integer from 0 to 4294967295"},
      {process_with(R"("oomScoreAdj": 2147483648)"),
       "process.oomScoreAdj: must be an integer from -2147483648 to 2147483647"},
      {process_with(
           R"("rlimits": [{"type": "RLIMIT_CORE", "soft": 1, "hard": 18446744073709551616}])"),
       "process.rlimits[0].hard: must be an integer from 0 to 18446744073709551615"},
      {resources_with(R"("blockIO": {"weight": 65536})"),
       "linux.resources.blockIO.weight: must be an integer from 0 to 65535"},
      {document_with(R"("hooks": {"poststop": [{"path": "/x", "timeout": 0}]})"),
       "hooks.poststop[0].timeout: must be an integer from 1 to 4294967295"},
      {document_with(R"("hooks": {"poststop": [{"path": "/x", "timeout": -1}]})"),
       "hooks.poststop[0].timeout: must be an integer from 1 to 4294967295"},
      {linux_with(R"("timeOffsets": {"realtime": {"secs": 1}})"),
       "linux.timeOffsets: unknown clock \"realtime\""},
      {linux_with(R"("timeOffsets": {"boottime": {"nanosecs": 1000000000}})"),
       "linux.timeOffsets.boottime.nanosecs: must be an integer from 0 to 999999999"},
      {linux_with(R"("devices": [{"type": "p", "path": "/p", "fileMode": 65536}])"),
       "linux.devices[0].fileMode: must be an integer from 0 to 65535"},
  };
  for (const auto& [document, expected] : cases) {
    CAPTURE(document);
    CHECK(refusal(document) == expected);
  }
}

TEST_CASE("64-bit numbers survive") {
  const auto spec = parse(resources_with(
      R"("hugepageLimits": [{"pageSize": "2MB", "limit": 9223372036854772000}, {"pageSize": "1GB", "limit": 18446744073709551615}],
         "memory": {"limit": -1})"));
  REQUIRE(spec);
  const auto& limits = spec.value().linux.resources->hugepage_limits;
  CHECK(limits[0].limit == 9223372036854772000u);
  CHECK(limits[1].limit == std::numeric_limits<uint64_t>::max());
  CHECK(spec.value().linux.resources->memory->limit == -1);
}

TEST_CASE("names out of closed sets") {
  const Case cases[] = {
      {linux_with(R"("namespaces": [{"type": "pid"}, {"type": "uts"}, {"type": "foo"}])"),
       "linux.namespaces[2].type: unknown namespace \"foo\""},
      {process_with(R"("rlimits": [{"type": "RLIMIT_FOO", "soft": 1, "hard": 1}])"),
       "process.rlimits[0].type: unknown resource limit \"RLIMIT_FOO\""},
      {process_with(R"("scheduler": {"policy": "SCHED_ISO"})"),
       "process.scheduler.policy: unknown scheduler policy \"SCHED_ISO\""},
      {process_with(R"("scheduler": {"policy": "SCHED_RR", "flags": ["X"]})"),
       "process.scheduler.flags[0]: unknown scheduler flag \"X\""},
      {process_with(R"("ioPriority": {"class": "X"})"),
       "process.ioPriority.class: unknown I/O priority class \"X\""},
      {linux_with(R"("rootfsPropagation": "x")"),
       "linux.rootfsPropagation: unknown propagation \"x\""},
      {linux_with(R"("personality": {"domain": "X"})"),
       "linux.personality.domain: unknown personality \"X\""},
      {linux_with(R"("personality": {"domain": "LINUX", "flags": ["X"]})"),
       "linux.personality.flags: unknown personality flag \"X\""},
      {linux_with(R"("memoryPolicy": {"mode": "X"})"),
       "linux.memoryPolicy.mode: unknown memory policy \"X\""},
      {linux_with(R"("memoryPolicy": {"mode": "MPOL_BIND", "flags": ["X"]})"),
       "linux.memoryPolicy.flags[0]: unknown memory policy flag \"X\""},
      {linux_with(R"("devices": [{"type": "a", "path": "/x"}])"),
       "linux.devices[0].type: unknown device type \"a\""},
      {resources_with(R"("devices": [{"allow": true, "type": "p"}])"),
       "linux.resources.devices[0].type: unknown device type \"p\""},
      {linux_with(R"("seccomp": {"defaultAction": "X"})"),
       "linux.seccomp.defaultAction: unknown seccomp action \"X\""},
      {seccomp_with(R"("architectures": ["SCMP_ARCH_X86", "X"])"),
       "linux.seccomp.architectures[1]: unknown seccomp architecture \"X\""},
      {seccomp_with(R"("flags": ["X"])"), "linux.seccomp.flags[0]: unknown seccomp flag \"X\""},
      {seccomp_with(
           R"("syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "args": [{"index": 0, "value": 0, "op": "X"}]}])"),
       "linux.seccomp.syscalls[0].args[0].op: unknown seccomp operator \"X\""},
  };
  for (const auto& [document, expected] : cases) {
    CAPTURE(document);
    CHECK(refusal(document) == expected);
  }
}

TEST_CASE("unknown keys are ignored, null is absent, a wrong case is noted") {
  const auto spec = parse(document_with(
      R"("vendor": {"x": [1.5e300]}, "Hostname": "x", "mounts": null,
         "process": {"cwd": "/", "ARGS": [], "args": null, "capabilities": {"ambient": null}})"));
  REQUIRE(spec);
  CHECK(spec.value().hostname.empty());
  CHECK(spec.value().mounts.empty());
  REQUIRE(spec.value().ignored.size() == 2);
  CHECK(spec.value().ignored[0] ==
        "config.json: unknown key \"Hostname\", did you mean \"hostname\"?");
  CHECK(spec.value().ignored[1] == "process: unknown key \"ARGS\", did you mean \"args\"?");
  CHECK(refusal(document_with(R"("process": {"cwd": null})")) == "process.cwd: is required");
}

TEST_CASE("a misspelt key is noted with the key that was meant, an unknown one is not") {
  const auto noted = [](std::string_view members) {
    const auto spec = parse(document_with(members));
    REQUIRE(spec);
    return spec.value().ignored.empty() ? "" : spec.value().ignored[0];
  };
  const std::pair<const char*, const char*> cases[] = {
      {R"("process": {"cwd": "/", "noNewPrivilege": true})",
       "process: unknown key \"noNewPrivilege\", did you mean \"noNewPrivileges\"?"},
      {R"("linux": {"maskedPath": []})",
       "linux: unknown key \"maskedPath\", did you mean \"maskedPaths\"?"},
      {R"("linux": {"resources": {"memory": {"limitt": 1}}})",
       "linux.resources.memory: unknown key \"limitt\", did you mean \"limit\"?"},
      {R"("mounts": [{"destination": "/a", "option": []}])",
       "mounts[0]: unknown key \"option\", did you mean \"options\"?"},
      {R"("linux": {"noNewPrivileges": true})",
       "linux: unknown key \"noNewPrivileges\", which belongs in process"},
      {R"("seccomp": {})", "config.json: unknown key \"seccomp\", which belongs in linux"},
      {R"("linux": {"memory": {}})",
       "linux: unknown key \"memory\", which belongs in linux.resources"},
      {R"("linux": {"hostname": "x"})",
       "linux: unknown key \"hostname\", which belongs in config.json itself"},
      {R"("process": {"cwd": "/", "user": {"username": "web"}})",
       "process.user.username: has no effect on Linux; set uid and gid"},
      {R"("process": {"cwd": "/", "user": {"username": ""}})", ""},
      {R"("env": [])", "config.json: unknown key \"env\", which belongs in process"},
      {R"("cmd": [])", "config.json: unknown key \"cmd\", which belongs in process as \"args\""},
      {R"("process": {"cwd": "/", "Command": []})",
       "process: unknown key \"Command\", did you mean \"args\"?"},
      {R"("vendor": {"command": 1})", ""},
      {R"("process": {"cwd": "/", "capabilities": {"bounding": ["CAP_KILL", "KILL"]}})",
       "process.capabilities.bounding[1]: unknown capability \"KILL\", did you mean \"CAP_KILL\"?"},
      {R"("process": {"cwd": "/", "capabilities": {"ambient": ["cap_sys_admn"]}})",
       "process.capabilities.ambient[0]: unknown capability \"cap_sys_admn\", did you mean "
       "\"CAP_SYS_ADMIN\"?"},
      {R"("process": {"cwd": "/", "capabilities": {"ambient": ["everything"]}})",
       "process.capabilities.ambient[0]: unknown capability \"everything\""},
      {R"("windows": {}, "vm": {}, "solaris": {}, "zos": {}, "vendor": 1, "x-limits": {})", ""},
  };
  for (const auto& [members, note] : cases) {
    CAPTURE(members);
    CHECK(noted(members) == note);
  }
  const auto missing = parse(document_with(R"("process": {"cdw": "/"})"));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().place.view() == "process.cwd");
  CHECK(missing.error().hint.view() == "rename \"cdw\"");
}

TEST_CASE("the first unknown key is kept for --strict, but those of other systems") {
  const auto unknown = [](std::string_view members) {
    const auto spec = parse(document_with(members));
    REQUIRE(spec);
    return spec.value().unknown_key;
  };
  CHECK(unknown(R"("vendor": 1, "other": 2)") == "config.json: unknown key \"vendor\"");
  CHECK(unknown(R"("hooks": {"poststop": [{"path": "/a", "user": "x"}]})") ==
        "hooks.poststop[0]: unknown key \"user\"");
  CHECK(unknown(R"("linux": {"windows": {}})") == "linux: unknown key \"windows\"");
  CHECK(unknown(R"("windows": {"x": 1}, "vm": {}, "solaris": {}, "zos": {}, "freebsd": {},
                   "annotations": {"vendor": "1"}, "linux": {"sysctl": {"a": "1"}})")
            .empty());
}

TEST_CASE("a name out of a closed set that is unknown comes with the one that was meant") {
  const auto hint = [](std::string_view members) {
    const auto spec = parse(document_with(members));
    REQUIRE_FALSE(spec);
    return std::string(spec.error().hint.view());
  };
  const auto process = [](std::string_view member) {
    return R"("process": {"cwd": "/", )" + std::string(member) + "}";
  };
  const auto linux_object = [](std::string_view member) {
    return R"("linux": {)" + std::string(member) + "}";
  };
  const std::pair<std::string, const char*> cases[] = {
      {linux_object(R"("namespaces": [{"type": "mnt"}])"), "did you mean \"mount\"?"},
      {linux_object(R"("namespaces": [{"type": "net"}])"), "did you mean \"network\"?"},
      {linux_object(R"("namespaces": [{"type": "PID"}])"), "did you mean \"pid\"?"},
      {linux_object(R"("namespaces": [{"type": "everything"}])"),
       "one of: cgroup, ipc, mount, network, pid, time, user, uts"},
      {process(R"("rlimits": [{"type": "nofile", "soft": 1, "hard": 1}])"),
       "did you mean \"RLIMIT_NOFILE\"?"},
      {process(R"("scheduler": {"policy": "FIFO"})"), "did you mean \"SCHED_FIFO\"?"},
      {process(R"("ioPriority": {"class": "rt"})"), "did you mean \"IOPRIO_CLASS_RT\"?"},
      {linux_object(R"("seccomp": {"defaultAction": "errno"})"),
       "did you mean \"SCMP_ACT_ERRNO\"?"},
      {linux_object(
           R"("seccomp": {"defaultAction": "SCMP_ACT_KILL", "architectures": ["x86_64"]})"),
       "did you mean \"SCMP_ARCH_X86_64\"?"},
      {linux_object(R"("seccomp": {"defaultAction": "SCMP_ACT_KILL", "architectures": ["arm64"]})"),
       "did you mean \"SCMP_ARCH_AARCH64\"?"},
      {linux_object(R"("memoryPolicy": {"mode": "bind"})"), "did you mean \"MPOL_BIND\"?"},
      {linux_object(R"("personality": {"domain": "linux32"})"), "did you mean \"LINUX32\"?"},
  };
  for (const auto& [members, wanted] : cases) {
    CAPTURE(members);
    CHECK(hint(members) == wanted);
  }
}

TEST_CASE("what other dialects of JSON have comes with the cure") {
  const std::pair<const char*, const char*> cases[] = {
      {"{\"a\": 1, // one\n}", "JSON has no comments: remove it"},
      {"/* web */ {}", "JSON has no comments: remove it"},
      {"{\"a\": 1,\n # one\n}", "JSON has no comments: remove it"},
      {"\xef\xbb\xbf{}", "save the file as UTF-8 without a byte order mark"},
      {"{\"a\": 1,\n}", "remove the comma before it"},
      {"{\"a\": [1, ]}", "remove the comma before it"},
      {"{'a': 1}", "JSON has strings in double quotes only"},
      {"{a: 1}", ""},
  };
  for (const auto& [document, cure] : cases) {
    CAPTURE(document);
    const auto spec = parse(document);
    REQUIRE_FALSE(spec);
    CHECK(spec.error().hint.view() == cure);
  }
}

TEST_CASE("the document of update: a mistake is told with the option") {
  const auto line = [](std::string_view document) {
    const auto spec = parse_update(document, "--resources -");
    return spec ? "ok" : line_of(spec.error());
  };
  const std::string none = "--resources -: no limit in it";
  CHECK(line(R"({"linux": {"resources": {"memory": {"limit": 5}}}})") == none);
  CHECK(line(document_with("")) == none);
  CHECK(line(R"({"vendor": 1})") == none);
  CHECK(line(R"({"memory": {"limt": 5}})") ==
        ": linux.resources.memory: unknown key \"limt\", did you mean \"limit\"?");
  CHECK(line(R"({"limit": 5, "pid": {}})") ==
        ": --resources -: unknown key \"pid\", did you mean \"pids\"?");
  CHECK(line(R"({"memory": {"limit": true}})").starts_with("linux.resources.memory.limit: must"));
  CHECK(line("[]") == "--resources -: must be an object");
  CHECK(line("{,}").starts_with("--resources -:1:2: "));
  // Docker and Podman send what they have to set, which may be nothing.
  for (const char* good :
       {"{}", R"({"cpu": {}, "memory": {}})", R"({"vendor": 1, "pids": {"limit": 5}})"})
    CHECK(line(good) == "ok");
}

TEST_CASE("the document of exec: a mistake is told with the option") {
  const auto line = [](std::string_view document) {
    const auto spec = parse_process(document, "--process p.json");
    return spec ? "ok" : line_of(spec.error());
  };
  CHECK(line(R"({"cwd": "/", "args": 5})") ==
        "--process p.json: args: must be an array of strings");
  CHECK(line(R"({"cwd": "/", "user": {"uid": -1}})").starts_with("--process p.json: user.uid: "));
  CHECK(line(R"({"ociVersion": "1.0.2", "process": {"cwd": "/"}})") ==
        "--process p.json: must hold the process object alone, not a whole config.json");
  CHECK(line("{,}").starts_with("--process p.json:1:2: "));
}

TEST_CASE("process, as values") {
  const auto parsed = parse(process_with(
      R"("terminal": true, "consoleSize": {"height": 24, "width": 80},
         "user": {"uid": 1, "gid": 2, "umask": 63, "additionalGids": [3, 4]}, "env": ["A=\"\u00fc\""],
         "capabilities": {"bounding": ["CAP_CHOWN", "CAP_CHECKPOINT_RESTORE", "CAP_NEW"], "ambient": ["CAP_NEW"]},
         "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 2}], "oomScoreAdj": 0,
         "scheduler": {"policy": "SCHED_FIFO", "priority": 5, "flags": ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM"]},
         "ioPriority": {"class": "IOPRIO_CLASS_IDLE"}, "execCPUAffinity": {"initial": "0", "final": "1"})"));
  REQUIRE(parsed);
  const Process& process = *parsed.value().process;
  CHECK(process.terminal);
  CHECK(process.console_size->width == 80);
  CHECK(process.user.additional_gids == std::vector<uint32_t>{3, 4});
  CHECK(process.user.umask == 63);
  CHECK(process.env == TextList{"A=\"\xc3\xbc\""});
  CHECK(process.env[0].data()[process.env[0].size()] == 0);
  CHECK(process.capabilities->bounding == (uint64_t{1} | uint64_t{1} << 40));
  CHECK(process.capabilities->ambient == 0);
  CHECK(process.capabilities->unknown == TextList{"CAP_NEW"});
  CHECK(process.rlimits[0].type == 7);
  CHECK(process.rlimits[0].name == "RLIMIT_NOFILE");
  CHECK(process.oom_score_adj == 0);
  CHECK(process.scheduler->policy == 1);
  CHECK(process.scheduler->flags == 3);
  CHECK_FALSE(process.scheduler->nice.has_value());
  CHECK(process.io_priority->io_class == 3);
  CHECK(process.exec_cpu_affinity->final == "1");
}

TEST_CASE("linux, as values") {
  const auto parsed = parse(linux_with(
      R"("namespaces": [{"type": "network", "path": "/n"}, {"type": "time"}],
         "timeOffsets": {"boottime": {"secs": -5, "nanosecs": 7}},
         "devices": [{"type": "u", "path": "/dev/x", "major": 10, "minor": 229, "fileMode": 8630}],
         "netDevices": {"eth0": {"name": "a"}, "eth1": {}}, "rootfsPropagation": "rslave",
         "sysctl": {"net.core.somaxconn": "1"}, "personality": {"domain": "LINUX32"},
         "memoryPolicy": {"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0"},
         "seccomp": {"defaultAction": "SCMP_ACT_KILL", "flags": [], "syscalls": [
           {"names": ["a"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38,
            "args": [{"index": 1, "value": 18446744073709551615, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}]}]},
         "resources": {"devices": [{"allow": true, "type": "c", "major": 5, "minor": -1, "access": "rw"}], "pids": {"limit": 0},
           "rdma": {"m": {"hcaObjects": 3}}, "unified": {"io.max": "a\nb"}})"));
  REQUIRE(parsed);
  const Linux& linux = parsed.value().linux;
  CHECK(linux.namespaces[0].path == "/n");
  CHECK(linux.namespaces[1].type == NamespaceType::time);
  CHECK(linux.boottime->secs == -5);
  CHECK_FALSE(linux.monotonic.has_value());
  CHECK(linux.devices[0].type == 'u');
  CHECK(linux.devices[0].file_mode == 0666);
  CHECK(linux.net_devices[0].name == "a");
  CHECK(linux.net_devices[1].host_name == "eth1");
  CHECK(linux.rootfs_propagation == RootfsPropagation::slave);
  CHECK(linux.sysctl == TextMap{{"net.core.somaxconn", "1"}});
  CHECK(linux.personality == 8);
  CHECK(linux.memory_policy->mode == 6);
  CHECK(linux.seccomp->default_action == SeccompAction::kill_thread);
  CHECK(linux.seccomp->flags == 0);
  const SeccompSyscall& rule = linux.seccomp->syscalls[0];
  CHECK(rule.errno_ret == 38);
  CHECK(rule.args[0].value == std::numeric_limits<uint64_t>::max());
  CHECK(rule.args[0].op == 7);
  CHECK(linux.resources->devices[0].minor == -1);
  CHECK(linux.resources->pids_limit == 0);
  CHECK(linux.resources->rdma[0].hca_objects == 3);
  CHECK(linux.resources->unified == TextMap{{"io.max", "a\nb"}});
}

TEST_CASE("a place never outgrows its buffer") {
  const std::string key(1000, 'k');
  CHECK(refusal(document_with("\"" + key + "\": {\"a\": 1, \"a\": 2}")).starts_with("kkkk"));
}
