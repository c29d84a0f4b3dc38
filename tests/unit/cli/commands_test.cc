// SPDX-License-Identifier: Apache-2.0
// The tables, against what engines pass: containerd and dockerd through go-runc, podman and CRI-O
// through conmon.
#include "base/size.h"
#include "cli/container_commands.h"
#include "cli/ps.h"
#include "cli/signals.h"
#include "cli/update.h"
#include "commandline/duration.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

namespace onggi::cli {
namespace {

const Program kProgram = program();

bool has(std::span<const OptionRow> rows, std::string_view name, bool takes_value) {
  return std::ranges::any_of(rows, [&](const OptionRow& row) {
    return row.name == name && (row.value != nullptr) == takes_value;
  });
}

struct EngineFlag {
  const char* command;  // empty: before the command
  const char* name;
  bool takes_value;
};
constexpr EngineFlag kEngineFlags[] = {
    {"", "root", true},
    {"", "log", true},
    {"", "log-format", true},
    {"", "log-level", true},
    {"", "debug", false},
    {"", "systemd-cgroup", false},
    {"", "cgroup-manager", true},
    {"", "rootless", true},
    {"", "version", false},
    {"create", "bundle", true},
    {"create", "config", true},
    {"create", "console-socket", true},
    {"create", "pidfd-socket", true},
    {"create", "pid-file", true},
    {"create", "no-pivot", false},
    {"create", "no-new-keyring", false},
    {"create", "preserve-fds", true},
    {"create", "no-subreaper", false},
    {"run", "bundle", true},
    {"run", "pid-file", true},
    {"run", "detach", false},
    {"run", "keep", false},
    {"run", "no-subreaper", false},
    {"exec", "process", true},
    {"exec", "console-socket", true},
    {"exec", "cwd", true},
    {"exec", "env", true},
    {"exec", "tty", false},
    {"exec", "user", true},
    {"exec", "additional-gids", true},
    {"exec", "detach", false},
    {"exec", "pid-file", true},
    {"exec", "process-label", true},
    {"exec", "apparmor", true},
    {"exec", "no-new-privs", false},
    {"exec", "cap", true},
    {"exec", "preserve-fds", true},
    {"exec", "cgroup", true},
    {"exec", "ignore-paused", false},
    {"exec", "pidfd-socket", true},
    {"kill", "all", false},
    {"kill", "regex", false},
    {"delete", "force", false},
    {"delete", "regex", false},
    {"ps", "format", true},
    {"update", "resources", true},
    {"update", "memory", true},
    {"update", "memory-swap", true},
    {"update", "cpu-share", true},
    {"update", "cpu-quota", true},
    {"update", "cpuset-cpus", true},
    {"update", "pids-limit", true},
    {"update", "blkio-weight", true},
    {"update", "l3-cache-schema", true},
    {"update", "mem-bw-schema", true},
    {"events", "interval", true},
    {"events", "stats", false},
    {"list", "format", true},
    {"list", "quiet", false},
    {"spec", "bundle", true},
    {"spec", "config", true},
    {"spec", "rootless", false},
};

TEST_CASE("every flag that engines pass has a row") {
  for (const EngineFlag& flag : kEngineFlags) {
    CAPTURE(flag.command);
    CAPTURE(flag.name);
    std::span<const OptionRow> rows = kProgram.options;
    if (*flag.command != 0) {
      const Result<const CommandRow*> command = find_command(kProgram, flag.command);
      REQUIRE(static_cast<bool>(command));
      rows = command.value()->options;
    }
    CHECK(has(rows, flag.name, flag.takes_value));
  }
}

TEST_CASE("names and letters are unique within a table") {
  const auto check = [](std::span<const OptionRow> rows) {
    for (size_t i = 0; i < rows.size(); ++i) {
      for (size_t j = i + 1; j < rows.size(); ++j) {
        CHECK(std::string_view(rows[i].name) != rows[j].name);
        CHECK_FALSE((rows[i].letter != 0 && rows[i].letter == rows[j].letter));
      }
    }
  };
  check(kProgram.options);
  for (const CommandRow* command : kProgram.commands) check(command->options);
}

TEST_CASE("commands to come exist and have no function") {
  for (const char* name : {"checkpoint", "restore"}) {
    CAPTURE(name);
    const Result<const CommandRow*> command = find_command(kProgram, name);
    REQUIRE(static_cast<bool>(command));
    CHECK((static_cast<const Command*>(command.value())->invoke == nullptr));
  }
}

TEST_CASE("sizes have units, and nothing else passes") {
  CHECK(parse_size("0") == 0);
  CHECK(parse_size("-1") == -1);
  CHECK(parse_size("512") == 512);
  CHECK(parse_size("512b") == 512);
  CHECK(parse_size("64k") == 65536);
  CHECK(parse_size("64M") == 67108864);
  CHECK(parse_size("8589934591g").has_value());
  for (const char* bad : {"", "m", "-2", "-1m", "1.5g", "64mb", "8589934592g", "0x10", " 1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_size(bad).has_value());
  }
}

TEST_CASE("times have units, a bare number is seconds, and nothing else passes") {
  const std::pair<const char*, int64_t> kTimes[] = {{"0", 0},
                                                    {"5", 5000},
                                                    {"5s", 5000},
                                                    {"100ms", 100},
                                                    {"1.5", 1500},
                                                    {"1.5m", 90'000},
                                                    {"1h30m", 5'400'000},
                                                    {"1m30s500ms", 90'500},
                                                    {"2500us", 2},
                                                    {"999999ns", 0},
                                                    {"0.001s", 1},
                                                    {"1h", 3'600'000},
                                                    {"0.1ms", 0},
                                                    {"876000h", 3'153'600'000'000}};
  for (const auto& [given, milliseconds] : kTimes) {
    CAPTURE(given);
    CHECK(parse_duration(given) == milliseconds);
  }
  for (const char* bad : {"", "s", "-1", "-1s", "+1s", "1.s", ".5s", "1 s", "1x", "1m30", "1s ",
                          "876001h", "99999999999999999999", "1d", "1S", "1e3"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_duration(bad).has_value());
  }
}

TEST_CASE("ps keeps the header and the lines of the pids, wherever the column is") {
  const int pids[] = {7, 4711};
  const Result<std::string> kept =
      filter_table("UID  PID  CMD\nroot   7  sh 8\nroot  70  sh 7\nroot 4711 x\n", pids);
  REQUIRE(static_cast<bool>(kept));
  CHECK(kept.value() == "UID  PID  CMD\nroot   7  sh 8\nroot 4711 x\n");
  CHECK_FALSE(static_cast<bool>(filter_table("UID CMD\n", pids)));
}

TEST_CASE("an unknown command is an error with a suggestion") {
  const Result<const CommandRow*> command = find_command(kProgram, "strat");
  REQUIRE_FALSE(static_cast<bool>(command));
  CHECK(command.error().message.view() == "unknown command 'strat'");
  CHECK(command.error().hint.view() == "did you mean 'start'?");
}

TEST_CASE("the number of operands is checked") {
  const CommandRow& kill = *find_command(kProgram, "kill").value();
  struct {
    bool all = false;
  } target;
  std::string subject;
  const auto parse = [&](std::vector<std::string_view> words) {
    const Result<ParsedArguments> parsed = parse_command(kProgram, kill, &target, words, subject);
    return parsed ? std::string() : std::string(parsed.error().message.view());
  };
  CHECK(parse({"web"}) == "");
  CHECK(parse({"-a", "web", "9"}) == "");
  CHECK(subject == "web");
  CHECK(parse({}) == "too few arguments");
  CHECK(parse({"web", "9", "more"}) == "unexpected argument 'more'");
}

TEST_CASE("signals are known by name and number") {
  const auto signal = [](std::string_view text) {
    const Result<int> parsed = parse_signal(text);
    return parsed ? parsed.value() : -1;
  };
  CHECK(signal("TERM") == SIGTERM);
  CHECK(signal("sigkill") == SIGKILL);
  CHECK(signal("SigHup") == SIGHUP);
  CHECK(signal("9") == 9);
  CHECK(signal("0") == 0);
  CHECK(signal("64") == 64);
  CHECK(signal("RTMIN") == 34);
  CHECK(signal("SIGRTMIN+3") == 37);
  CHECK(signal("rtmax-1") == 63);
  CHECK(signal("IO") == SIGIO);
  CHECK(signal("CHLD") == signal("CLD"));
  for (const char* wrong :
       {"", "SIG", "65", "-1", "FOO", "RTMIN-1", "RTMIN+31", "RTMAX+1", "RTMIN+", "9x", "SIG9"}) {
    CAPTURE(wrong);
    CHECK(signal(wrong) == -1);
  }
}

TEST_CASE("lists look as engines and people expect") {
  CHECK(list_as_json({}) == "[]\n");
  CHECK(list_as_table({}) == "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n");
  ContainerSummary web;
  web.id = "web";
  web.bundle = "/srv/bundles/web";
  web.rootfs = "/srv/bundles/web/rootfs";
  web.created = "2026-01-02T03:04:05.000000006Z";
  web.owner = "root";
  web.pid = 17;
  web.status = Status::running;
  CHECK(list_as_table({&web, 1}) ==
        "ID          PID         STATUS      BUNDLE             CREATED                          "
        "OWNER\n"
        "web         17          running     /srv/bundles/web   2026-01-02T03:04:05.000000006Z   "
        "root\n");
  CHECK(list_as_json({&web, 1}) ==
        "[{\"ociVersion\":\"1.3.0\",\"id\":\"web\",\"pid\":17,\"status\":\"running\",\"bundle\":\"/"
        "srv/bundles/web\",\"rootfs\":\"/srv/bundles/web/rootfs\","
        "\"created\":\"2026-01-02T03:04:05.000000006Z\",\"owner\":\"root\"}]\n");
}

TEST_CASE("help, completion and the manual name every shown option") {
  const std::string completion = bash_completion(kProgram);
  const std::string manual = man_page(kProgram);
  for (const CommandRow* each : kProgram.commands) {
    const CommandRow& command = *each;
    if (command.summary == nullptr) continue;
    CHECK(general_help(kProgram).find(std::string("\n  ") + command.name + " ") !=
          std::string::npos);
    CHECK(completion.find(std::string("\n  ") + command.name + ")") != std::string::npos);
    const std::string help = command_help(kProgram, command);
    for (const OptionRow& row : command.options) {
      CAPTURE(row.name);
      CHECK((help.find(spelling(row)) != std::string::npos) == (row.help != nullptr));
    }
  }
  CHECK(manual.find("\\fB\\-\\-preserve\\-fds\\fR \\fIN\\fR") != std::string::npos);
}

}  // namespace
}  // namespace onggi::cli
