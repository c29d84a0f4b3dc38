// SPDX-License-Identifier: Apache-2.0
// The flags of exec as what the runtime is to do.
#include "cli/exec.h"

#include <doctest/doctest.h>
#include <linux/capability.h>

#include <initializer_list>

namespace onggi::cli {
namespace {

struct Outcome {
  ExecOptions options;
  std::string error;
};

// By the table of the command, as from a command line that ends in the container and its words.
Outcome parse(std::initializer_list<std::string_view> words) {
  const Program onggi = program();
  const Result<const CommandRow*> command = find_command(onggi, "exec");
  REQUIRE(static_cast<bool>(command));
  ExecFlags flags;
  const std::vector<std::string_view> arguments(words);
  const Result<ParsedArguments> parsed =
      parse_options(command.value()->options, &flags, arguments, Operands::last);
  if (!parsed) return {{}, std::string(parsed.error().message.view())};
  Result<ExecOptions> options =
      exec_options_of(flags, Arguments(parsed.value().operands).subspan(1));
  if (!options) return {{}, std::string(options.error().message.view())};
  return {std::move(options).value(), ""};
}

TEST_CASE("repeatable options add up, and the program's own are its own") {
  const Outcome outcome =
      parse({"-e", "A=1", "--env=B=2", "-g", "5", "--additional-gids", "6", "-c", "CAP_KILL",
             "--cap=CAP_CHOWN", "-td", "web", "ls", "-e", "--tty"});
  CHECK(outcome.error == "");
  CHECK(outcome.options.env == std::vector<std::string>{"A=1", "B=2"});
  CHECK(outcome.options.additional_gids == std::vector<uint32_t>{5, 6});
  CHECK(outcome.options.capabilities == (uint64_t{1} << CAP_KILL | uint64_t{1} << CAP_CHOWN));
  CHECK(outcome.options.args == std::vector<std::string>{"ls", "-e", "--tty"});
  CHECK(outcome.options.terminal);
  CHECK(outcome.options.detach);
}

TEST_CASE("a user may come with a group") {
  const Outcome alone = parse({"-u", "01", "web", "id"});
  CHECK(alone.options.uid == 1);
  CHECK_FALSE(alone.options.gid.has_value());
  const Outcome both = parse({"--user=7:8", "web", "id"});
  CHECK(both.options.uid == 7);
  CHECK(both.options.gid == 8);
  for (const char* wrong : {"-1", "4294967296", "1x", "1:", ":1", "root", "1:1:1", "1 "}) {
    CAPTURE(wrong);
    CHECK(parse({"--user", wrong, "web", "id"}).error ==
          std::string("--user '") + wrong + "' must be numeric: UID or UID:GID");
  }
}

TEST_CASE("no_new_privs is left alone, set or cleared") {
  CHECK_FALSE(parse({"web", "id"}).options.no_new_privileges.has_value());
  CHECK(parse({"--no-new-privs", "web", "id"}).options.no_new_privileges == true);
  CHECK(parse({"--no-new-privs=false", "web", "id"}).options.no_new_privileges == false);
}

TEST_CASE("a cgroup may be for some controllers") {
  const Outcome outcome = parse({"--cgroup", "cpu,memory:/a", "--cgroup", "b", "web", "id"});
  REQUIRE(outcome.options.cgroups.size() == 2);
  CHECK(outcome.options.cgroups[0].controllers == std::vector<std::string>{"cpu", "memory"});
  CHECK(outcome.options.cgroups[0].path == "/a");
  CHECK(outcome.options.cgroups[1].controllers.empty());
  CHECK(outcome.options.cgroups[1].path == "b");
  CHECK(parse({"--cgroup", ":a", "web", "id"}).error ==
        "--cgroup ':a' is not [CONTROLLER,...:]PATH");
}

TEST_CASE("a document goes without a program and without flags that it would make void") {
  CHECK(parse({"--process", "f", "--tty", "--detach", "web"}).error == "");
  CHECK(parse({"-p", "f", "web", "id"}).error ==
        "unexpected argument 'id': with --process, the arguments come from its file");
  CHECK(parse({"-p", "f", "--no-new-privs=false", "web"}).error ==
        "--no-new-privs cannot be combined with --process");
  CHECK(parse({"web"}).error == "no program to run");
  CHECK(parse({"--cap", "CAP_X", "web", "id"}).error ==
        "--cap 'CAP_X' is not a capability, such as CAP_NET_RAW");
}

}  // namespace
}  // namespace onggi::cli
