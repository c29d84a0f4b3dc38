// SPDX-License-Identifier: Apache-2.0
// Many containers that come and go at the same time, with every cgroup driver of the host.
#include "support/drivers.h"
#include "support/suite.h"
#include "support/unit.h"

using namespace onggi::test;

namespace {

constexpr int kRounds = 10, kAtOnce = 10;

// sh -c SCRIPT RUNTIME [OPTION]...; the id and the bundle are in the environment.
constexpr const char* kScript = R"("$0" "$@" create --bundle "$BUNDLE" "$ID" &&
  "$0" "$@" start "$ID" && "$0" "$@" delete --force "$ID")";

std::string failed_units() {
  return systemctl({"list-units", "--failed", "--plain", "--no-legend"}).out;
}

// Each in a process of its own.
void create_start_and_delete(const Driver& driver, const Bundle& bundle, const std::string& name) {
  Strings command = {"/bin/sh", "-c", kScript};
  for (const std::string& word : runtime_command(driver.options)) command.push_back(word);
  std::vector<std::unique_ptr<Process>> at_work;
  for (int i = 0; i < kAtOnce; i++) {
    Spawn spawn;
    spawn.environment = {"BUNDLE=" + bundle.path().string(),
                         "ID=" + tag() + name + "-" + std::to_string(i)};
    at_work.push_back(std::make_unique<Process>(command, spawn));
  }
  for (const auto& process : at_work) {
    const Outcome outcome = process->wait();
    CHECK_MESSAGE(outcome.ok(), outcome.err);
  }
}

void check_hundred(const Driver& driver) {
  Bundle bundle;
  bundle.guest({"pause"}).write();
  for (int round = 0; round < rounds(kRounds); round++)
    create_start_and_delete(driver, bundle, "-" + std::to_string(round));
  CHECK(eventually([] { return descendants().empty(); }));
  CHECK(eventually([] { return tagged_cgroups().empty(); }));
  CHECK(eventually([] { return tagged_units().empty(); }));
}

}  // namespace

TEST_SUITE_BEGIN("crowd");

CASE("a hundred containers, ten at a time, leave no process, cgroup or state") {
  REQUIRES(root());
  check_hundred(drivers().front());
}

CASE("a hundred containers, ten at a time, leave none of it and no unit with systemd") {
  REQUIRES(root());
  REQUIRES(systemd());
  const std::string failed = failed_units();
  check_hundred(drivers().back());
  CHECK(failed_units() == failed);
  CHECK(systemctl({"list-units", "--all", "--plain", "--no-legend", "*" + tag() + "*"}).out == "");
}

TEST_SUITE_END();
