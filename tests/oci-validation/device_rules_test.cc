// SPDX-License-Identifier: Apache-2.0
// config-linux.md: the allowed device list. The container opens and makes nodes of the majors 60
// and 61, which are for local use and have no driver: ENXIO is an open that was allowed.
#include "oci-validation/limited.h"

using namespace onggi::test;

namespace {

constexpr const char* kInOrder =
    "config-linux.md#allowed-device-list: The runtime MUST apply entries in the listed order.";
constexpr const char* kDenyAll = R"({"allow": false, "access": "rwm"})";

// Opens the nodes under these rules.
class Opened {
 public:
  explicit Opened(const Strings& rules) {
    std::string list;
    for (const std::string& rule : rules) list += (list.empty() ? "" : ", ") + rule;
    bundle_.set_json("/linux/resources/devices", "[" + list + "]");
    bundle_.set_json("/linux/devices", R"([
      {"path": "/dev/c0", "type": "c", "major": 60, "minor": 0},
      {"path": "/dev/c1", "type": "c", "major": 60, "minor": 1},
      {"path": "/dev/d0", "type": "c", "major": 61, "minor": 0},
      {"path": "/dev/b0", "type": "b", "major": 60, "minor": 0}])");
    Strings words;
    for (const std::string path : {"/dev/c0", "/dev/c1", "/dev/d0", "/dev/b0"}) {
      for (const std::string access : {"r", "w", "rw"}) {
        if (!words.empty()) words.push_back("--");
        words.insert(words.end(), {"open", path, access});
      }
    }
    lines_ = lines(run(bundle_.guest(words)).out);
  }

  // Which of "r", "w" and "rw" were allowed.
  std::string c0() const { return allowed(0); }
  std::string c1() const { return allowed(3); }
  std::string d0() const { return allowed(6); }
  std::string b0() const { return allowed(9); }

 private:
  std::string allowed(size_t first) const {
    std::string result;
    const char* names[] = {"r", "w", "rw"};
    for (size_t i = 0; i < 3; i++) {
      const std::string line = first + i < lines_.size() ? lines_[first + i] : "no output";
      if (line.ends_with("ENXIO")) {
        result += (result.empty() ? "" : " ") + std::string(names[i]);
      } else if (!line.ends_with("EPERM")) {
        return line;
      }
    }
    return result;
  }

  Bundle bundle_;
  Strings lines_;
};

bool refused(const std::string& rule) {
  Bundle bundle;
  bundle.set_json("/linux/resources/devices", "[" + rule + "]");
  return !create(bundle).ok();
}

}  // namespace

TEST_SUITE_BEGIN("device_rules");

CASE("device rules: what is denied cannot be opened") {
  CITE(
      "config-linux.md#allowed-device-list: allow (boolean, REQUIRED) - whether the entry is "
      "allowed or denied.");
  REQUIRES(root());
  const Opened opened({kDenyAll});
  CHECK(opened.c0().empty());
  CHECK(opened.d0().empty());
  CHECK(opened.b0().empty());
}

CASE("device rules: allow after deny") {
  CITE(kInOrder);
  REQUIRES(root());
  const Opened opened(
      {kDenyAll, R"({"allow": true, "type": "c", "major": 60, "minor": 0, "access": "rw"})"});
  CHECK(opened.c0() == "r w rw");
  CHECK(opened.c1().empty());
  CHECK(opened.d0().empty());
  CHECK(opened.b0().empty());
}

CASE("device rules: deny after allow") {
  CITE(kInOrder);
  REQUIRES(root());
  const Opened opened(
      {kDenyAll, R"({"allow": true, "type": "c", "major": 60, "minor": 0, "access": "rw"})",
       R"({"allow": true, "type": "c", "major": 60, "minor": 1, "access": "rw"})",
       R"({"allow": false, "type": "c", "major": 60, "minor": 1, "access": "rw"})"});
  CHECK(opened.c0() == "r w rw");
  CHECK(opened.c1().empty());
}

CASE("device rules: allow, deny and allow again") {
  CITE(kInOrder);
  REQUIRES(root());
  const Opened opened({kDenyAll,
                       R"({"allow": true, "type": "c", "major": 60, "minor": 0, "access": "rw"})",
                       R"({"allow": false, "type": "c", "major": 60, "minor": 0, "access": "rw"})",
                       R"({"allow": true, "type": "c", "major": 60, "minor": 0, "access": "r"})"});
  CHECK(opened.c0() == "r");
}

CASE("device rules: deny all at the end leaves nothing of what was allowed before") {
  CITE(kInOrder);
  REQUIRES(root());
  const Opened opened(
      {R"({"allow": true, "type": "c", "major": 60, "minor": 0, "access": "rw"})", kDenyAll});
  CHECK(opened.c0().empty());
}

CASE("device rules: allow all at the end leaves nothing of what was denied before") {
  CITE(kInOrder);
  REQUIRES(root());
  const Opened opened({kDenyAll, R"({"allow": true, "access": "rwm"})"});
  CHECK(opened.c0() == "r w rw");
  CHECK(opened.b0() == "r w rw");
}

CASE("device rules: one device denied where all are allowed") {
  CITE(kInOrder);
  REQUIRES(root());
  const Opened opened(
      {R"({"allow": true, "access": "rwm"})",
       R"({"allow": false, "type": "c", "major": 60, "minor": 0, "access": "rw"})"});
  CHECK(opened.c0().empty());
  CHECK(opened.c1() == "r w rw");
  CHECK(opened.b0() == "r w rw");
}

CASE("device rules: reading alone, writing alone") {
  CITE("config-linux.md#allowed-device-list: A composition of r (read), w (write), and m (mknod).");
  REQUIRES(root());
  const Opened opened({kDenyAll,
                       R"({"allow": true, "type": "c", "major": 60, "minor": 0, "access": "r"})",
                       R"({"allow": true, "type": "c", "major": 60, "minor": 1, "access": "w"})"});
  CHECK(opened.c0() == "r");
  CHECK(opened.c1() == "w");
}

CASE("device rules: reading and writing allowed one by one are allowed together") {
  CITE("config-linux.md#allowed-device-list: A composition of r (read), w (write), and m (mknod).");
  REQUIRES(root());
  const Opened opened({kDenyAll,
                       R"({"allow": true, "type": "c", "major": 60, "minor": 0, "access": "r"})",
                       R"({"allow": true, "type": "c", "major": 60, "minor": 0, "access": "w"})"});
  CHECK(opened.c0() == "r w rw");
}

CASE("device rules: a part of an access is denied again") {
  CITE("config-linux.md#allowed-device-list: A composition of r (read), w (write), and m (mknod).");
  REQUIRES(root());
  const Opened opened({kDenyAll,
                       R"({"allow": true, "type": "c", "major": 60, "minor": 0, "access": "rwm"})",
                       R"({"allow": false, "type": "c", "major": 60, "minor": 0, "access": "w"})"});
  CHECK(opened.c0() == "r");
}

CASE("device rules: the letters in any order") {
  CITE("config-linux.md#allowed-device-list: A composition of r (read), w (write), and m (mknod).");
  REQUIRES(root());
  const Opened opened(
      {kDenyAll, R"({"allow": true, "type": "c", "major": 60, "minor": 0, "access": "mwr"})"});
  CHECK(opened.c0() == "r w rw");
}

CASE("device rules: a node that may only be made cannot be opened") {
  CITE("config-linux.md#allowed-device-list: A composition of r (read), w (write), and m (mknod).");
  REQUIRES(root());
  Bundle bundle;
  for (const std::string set : {"bounding", "effective", "permitted"})
    bundle.set("/process/capabilities/" + set, Strings{"CAP_MKNOD"});
  bundle.set_json("/linux/resources/devices",
                  std::string("[") + kDenyAll +
                      R"(, {"allow": true, "type": "c", "major": 60, "minor": 2, "access": "m"}])");
  bundle.guest({"mknod", "/dev/made", "c", "60", "2", "--", "open", "/dev/made", "r"});
  CHECK(run(bundle).out == "mknod /dev/made: ok\nopen /dev/made: EPERM\n");
}

CASE("device rules: an unset minor is all of them") {
  CITE(
      "config-linux.md#allowed-device-list: Unset values mean \"all\", mapping to * in the "
      "filesystem API.");
  REQUIRES(root());
  const Opened opened({kDenyAll, R"({"allow": true, "type": "c", "major": 60, "access": "rw"})"});
  CHECK(opened.c0() == "r w rw");
  CHECK(opened.c1() == "r w rw");
  CHECK(opened.d0().empty());
  CHECK(opened.b0().empty());
}

CASE("device rules: an unset major is all of them") {
  CITE(
      "config-linux.md#allowed-device-list: Unset values mean \"all\", mapping to * in the "
      "filesystem API.");
  REQUIRES(root());
  const Opened opened({kDenyAll, R"({"allow": true, "type": "c", "minor": 0, "access": "r"})"});
  CHECK(opened.c0() == "r");
  CHECK(opened.d0() == "r");
  CHECK(opened.c1().empty());
}

CASE("device rules: type c without numbers is all character devices") {
  CITE(
      "config-linux.md#allowed-device-list: type (string, OPTIONAL) - type of device: a (all), c "
      "(char), or b (block).");
  REQUIRES(root());
  const Opened opened({kDenyAll, R"({"allow": true, "type": "c", "access": "rw"})"});
  CHECK(opened.c0() == "r w rw");
  CHECK(opened.d0() == "r w rw");
  CHECK(opened.b0().empty());
}

CASE("device rules: type b is block devices") {
  CITE(
      "config-linux.md#allowed-device-list: type (string, OPTIONAL) - type of device: a (all), c "
      "(char), or b (block).");
  REQUIRES(root());
  const Opened opened(
      {kDenyAll, R"({"allow": true, "type": "b", "major": 60, "minor": 0, "access": "r"})"});
  CHECK(opened.b0() == "r");
  CHECK(opened.c0().empty());
}

CASE("device rules: type a is all devices") {
  CITE(
      "config-linux.md#allowed-device-list: type (string, OPTIONAL) - type of device: a (all), c "
      "(char), or b (block).");
  REQUIRES(root());
  const Opened opened({kDenyAll, R"({"allow": true, "type": "a", "access": "rwm"})"});
  CHECK(opened.c0() == "r w rw");
  CHECK(opened.b0() == "r w rw");
}

CASE("device rules: an unset type with numbers is both kinds of devices") {
  CITE("config-linux.md#allowed-device-list: Unset values mean \"all\", mapping to a.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 ignores the numbers");
  DEVIATES("crun", "1.8.1 ignores the numbers");
  const Opened opened({kDenyAll, R"({"allow": true, "major": 60, "minor": 0, "access": "rw"})"});
  CHECK(opened.c0() == "r w rw");
  CHECK(opened.b0() == "r w rw");
  CHECK(opened.c1().empty());
}

CASE("device rules: all devices denied for writing alone can be read") {
  CITE(kInOrder);
  REQUIRES(root());
  if (cgroup_v1().met) {
    DEVIATES("runc", "1.1.5 cannot say it to cgroup v1");
    DEVIATES("crun", "1.8.1 takes /dev/null away with it");
  }
  const Opened opened({R"({"allow": true, "access": "rwm"})",
                       R"({"allow": false, "type": "c", "access": "w"})",
                       R"({"allow": false, "type": "b", "access": "w"})"});
  CHECK(opened.c0() == "r");
  CHECK(opened.b0() == "r");
}

CASE("device rules: access to a device of the config is the rules' matter") {
  CITE("config-linux.md#devices: You can also control access to devices with cgroups.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set_json(
      "/linux/devices",
      R"([{"path": "/dev/c0", "type": "c", "major": 60, "minor": 0, "fileMode": 438}])");
  CHECK(run(bundle.guest({"open", "/dev/c0", "r"})).out == "open /dev/c0: EPERM\n");
}

CASE("device rules: allow is required") {
  CITE(
      "config-linux.md#allowed-device-list: allow (boolean, REQUIRED) - whether the entry is "
      "allowed or denied.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 takes a missing one for false");
  DEVIATES("crun", "1.8.1 takes a missing one for false");
  CHECK(refused(R"({"type": "c", "major": 60, "minor": 0, "access": "rw"})"));
}

CASE("device rules: an unknown type is an error") {
  CITE(
      "config-linux.md#allowed-device-list: type (string, OPTIONAL) - type of device: a (all), c "
      "(char), or b (block).");
  REQUIRES(root());
  DEVIATES("crun", kCrunLeavesCgroups);
  for (const std::string type : {"p", "x", "cb"}) {
    CAPTURE(type);
    CHECK(refused(R"({"allow": true, "type": ")" + type +
                  R"(", "major": 60, "minor": 0, "access": "rw"})"));
  }
}

CASE("device rules: another letter in access is an error") {
  CITE("config-linux.md#allowed-device-list: A composition of r (read), w (write), and m (mknod).");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 skips it");
  DEVIATES("crun", kCrunLeavesCgroups);
  for (const std::string access : {"x", "rx", "r w", "RW"}) {
    CAPTURE(access);
    CHECK(refused(R"({"allow": true, "type": "c", "major": 60, "minor": 0, "access": ")" + access +
                  R"("})"));
  }
}

TEST_SUITE_END();
