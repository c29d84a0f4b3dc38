// SPDX-License-Identifier: Apache-2.0
// How mounts are planned: id maps, changes of earlier mounts, SELinux labels, and what is made
// read-only in the end.
#include "support.h"

#include <linux/mount.h>

namespace onggi::test {
namespace {

const char* const kUser = R"(, {"type": "user"}],
    "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
    "gidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536})";

Result<plan::Plan> plan_with(const std::string& mounts, const plan::HostFacts& facts = v2_host(),
                             const std::string& namespaces = "", const std::string& linux = "") {
  return plan_of(R"({"ociVersion": "1.3.0", "root": {"path": "rootfs"},
                     "process": {"cwd": "/", "args": ["x"]}, "mounts": [)" +
                     mounts + R"(], "linux": {"namespaces": [{"type": "mount"})" + namespaces +
                     "]" + linux + "}}",
                 facts);
}

// The lines of a printed plan that come from `mounts` or the masks.
std::string printed(const Result<plan::Plan>& plan) {
  REQUIRE(plan);
  const std::string whole = plan::print(plan.value());
  std::string found;
  for (size_t at = 0; at < whole.size();) {
    const size_t end = whole.find('\n', at);
    const std::string line = whole.substr(at, end - at);
    const size_t place = line.find(' ');
    if (line.starts_with("mounts[") || line.starts_with("linux.maskedPaths")) {
      found += line.substr(0, place) + line.substr(line.find_first_not_of(' ', place) - 1) + "\n";
    } else if (line.starts_with("warning: ")) {
      found += line + "\n";
    }
    at = end + 1;
  }
  return found;
}

std::string refusal(const Result<plan::Plan>& plan) {
  REQUIRE(!plan);
  return std::string(plan.error().place.view()) + ": " + std::string(plan.error().message.view());
}

TEST_CASE("equal id maps are made once, and the container's own is one of them") {
  const std::string map = R"("uidMappings": [{"containerID": 0, "hostID": 5, "size": 9}],
                             "gidMappings": [{"containerID": 0, "hostID": 6, "size": 9}])";
  const Result<plan::Plan> plan = plan_with(
      R"({"destination": "/a", "source": "/s", "options": ["bind", "idmap"], )" + map + R"(},
         {"destination": "/b", "source": "/s", "options": ["rbind", "ridmap"], )" +
          map + R"(},
         {"destination": "/c", "source": "/s", "options": ["bind", "idmap"]},
         {"destination": "/d", "source": "/s", "options": ["bind"]})",
      v2_host(), kUser);
  CHECK(printed(plan) ==
        "mounts[0] bind /s on /a idmap=uids:0-5-9;gids:0-6-9\n"
        "mounts[1] rbind /s on /b ridmap=uids:0-5-9;gids:0-6-9\n"
        "mounts[2] bind /s on /c idmap=container\n"
        "mounts[3] bind /s on /d\n");
  CHECK(plan->id_maps.size() == 2);
}

TEST_CASE("the runtime is asked for a source only in a user namespace") {
  const std::string bind = R"({"destination": "/a", "source": "/s", "options": ["bind"]})";
  const auto asks = [](const Result<plan::Plan>& plan) {
    REQUIRE(plan);
    for (const plan::Step& step : plan->before_pivot) {
      if (const auto* mount = std::get_if<plan::BindMount>(&step.action))
        return mount->ask_when_refused;
    }
    return false;
  };
  CHECK_FALSE(asks(plan_with(bind)));
  CHECK(asks(plan_with(bind, v2_host(), kUser)));
  CHECK(asks(plan_with(bind, v2_host(), R"(, {"type": "user", "path": "/n"})")));
}

TEST_CASE("a remount changes what its options name") {
  CHECK(printed(plan_with(
            R"({"destination": "/a", "type": "tmpfs", "options": ["nosuid", "size=1m"]},
               {"destination": "/a/", "options": ["remount", "suid", "noexec", "rslave", "size=2m"]},
               {"destination": "/", "options": ["bind", "remount", "nodev"]})")) ==
        "mounts[0] mount tmpfs on /a nosuid size=1m (mode of the directory below)\n"
        "mounts[1] remount /a size=2m set=noexec clear=nosuid rslave\n"
        "mounts[2] remount / set=nodev (other flags cleared)\n");
}

TEST_CASE("a remount reaches no filesystem that the container did not make") {
  const char* const remount = R"({"destination": "/a", "options": ["remount", "size=2m"]})";
  for (const char* before : {"", R"({"destination": "/a", "source": "/s", "options": ["rbind"]}, )",
                             R"({"destination": "/a", "type": "cgroup"}, )",
                             R"({"destination": "/b", "type": "tmpfs"}, )",
                             R"({"destination": "/a", "type": "tmpfs"},
           {"destination": "/a", "source": "/s", "options": ["bind"]}, )"}) {
    CAPTURE(before);
    CHECK(refusal(plan_with(std::string(before) + remount))
              .ends_with(
                  ".options: 'size' would change a filesystem that the container does not own"));
  }
  CHECK(printed(plan_with(R"({"destination": "/a", "type": "tmpfs", "options": ["mode=755"]},
                             {"destination": "/a", "options": ["remount", "nodev"]}, )" +
                          std::string(remount))) ==
        "mounts[0] mount tmpfs on /a mode=755\n"
        "mounts[1] remount /a set=nodev\n"
        "mounts[2] remount /a size=2m\n");
}

TEST_CASE("a cgroup2 mount has the options of the host's, and sets none of them") {
  const std::string mount = R"({"destination": "/sys/fs/cgroup", "type": "cgroup", "options":
    ["ro", "nsdelegate", "memory_recursiveprot", "favordynmods", "memory_localevents",
     "memory_hugetlb_accounting", "pids_localevents"]})";
  CHECK(printed(plan_with(mount)) == "mounts[0] rbind /sys/fs/cgroup on /sys/fs/cgroup rset=ro\n");
  CHECK(printed(plan_with(mount, v2_host(), R"(, {"type": "cgroup"})"))
            .starts_with("mounts[0] mount cgroup2 on /sys/fs/cgroup ro (or bind "));
  const std::string other = R"({"destination": "/c", "type": "cgroup", "options": ["xattr"]})";
  CHECK(refusal(plan_with(other)).starts_with("mounts[0].options: 'xattr' cannot be set"));
  CHECK(refusal(plan_with(mount, v1_host())).starts_with("mounts[0].options: 'nsdelegate' "));
}

TEST_CASE("a filesystem that is one for the whole system gets no options") {
  for (const std::string type : {"debugfs", "devtmpfs", "pstore", "tracefs"}) {
    CAPTURE(type);
    const auto plan = [&type](const char* option) {
      return plan_with(R"({"destination": "/a", "type": ")" + type + R"(", "options": [")" +
                       option + R"("]})");
    };
    CHECK(refusal(plan("mode=711")) ==
          "mounts[0].options: 'mode=711' would change the host's " + type);
    CHECK(printed(plan("ro")) == "mounts[0] mount " + type + " on /a ro\n");
  }
}

TEST_CASE("a bind mount without its option is told apart from a filesystem") {
  for (const std::string type : {"bind", "rbind", "none"}) {
    CAPTURE(type);
    const auto plan = plan_with(R"({"destination": "/a", "source": "/s", "type": ")" + type +
                                R"(", "options": ["ro"]})");
    CHECK(refusal(plan).starts_with("mounts[0].type: type \"" + type));
    CHECK(plan.error().hint.view() == "add \"bind\" or \"rbind\" to mounts[0].options");
  }
}

TEST_CASE("read-only comes last, unless something else comes to lie there") {
  CHECK(printed(plan_with(
            R"({"destination": "/a", "type": "tmpfs", "options": ["ro", "mode=755"]},
               {"destination": "/b", "type": "tmpfs", "options": ["ro", "mode=755"]},
               {"destination": "/b", "source": "/s", "options": ["bind"]},
               {"destination": "/a", "options": ["remount", "rw"]},
               {"destination": "/c", "type": "tmpfs", "options": ["mode=755"]},
               {"destination": "/c", "options": ["remount", "ro", "nodev"]})")) ==
        "mounts[0] mount tmpfs on /a ro mode=755\n"
        "mounts[1] mount tmpfs on /b ro mode=755\n"
        "mounts[2] bind /s on /b\n"
        "mounts[3] remount /a clear=ro\n"
        "mounts[4] mount tmpfs on /c mode=755\n"
        "mounts[5] remount /c set=nodev\n"
        "mounts[5] make /c read-only\n");
}

const char* const kLabelled = R"(
    {"destination": "/proc", "type": "proc"},
    {"destination": "/sys", "type": "sysfs"},
    {"destination": "/tmp", "type": "tmpfs", "options": ["mode=1777"]},
    {"destination": "/own", "type": "tmpfs", "options": ["context=\"a:b:c:s0:c1,c2\"", "mode=1777"]},
    {"destination": "/dev/mqueue", "type": "mqueue"},
    {"destination": "/dev/pts", "type": "devpts"},
    {"destination": "/bound", "source": "/s", "options": ["bind"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup"})";
const char* const kLabel = R"(, "mountLabel": "u:r:t:s0:c1,c2", "maskedPaths": ["/secret"])";

TEST_CASE("mountLabel is the context of each filesystem that takes one") {
  plan::HostFacts facts = v1_host();
  facts.selinux = true;
  const std::string lines = printed(plan_with(kLabelled, facts, R"(, {"type": "cgroup"})", kLabel));
  for (const char* line :
       {"mounts[0] mount proc on /proc\n", "mounts[1] mount sysfs on /sys\n",
        "mounts[2] mount tmpfs on /tmp mode=1777 context=u:r:t:s0:c1,c2\n",
        "mounts[3] mount tmpfs on /own context=a:b:c:s0:c1,c2 mode=1777\n",
        "mounts[4] mount mqueue on /dev/mqueue (label u:r:t:s0:c1,c2)\n",
        "mounts[5] mount devpts on /dev/pts context=u:r:t:s0:c1,c2\n",
        "mounts[6] bind /s on /bound\n",
        "mounts[7] mount tmpfs on /sys/fs/cgroup mode=755 context=u:r:t:s0:c1,c2\n",
        "linux.maskedPaths[0] mask /secret (label u:r:t:s0:c1,c2)\n"}) {
    CAPTURE(line);
    CHECK(lines.find(line) != std::string::npos);
  }
  CHECK(lines.find("pids (or bind /sys/fs/cgroup/pids") != std::string::npos);
}

TEST_CASE("mountLabel is refused where SELinux is not in force") {
  const Result<plan::Plan> plan = plan_with(kLabelled, v2_host(), "", kLabel);
  REQUIRE(plan);
  REQUIRE(plan.value().refused.size() == 1);
  CHECK(plan.value().refused[0].place.view() == "linux.mountLabel");
}

}  // namespace
}  // namespace onggi::test
