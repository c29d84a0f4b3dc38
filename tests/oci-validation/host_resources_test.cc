// SPDX-License-Identifier: Apache-2.0
// config-linux.md: intelRdt, memory policy, personality.
#include "oci-validation/newer.h"

using namespace onggi::test;

namespace fs = std::filesystem;

namespace {

Need resctrl_mounted(bool wanted) {
  const bool mounted = contains(read_file("/proc/mounts"), " resctrl ");
  return {mounted == wanted, wanted ? "needs a mounted resctrl" : "needs no mounted resctrl"};
}

constexpr const char* kResctrl = "/sys/fs/resctrl";

}  // namespace

TEST_SUITE_BEGIN("host_resources");

CASE("intelRdt: without a mounted resctrl every form is an error") {
  CITE(
      "config-linux.md#intelrdt: If no mounted resctrl pseudo-filesystem is available in the "
      "runtime mount namespace, the runtime MUST generate an error.");
  REQUIRES(root());
  REQUIRES(resctrl_mounted(false));
  NEWER_THAN_BOTH("an error for a class without schemata");
  for (const char* rdt :
       {"{}", R"({"closID": "guaranteed_group"})", R"({"closID": "/"})",
        R"({"schemata": ["L3:0=7f0;1=1f", "MB:0=20;1=70"]})", R"({"enableMonitoring": true})"}) {
    CAPTURE(rdt);
    CHECK(refuses("/linux/intelRdt", rdt));
  }
}

CASE("intelRdt: not set, no resctrl is looked for") {
  CITE(
      "config-linux.md#intelrdt: If intelRdt is not set, the runtime MUST NOT manipulate any "
      "resctrl pseudo-filesystems.");
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  CHECK(container.run().ok());
  CHECK_FALSE(fs::exists(fs::path(kResctrl) / container.id()));
}

CASE("intelRdt: memBwSchema begins with MB:") {
  CITE(
      "config-linux.md#intelrdt: memBwSchema (string, OPTIONAL) - specifies the schema of memory "
      "bandwidth per L3 cache id. The value MUST start with MB: and MUST NOT contain newlines.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 ignores intelRdt");
  for (const char* schema : {R"("L3:0=f")", R"("0=20")", R"("MB:0=20\nMB:1=20")"}) {
    CAPTURE(schema);
    Bundle bundle;
    bundle.set_json("/linux/intelRdt",
                    std::string(R"({"closID": "a", "memBwSchema": )") + schema + "}");
    const Outcome outcome = create(bundle);
    CHECK_FALSE(outcome.ok());
    if (is_onggi()) CHECK(contains(outcome.err, "linux.intelRdt.memBwSchema: "));
  }
}

CASE("intelRdt: a line of schemata has no newline") {
  CITE(
      "config-linux.md#intelrdt: Each element represents one line in the schemata file. The value "
      "MUST NOT contain newlines.");
  REQUIRES(root());
  NEWER_THAN_BOTH("schemata");
  Bundle bundle;
  bundle.set_json("/linux/intelRdt", R"({"closID": "a", "schemata": ["L3:0=f\nMB:0=20"]})");
  const Outcome outcome = create(bundle);
  CHECK_FALSE(outcome.ok());
  if (is_onggi()) CHECK(contains(outcome.err, "linux.intelRdt.schemata[0]: "));
}

CASE("intelRdt: closID is the name of one directory") {
  CITE("config-linux.md#intelrdt: That sub-directory name is specified by closID parameter.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 ignores intelRdt");
  for (const char* id : {"..", ".", "a/b", "/a"}) {
    CAPTURE(id);
    Bundle bundle;
    bundle.set("/linux/intelRdt/closID", id).set("/linux/intelRdt/l3CacheSchema", "L3:0=f");
    const Outcome outcome = create(bundle);
    CHECK_FALSE(outcome.ok());
    if (is_onggi()) CHECK(contains(outcome.err, "linux.intelRdt.closID: "));
  }
}

CASE("intelRdt: a container in the default class is in the root's tasks") {
  CITE(
      "config-linux.md#intelrdt: As a special case, value / means that the container MUST be "
      "assigned to the default CLOS (the root of the resctrl filesystem).");
  REQUIRES(root());
  REQUIRES(resctrl_mounted(true));
  NEWER_THAN_BOTH("the default class");
  Bundle bundle;
  Container container(bundle.set("/linux/intelRdt/closID", "/"));
  REQUIRE(container.create().ok());
  CHECK(contains(read_file(fs::path(kResctrl) / "tasks"), std::to_string(container.pid())));
}

CASE("intelRdt: without closID the class has the container's id, and goes with it") {
  CITE(
      "config-linux.md#intelrdt: If closID is not set and the runtime has created the "
      "sub-directory, the runtime MUST remove the sub-directory when the container is deleted.");
  REQUIRES(root());
  REQUIRES(resctrl_mounted(true));
  NEWER_THAN_BOTH("a class without schemata");
  Bundle bundle;
  Container container(bundle.set_json("/linux/intelRdt", R"({"enableMonitoring": true})"));
  REQUIRE(container.create().ok());
  const fs::path group = fs::path(kResctrl) / container.id();
  CHECK(contains(read_file(group / "tasks"), std::to_string(container.pid())));
  CHECK(contains(read_file(group / "mon_groups" / container.id() / "tasks"),
                 std::to_string(container.pid())));
  REQUIRE(container.remove(true).ok());
  CHECK_FALSE(fs::exists(group));
}

CASE("intelRdt: a closID without schemata has to exist") {
  CITE(
      "config-linux.md#intelrdt: If such pre-configured directory closID exists, runtime MUST "
      "assign container to this closID and generate an error if directory does not exist.");
  REQUIRES(root());
  REQUIRES(resctrl_mounted(true));
  Bundle bundle;
  CHECK_FALSE(create(bundle.set("/linux/intelRdt/closID", tag())).ok());
  CHECK_FALSE(fs::exists(fs::path(kResctrl) / tag()));
}

CASE("memory policy: each mode is set") {
  CITE(
      "config-linux.md#memory-policy: memoryPolicy (object, OPTIONAL) sets the NUMA memory policy "
      "for the container.");
  REQUIRES(root());
  NEWER_THAN_BOTH("memoryPolicy");
  const std::pair<const char*, const char*> modes[] = {
      {R"({"mode": "MPOL_DEFAULT"})", "0"},
      {R"({"mode": "MPOL_PREFERRED", "nodes": "0"})", "1"},
      {R"({"mode": "MPOL_BIND", "nodes": "0"})", "2"},
      {R"({"mode": "MPOL_INTERLEAVE", "nodes": "0"})", "3"},
      {R"({"mode": "MPOL_LOCAL"})", "4"},
  };
  for (const auto& [policy, number] : modes) {
    CAPTURE(policy);
    CHECK(value_of(scheduling_with("/linux/memoryPolicy", policy), "mempolicy") == number);
  }
}

CASE("memory policy: the newer modes are set") {
  CITE(
      "config-linux.md#memory-policy: A valid list of constants is shown below. MPOL_DEFAULT, "
      "MPOL_BIND, MPOL_INTERLEAVE, MPOL_WEIGHTED_INTERLEAVE, MPOL_PREFERRED, MPOL_PREFERRED_MANY, "
      "MPOL_LOCAL");
  REQUIRES(root());
  REQUIRES(kernel(6, 9));
  NEWER_THAN_BOTH("memoryPolicy");
  CHECK(value_of(scheduling_with("/linux/memoryPolicy",
                                 R"({"mode": "MPOL_PREFERRED_MANY", "nodes": "0"})"),
                 "mempolicy") == "5");
  CHECK(value_of(scheduling_with("/linux/memoryPolicy",
                                 R"({"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0"})"),
                 "mempolicy") == "6");
}

CASE("memory policy: nodes is a list with ranges") {
  CITE(
      "config-linux.md#memory-policy: nodes (string, OPTIONAL) - list of memory nodes from which "
      "nodemask is constructed to set_mempolicy(2). This is a comma-separated list, with dashes to "
      "represent ranges.");
  REQUIRES(root());
  NEWER_THAN_BOTH("memoryPolicy");
  const std::string seen =
      scheduling_with("/linux/memoryPolicy", R"({"mode": "MPOL_BIND", "nodes": "0-3,7"})");
  CHECK(value_of(seen, "mempolicy") == "2");
  for (const char* list : {"x", "3-1", "0,", "0-", "0 1"}) {
    CAPTURE(list);
    CHECK(refuses("/linux/memoryPolicy",
                  std::string(R"({"mode": "MPOL_BIND", "nodes": ")") + list + "\"}"));
  }
}

CASE("memory policy: some modes require that there are no nodes") {
  CITE(
      "config-linux.md#memory-policy: Some modes require that there are no nodes, e.g. "
      "MPOL_DEFAULT and MPOL_LOCAL.");
  REQUIRES(root());
  NEWER_THAN_BOTH("memoryPolicy");
  CHECK(refuses("/linux/memoryPolicy", R"({"mode": "MPOL_DEFAULT", "nodes": "0"})"));
  CHECK(refuses("/linux/memoryPolicy", R"({"mode": "MPOL_LOCAL", "nodes": "0"})"));
}

CASE("memory policy: others require at least one") {
  CITE(
      "config-linux.md#memory-policy: Others that there is at least one node, e.g. MPOL_BIND and "
      "MPOL_INTERLEAVE.");
  REQUIRES(root());
  NEWER_THAN_BOTH("memoryPolicy");
  CHECK(refuses("/linux/memoryPolicy", R"({"mode": "MPOL_BIND"})"));
  CHECK(refuses("/linux/memoryPolicy", R"({"mode": "MPOL_INTERLEAVE", "nodes": ""})"));
}

CASE("memory policy: flags go with the mode") {
  CITE(
      "config-linux.md#memory-policy: flags (array of strings, OPTIONAL) - list of flags to use "
      "with set_mempolicy(2).");
  REQUIRES(root());
  NEWER_THAN_BOTH("memoryPolicy");
  constexpr int kBind = 2, kStaticNodes = 1 << 15;
  const std::string seen =
      scheduling_with("/linux/memoryPolicy",
                      R"({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]})");
  CHECK(value_of(seen, "mempolicy") == std::to_string(kBind | kStaticNodes));
}

CASE("memory policy: what is not in the lists is an error") {
  CITE("config-linux.md#memory-policy: mode (string, REQUIRED)");
  REQUIRES(root());
  NEWER_THAN_BOTH("memoryPolicy");
  CHECK(refuses("/linux/memoryPolicy", R"({"mode": "MPOL_SOMETHING"})"));
  CHECK(refuses("/linux/memoryPolicy", R"({"nodes": "0"})"));
  CHECK(refuses("/linux/memoryPolicy",
                R"({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_OTHER"]})"));
}

CASE("personality: LINUX is the ordinary domain") {
  CITE("config-linux.md#personality: domain (string, REQUIRED) - the execution domain.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set_json("/linux/personality", R"({"domain": "LINUX"})").guest({"machine"});
  CHECK_FALSE(contains(run(bundle).out, "i686"));
}

CASE("personality: an unknown domain is an error") {
  CITE("config-linux.md#personality: The valid list of constants is shown below.");
  REQUIRES(root());
  NEWER_THAN_RUNC("personality");
  CHECK(refuses("/linux/personality", R"({"domain": "BSD"})"));
}

CASE("personality: the domain is required") {
  CITE("config-linux.md#personality: domain (string, REQUIRED) - the execution domain.");
  REQUIRES(root());
  NEWER_THAN_RUNC("personality");
  CHECK(refuses("/linux/personality", R"({"flags": []})"));
}

CASE("personality: there are no flags") {
  CITE(
      "config-linux.md#personality: flags (array of strings, OPTIONAL) - the additional flags to "
      "apply. Currently no flag values are supported.");
  REQUIRES(root());
  NEWER_THAN_RUNC("personality");
  DEVIATES("crun", "1.8.1 ignores the flags");
  CHECK(refuses("/linux/personality", R"({"domain": "LINUX32", "flags": ["ADDR_NO_RANDOMIZE"]})"));
}

TEST_SUITE_END();
