// SPDX-License-Identifier: Apache-2.0
// What the planner makes of a further process in a container.
#include "support.h"

namespace onggi::test {
namespace {

Result<plan::Plan> exec_plan(const std::string& process, const std::string& linux,
                             plan::LaunchOptions options = {}) {
  const spec::Spec spec = TRY(spec::parse(
      R"({"ociVersion": "1.3.0", "root": {"path": "rootfs"}, "hooks": {"startContainer":
          [{"path": "/hook"}]}, "mounts": [{"destination": "/a", "type": "tmpfs"}],
          "process": {"cwd": "/", "args": ["x"])" +
      process + R"(}, "linux": {)" + linux + "}}"));
  TRY(spec::validate(spec));
  options.id = "web";
  return plan::build_exec(spec, v2_host(), options);
}

const std::string kOwnMounts = R"("namespaces": [{"type": "mount"}, {"type": "pid"}])";

TEST_CASE("a further process makes nothing and joins everything") {
  const Result<plan::Plan> plan = exec_plan("", kOwnMounts);
  REQUIRE(plan);
  CHECK(plan->namespaces.create == 0);
  CHECK(plan->namespaces.bridge);
  CHECK(plan->namespaces.of_container);
  CHECK_FALSE(plan->namespaces.root_of_container);
  CHECK(plan->cgroup.directories.empty());
  REQUIRE(plan->before_pivot.size() == 1);
  const auto* root = std::get_if<plan::OpenRootfs>(&plan->before_pivot[0].action);
  REQUIRE(root != nullptr);
  CHECK_FALSE(root->clone);
  CHECK(plan->after_pivot.empty());
  CHECK(plan->handoff.start_hooks.list.count == 0);
}

TEST_CASE("the root is taken over where the mounts are not the container's own") {
  for (const char* namespaces : {R"("namespaces": [{"type": "pid"}])",
                                 R"("namespaces": [{"type": "mount", "path": "/n"}])"}) {
    CAPTURE(namespaces);
    const spec::Spec spec = spec::parse(std::string(R"({"ociVersion": "1.3.0",
        "root": {"path": "r"}, "process": {"cwd": "/", "args": ["x"]}, "linux": {)") +
                                        namespaces + "}}")
                                .value();
    CHECK(plan::build_exec(spec, v2_host(), {}).namespaces.root_of_container);
  }
}

TEST_CASE("a terminal of a further process leaves /dev/console alone") {
  const Result<plan::Plan> plan =
      exec_plan(R"(, "terminal": true, "consoleSize": {"height": 5, "width": 6})", kOwnMounts);
  REQUIRE(plan);
  REQUIRE(plan->before_pivot.size() == 2);
  const auto* console = std::get_if<plan::OpenConsole>(&plan->before_pivot[1].action);
  REQUIRE(console != nullptr);
  CHECK(console->rows == 5);
  CHECK_FALSE(console->bind_dev_console);
}

TEST_CASE("the keyring is joined by the container's name, unless it has none") {
  const Result<plan::Plan> own = exec_plan("", kOwnMounts);
  REQUIRE(own);
  CHECK(std::string(own->pool.view()(own->handoff.keyring)) == "_ses.web");
  plan::LaunchOptions options;
  options.no_new_keyring = true;
  const Result<plan::Plan> none = exec_plan("", kOwnMounts, options);
  REQUIRE(none);
  CHECK_FALSE(none->handoff.keyring);
}

TEST_CASE("lists of CPUs are masks, also of very many CPUs (checklist 35)") {
  const Result<plan::Plan> plan =
      exec_plan(R"(, "execCPUAffinity": {"initial": "0,2-3", "final": "1-2,4096"})", kOwnMounts);
  REQUIRE(plan);
  CHECK(plan->initial_cpus == std::vector<uint64_t>{0xd});
  const auto cpus = plan->pool.view()(plan->handoff.cpus);
  REQUIRE(cpus.size() == 65);
  CHECK(cpus[0] == 6);
  CHECK(cpus[64] == 1);
}

TEST_CASE("ids of a further process are those that the container's user namespace knows") {
  const spec::Spec spec = spec::parse(R"({"ociVersion": "1.3.0", "root": {"path": "r"},
          "process": {"cwd": "/", "args": ["x"], "user": {"uid": 7, "additionalGids": [1]},
                      "capabilities": {"bounding": ["CAP_SYS_ADMIN"]}},
          "linux": {"namespaces": [{"type": "user"}, {"type": "mount"}]}})")
                              .value();
  plan::HostFacts facts = v2_host();
  facts.capabilities = 0;
  facts.joined_user = plan::UserNamespaceFacts{
      .uid_mappings = {{0, 1000, 1}}, .gid_mappings = {{0, 1000, 1}}, .set_groups_denied = true};
  const plan::Plan plan = plan::build_exec(spec, facts, {});
  CHECK_FALSE(plan.handoff.set_groups);
  CHECK(plan.handoff.capabilities.bounding == uint64_t{1} << 21);
  REQUIRE(plan.refused.size() == 3);
  CHECK(plan.refused[0].place.view() == "process.user.additionalGids");
  CHECK(plan.refused[1].place.view() == "process.user.uid");
  CHECK(plan.refused[2].place.view() == "process.user.additionalGids[0]");
}

TEST_CASE("labels that the host cannot give are refused") {
  const Result<plan::Plan> plan = exec_plan(R"(, "apparmorProfile": "p")", kOwnMounts);
  REQUIRE(plan);
  REQUIRE(plan->refused.size() == 1);
  CHECK(plan->refused[0].place.view() == "process.apparmorProfile");
}

}  // namespace
}  // namespace onggi::test
