// SPDX-License-Identifier: Apache-2.0
// cgroupsPath in systemd's form, and what systemd is told of a unit.
#include "plan/systemd_unit.h"

#include "plan/build_cgroup.h"
#include "plan/unit_properties.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace {

using namespace onggi;
using plan::CgroupLayout;
using plan::CgroupRequest;

plan::HostFacts v2_host() {
  plan::HostFacts facts;
  facts.cgroup_layout = CgroupLayout::v2;
  facts.cgroups = {{"/sys/fs/cgroup",
                    "",
                    {"cpuset", "cpu", "io", "memory", "pids"},
                    "/user.slice/u.scope",
                    true}};
  return facts;
}

plan::HostFacts v1_host() {
  plan::HostFacts facts;
  facts.cgroup_layout = CgroupLayout::v1;
  for (const char* name : {"cpu", "cpuset", "blkio", "devices", "freezer", "memory", "pids"})
    facts.cgroups.push_back({std::string("/sys/fs/cgroup/") + name, name, {name}, "/", false});
  facts.cgroups.push_back({"/sys/fs/cgroup/systemd", "systemd", {"name=systemd"}, "/", false});
  return facts;
}

template <class T>
std::string error_of(const Result<T>& result) {
  if (result) return "no error";
  return std::string(result.error().place.view()) + ": " +
         std::string(result.error().message.view());
}

std::string names(const char* path, const char* id = "web", bool user = false) {
  const auto parsed = plan::parse_unit_path(path, id, user);
  if (!parsed) return error_of(parsed);
  return parsed.value().unit + " in " + plan::cgroup_of(parsed.value());
}

plan::CgroupPlan plan_of(const spec::Spec& spec, const plan::HostFacts& facts) {
  const auto plan = plan::build_cgroup(spec, facts, "web", CgroupRequest::systemd);
  REQUIRE_MESSAGE(plan, error_of(plan));
  return plan.value();
}

std::string joined(const plan::UnitProperty& property) {
  std::string text = property.signature;
  for (const std::string& value : property.values) text += " " + value;
  return text;
}

// The last one counts, as for systemd; "none" if it is not given.
std::string property(const plan::CgroupPlan& plan, std::string_view name) {
  const auto& properties = plan.unit->properties;
  const auto found = std::find_if(properties.rbegin(), properties.rend(),
                                  [&](const auto& entry) { return entry.name == name; });
  return found == properties.rend() ? "none" : joined(*found);
}

std::string of_resources(const spec::Resources& resources, std::string_view name,
                         const plan::HostFacts& facts = v2_host()) {
  spec::Spec spec;
  spec.linux.resources = resources;
  return property(plan_of(spec, facts), name);
}

std::string annotated(spec::Text name, spec::Text value) {
  const std::string key = "org.systemd.property." + std::string(name);
  plan::UnitProperties properties;
  const auto added = plan::add_unit_annotations({{key, value}}, properties);
  if (!added) return error_of(added);
  REQUIRE(properties.size() == 1);
  return properties[0].name + " " + joined(properties[0]);
}

}  // namespace

TEST_CASE("names of units and where their slices put them (checklist 27)") {
  CHECK(names("") == "onggi-web.scope in /system.slice/onggi-web.scope");
  CHECK(names("", "web", true) == "onggi-web.scope in /user.slice/onggi-web.scope");
  CHECK(names("machine.slice:libpod:abc") == "libpod-abc.scope in /machine.slice/libpod-abc.scope");
  CHECK(names(":p:n") == "p-n.scope in /system.slice/p-n.scope");
  CHECK(names(":p:n", "web", true) == "p-n.scope in /user.slice/p-n.scope");
  CHECK(names("-:p:n") == "p-n.scope in /p-n.scope");
  CHECK(names("system.slice::n") == "n.scope in /system.slice/n.scope");
  CHECK(names("a-b-c.slice:p:n") == "p-n.scope in /a.slice/a-b.slice/a-b-c.slice/p-n.scope");
  CHECK(names("a.slice:ignored:a-b.slice") == "a-b.slice in /a.slice/a-b.slice");
  CHECK(names("", "a+b") == "onggi-a\\x2bb.scope in /system.slice/onggi-a\\x2bb.scope");
}

TEST_CASE("names that systemd would refuse") {
  for (const char* bad : {"/a/b", "a:b", "a:b:c:d"}) {
    CHECK(names(bad) ==
          "linux.cgroupsPath: '" + std::string(bad) +
              "' must have the form slice:prefix:name with the systemd cgroup manager");
  }
  CHECK(names("a.slice:b:") == "linux.cgroupsPath: 'a.slice:b:' has an empty name");
  CHECK(names("a:b:c") ==
        "linux.cgroupsPath: 'a' is not a valid slice name: it must end in .slice");
  for (const char* bad : {".slice", "-a.slice", "a-.slice", "a--b.slice"}) {
    CAPTURE(bad);
    CHECK(names((std::string(bad) + ":p:n").c_str()) ==
          "linux.cgroupsPath: '" + std::string(bad) + "' is not a valid slice name");
  }
  CHECK(
      names(":p:a/b") ==
      "linux.cgroupsPath: 'p-a/b.scope' cannot be the name of a systemd unit: it may contain only "
      "letters, digits and :-_.\\@");
  CHECK(
      names(("::" + std::string(250, 'x')).c_str()).ends_with("must not be longer than 255 bytes"));
  CHECK(names("::-.slice") == "linux.cgroupsPath: the root slice cannot be used for a container");
}

TEST_CASE("every unit is delegated, counted and not stopped with the first units of a shutdown") {
  const plan::CgroupPlan scope = plan_of({}, v2_host());
  CHECK(scope.driver == plan::CgroupDriver::systemd);
  CHECK(scope.unit->name == "onggi-web.scope");
  CHECK_FALSE(scope.unit->user);
  CHECK(property(scope, "Slice") == "s system.slice");
  CHECK(property(scope, "Delegate") == "b 1");
  CHECK(property(scope, "DefaultDependencies") == "b 0");
  CHECK(property(scope, "IOAccounting") == "b 1");
  CHECK(property(plan_of({}, v1_host()), "BlockIOAccounting") == "b 1");
  spec::Spec slice;
  slice.linux.cgroups_path = "a.slice:x:a-b.slice";
  CHECK(property(plan_of(slice, v2_host()), "Wants") == "as a.slice");
  CHECK(property(plan_of(slice, v2_host()), "Delegate") == "none");
}

TEST_CASE("the unit's directory is below its manager's, in every hierarchy") {
  plan::HostFacts facts = v1_host();
  for (const plan::CgroupDirectory& directory : plan_of({}, facts).directories) {
    CHECK(directory.path == "/system.slice/onggi-web.scope");
    CHECK(directory.managed == directory.mount_point.ends_with("/systemd"));
  }
  facts = v2_host();
  facts.euid = 1000;
  facts.systemd_cgroup = "/user.slice/user-1000.slice/user@1000.service";
  const plan::CgroupPlan user = plan_of({}, facts);
  CHECK(user.unit->user);
  CHECK(user.directories[0].path ==
        "/user.slice/user-1000.slice/user@1000.service/user.slice/onggi-web.scope");
  CHECK(user.directories[0].managed);
  CHECK(property(user, "DevicePolicy") == "none");
  facts = v1_host();
  facts.euid = 1000;
  CHECK(error_of(plan::build_cgroup({}, facts, "web", CgroupRequest::systemd)) ==
        "linux.cgroupsPath: the systemd manager of a user supports only cgroup v2");
}

TEST_CASE("limits in systemd's words") {
  spec::Resources resources;
  spec::Memory& memory = resources.memory.emplace();
  memory.limit = 1 << 20;
  memory.reservation = 4096;
  memory.swap = 3 << 20;
  resources.pids_limit = 0;
  resources.cpu.emplace().shares = 1024;
  resources.block_io.emplace().weight = 500;
  CHECK(of_resources(resources, "MemoryMax") == "t 1048576");
  CHECK(of_resources(resources, "MemoryLow") == "t 4096");
  CHECK(of_resources(resources, "MemorySwapMax") == "t 2097152");
  CHECK(of_resources(resources, "TasksMax") == "t 1");
  CHECK(of_resources(resources, "CPUWeight") == "t 100");
  CHECK(of_resources(resources, "IOWeight") == "t 4950");
  CHECK(of_resources(resources, "MemoryLimit", v1_host()) == "t 1048576");
  CHECK(of_resources(resources, "CPUShares", v1_host()) == "t 1024");
  CHECK(of_resources(resources, "BlockIOWeight", v1_host()) == "t 500");
  CHECK(of_resources(resources, "TasksMax", v1_host()) == "t 1");
  CHECK(of_resources(resources, "MemoryMax", v1_host()) == "none");
  resources.memory.emplace().limit = -1;
  resources.pids_limit = -1;
  CHECK(of_resources(resources, "MemoryMax") == "t 18446744073709551615");
  CHECK(of_resources(resources, "TasksMax") == "t 18446744073709551615");
  resources.cpu->idle = 1;
  CHECK(of_resources(resources, "CPUWeight") == "none");
}

TEST_CASE("linux.resources.unified is told to systemd as far as it has the word") {
  spec::Resources resources;
  resources.unified = {{"memory.high", "4096"}, {"memory.min", "max"},  {"cpu.max", "max 1000"},
                       {"cpu.weight", "20000"}, {"io.weight", "8:0 5"}, {"pids.max", "7"}};
  CHECK(of_resources(resources, "MemoryHigh") == "t 4096");
  CHECK(of_resources(resources, "MemoryMin") == "t 18446744073709551615");
  CHECK(of_resources(resources, "CPUQuotaPerSecUSec") == "t 18446744073709551615");
  CHECK(of_resources(resources, "CPUQuotaPeriodUSec") == "t 1000");
  CHECK(of_resources(resources, "TasksMax") == "t 7");
  // Refused by the kernel, whose answer names the place; or in a form that systemd does not have.
  CHECK(of_resources(resources, "CPUWeight") == "none");
  CHECK(of_resources(resources, "IOWeight") == "none");
  for (const char* weight : {"5", "default 5"}) {
    resources.unified = {{"io.weight", weight}};
    CHECK(of_resources(resources, "IOWeight") == "t 5");
  }
}

TEST_CASE("a quota is rounded up to what systemd can count") {
  const auto quota = [](int64_t value, uint64_t period, const plan::HostFacts& facts) {
    spec::Resources resources;
    resources.cpu.emplace().quota = value;
    if (period != 0) resources.cpu->period = period;
    return of_resources(resources, "CPUQuotaPerSecUSec", facts);
  };
  for (const plan::HostFacts& facts : {v2_host(), v1_host()}) {
    CHECK(quota(50000, 100000, facts) == "t 500000");
    CHECK(quota(50001, 100000, facts) == "t 510000");
    CHECK(quota(2000, 0, facts) == "t 20000");
    CHECK(quota(1000, 1000000, facts) == "t 10000");
    CHECK(quota(-1, 100000, facts) == "t 18446744073709551615");
  }
}

TEST_CASE("processors and nodes are bytes, the lowest first") {
  const auto cpus = [](spec::Text list) {
    spec::Resources resources;
    resources.cpu.emplace().cpus = list;
    return of_resources(resources, "AllowedCPUs");
  };
  CHECK(cpus("0") == "ay 1");
  CHECK(cpus("0-3,8") == "ay 15 1");
  CHECK(cpus("7,9") == "ay 128 2");
  // Every byte before it is there, up to the last.
  const std::string many = cpus("1030");
  CHECK(many.ends_with(" 0 64"));
  CHECK(std::ranges::count(many, ' ') == 129);
  for (const char* bad : {"3-1", "a", "0-7:1/2", "99999999"}) CHECK(cpus(bad) == "none");
  spec::Resources resources;
  resources.cpu.emplace().mems = "0-1";
  CHECK(of_resources(resources, "AllowedMemoryNodes") == "ay 3");
  CHECK(of_resources(resources, "AllowedMemoryNodes", v1_host()) == "none");
}

TEST_CASE("devices: an empty list, the list, then the policy") {
  spec::Spec spec;
  spec::Resources& resources = spec.linux.resources.emplace();
  const auto add = [&](bool allow, char type, std::optional<int64_t> major,
                       std::optional<int64_t> minor, spec::Text access) {
    spec::DeviceRule& rule = resources.devices.emplace_back();
    rule.allow = allow;
    rule.type = type;
    rule.major = major;
    rule.minor = minor;
    rule.access = access;
  };
  add(false, 'a', {}, {}, "rwm");
  add(true, 'b', 8, {}, "r");
  add(true, 'c', 10, 200, "rw");
  const plan::CgroupPlan plan = plan_of(spec, v2_host());
  std::string order;
  for (const plan::UnitProperty& entry : plan.unit->properties) {
    if (entry.name.starts_with("Device"))
      order += entry.name + " " + std::to_string(entry.values.size()) + "; ";
  }
  CHECK(order == "DeviceAllow 0; DeviceAllow 26; DevicePolicy 1; ");
  const std::string allowed = property(plan, "DeviceAllow");
  CHECK(allowed.starts_with("a(ss) block-8 rm /dev/char/10:200 rwm char-* m block-* m "));
  CHECK(allowed.ends_with(" /dev/char/5:2 rwm char-136 rwm"));
  CHECK(property(plan, "DevicePolicy") == "s strict");
  resources.devices.clear();
  add(true, 'a', {}, {}, "rwm");
  CHECK(property(plan_of(spec, v2_host()), "DevicePolicy") == "s auto");
  CHECK(property(plan_of(spec, v2_host()), "DeviceAllow") == "a(ss)");
}

TEST_CASE("devices: rules that systemd has one name for are one entry") {
  spec::Spec spec;
  spec::Resources& resources = spec.linux.resources.emplace();
  resources.devices.emplace_back().access = "rwm";
  spec::DeviceRule& rule = resources.devices.emplace_back();
  rule.allow = true;
  rule.type = 'c';
  rule.minor = 0;
  rule.access = "r";
  const std::string allowed = property(plan_of(spec, v2_host()), "DeviceAllow");
  CHECK(allowed.starts_with("a(ss) char-* rm block-* m "));
  CHECK(allowed.rfind("char-* ") == allowed.find("char-* "));
}

TEST_CASE("annotations become properties") {
  CHECK(annotated("CollectMode", "'inactive-or-failed'") == "CollectMode s inactive-or-failed");
  CHECK(annotated("CollectMode", "\"a'\\\"\\n\"") == "CollectMode s a'\"\n");
  CHECK(annotated("SendSIGHUP", "true") == "SendSIGHUP b 1");
  CHECK(annotated("SendSIGHUP", " false ") == "SendSIGHUP b 0");
  CHECK(annotated("Number", "-5") == "Number i -5");
  CHECK(annotated("Number", "0x10") == "Number i 16");
  CHECK(annotated("MemoryHigh", "uint64 18446744073709551615") ==
        "MemoryHigh t 18446744073709551615");
  CHECK(annotated("MemoryHigh", "@t 5") == "MemoryHigh t 5");
  CHECK(annotated("After", "['a.service', 'b.service']") == "After as a.service b.service");
  CHECK(annotated("After", "@as []") == "After as");
  CHECK(annotated("AllowedCPUs", "[byte 0x3, 255]") == "AllowedCPUs ay 3 255");
  CHECK(annotated("TimeoutStopSec", "7") == "TimeoutStopUSec t 7000000");
  CHECK(annotated("TimeoutStopSec", "uint32 7") == "TimeoutStopUSec t 7000000");
  CHECK(annotated("TimeoutStopUSec", "uint64 7") == "TimeoutStopUSec t 7");
  for (const auto& [text, microseconds] : {
           std::pair("2.5", "2500000"),
           {"double 2.5", "2500000"},
           {"@d 2", "2000000"},
           {".5", "500000"},
           {"3.", "3000000"},
           {"0.0000019", "1"},
           {"1e3", "1000000000"},
           {"25e-1", "2500000"},
           {"1E+2", "100000000"},
           {"0", "0"},
           {"0x1e", "30000000"},
           {"18446744073709.551615", "18446744073709551615"},
       }) {
    CAPTURE(text);
    CHECK(annotated("TimeoutStopSec", text) == "TimeoutStopUSec t " + std::string(microseconds));
  }
}

TEST_CASE("annotations that are no properties are errors that name them") {
  for (const char* bad :
       {"",          "tru",        "'open",    "[1, 'a']", "[]",   "1 2",     "int32 'a'",
        "uint32 -1", "2147483648", "byte 256", "[[1]]",    "@a 1", "@as 'a'", "@t [1]",
        "string 1",  "1.5",        "0x",       "double 1", "1e3",  "[1.5]",   "uint64 1.5",
        "1.5.5",     ".",          "1e",       "1e99999"}) {
    CAPTURE(bad);
    CHECK(annotated("Name", bad) == "annotations[\"org.systemd.property.Name\"]: '" +
                                        std::string(bad) +
                                        "' is not a supported value in GVariant text format");
  }
  for (const char* bad : {"", "Na", "Na1", "Na-me", "Naïve"}) {
    CHECK(annotated(bad, "1").ends_with(
        ": is not a valid property name: use at least three letters, and only letters"));
  }
  for (const char* moving : {"PIDs", "PIDFDs"}) {
    CHECK(annotated(moving, "[uint32 1]") ==
          "annotations[\"org.systemd.property." + std::string(moving) +
              "\"]: moves processes, and sets nothing of the unit");
  }
  for (const char* bad : {"'7'", "true", "-1", "[7]", "uint64 18446744073709551615", "-2.5", "1e15",
                          "18446744073709.551616", "[2.5]"}) {
    CAPTURE(bad);
    CHECK(annotated("TimeoutStopSec", bad).ends_with(": is not a number of seconds"));
  }
}

TEST_CASE("annotations mean nothing to the other driver") {
  spec::Spec spec;
  spec.annotations = {{"org.systemd.property.X", "?"}};
  CHECK(plan::build_cgroup(spec, v2_host(), "web", CgroupRequest::cgroupfs));
  CHECK_FALSE(plan::build_cgroup(spec, v2_host(), "web", CgroupRequest::systemd));
}

TEST_CASE("an update tells systemd what changes and nothing else") {
  spec::Resources resources;
  resources.pids_limit = 9;
  const auto plan = plan::build_cgroup_update(
      resources, v2_host(), {{.mount_point = "/sys/fs/cgroup", .path = "/x", .unified = true}},
      plan::SystemdUnit{.name = "web.scope", .user = false, .properties = {}});
  REQUIRE(plan);
  REQUIRE(plan.value().unit->properties.size() == 1);
  CHECK(property(plan.value(), "TasksMax") == "t 9");
}
