// SPDX-License-Identifier: Apache-2.0
// config-linux.md: offsets of the clocks of a time namespace.
#include "support/suite.h"

#include <time.h>

using namespace onggi::test;

namespace {

Need time_namespaces() {
  return {root().met && file("/proc/self/ns/time").met, "needs root and time namespaces"};
}

void rivals_deviate() {
  DEVIATES("runc", "1.1.5 does not know time namespaces");
  DEVIATES("crun", "1.8.1 fails to create one");
}

Outcome offsets(std::string_view json) {
  Bundle bundle;
  bundle.set_namespace("time")
      .set_json("/linux/timeOffsets", json)
      .guest({"cat", "/proc/self/timens_offsets"});
  return run(bundle);
}

// "monotonic 5 0": the kernel pads its columns.
std::string offset_of(const Outcome& outcome, const std::string& clock) {
  for (const std::string& line : lines(outcome.out)) {
    if (!line.starts_with(clock)) continue;
    long seconds = 0, nanoseconds = 0;
    if (sscanf(line.c_str() + clock.size(), "%ld %ld", &seconds, &nanoseconds) == 2)
      return std::to_string(seconds) + " " + std::to_string(nanoseconds);
  }
  return "<none>";
}

}  // namespace

TEST_SUITE_BEGIN("time_offsets");

CASE("time offsets are those of the config") {
  CITE(
      "config-linux.md#offset-for-time-namespace: timeOffsets (object, OPTIONAL) sets the offset "
      "for Time Namespace.");
  REQUIRES(time_namespaces());
  rivals_deviate();
  Bundle bundle;
  bundle.set_namespace("time")
      .set_json("/linux/timeOffsets", R"({"monotonic": {"secs": 86400}})")
      .guest({"clocks"});
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  CHECK(atol(value_of(run(bundle).out, "monotonic").c_str()) >= now.tv_sec + 86400);
}

CASE("time offsets: seconds and nanoseconds of both clocks") {
  CITE(
      "config-linux.md#offset-for-time-namespace: nanosecs (uint32, OPTIONAL) - is the offset of "
      "clock (in nanoseconds) in the container.");
  REQUIRES(time_namespaces());
  rivals_deviate();
  const Outcome outcome = offsets(R"({"monotonic": {"secs": 172800, "nanosecs": 999999999},
                                      "boottime": {"secs": 604800, "nanosecs": 1}})");
  CHECK(offset_of(outcome, "monotonic") == "172800 999999999");
  CHECK(offset_of(outcome, "boottime") == "604800 1");
}

CASE("time offsets: a clock that is not named keeps its time") {
  CITE("config-linux.md#offset-for-time-namespace: The name of the clock is the entry key.");
  REQUIRES(time_namespaces());
  rivals_deviate();
  const Outcome outcome = offsets(R"({"boottime": {"secs": 5}})");
  CHECK(offset_of(outcome, "monotonic") == "0 0");
  CHECK(offset_of(outcome, "boottime") == "5 0");
}

CASE("time offsets: nanoseconds alone") {
  CITE(
      "config-linux.md#offset-for-time-namespace: nanosecs (uint32, OPTIONAL) - is the offset of "
      "clock (in nanoseconds) in the container.");
  REQUIRES(time_namespaces());
  rivals_deviate();
  CHECK(offset_of(offsets(R"({"monotonic": {"nanosecs": 7}})"), "monotonic") == "0 7");
}

CASE("time offsets: seconds may be negative") {
  CITE(
      "config-linux.md#offset-for-time-namespace: secs (int64, OPTIONAL) - is the offset of clock "
      "(in seconds) in the container.");
  REQUIRES(time_namespaces());
  rivals_deviate();
  const Outcome outcome = offsets(R"({"monotonic": {"secs": -3, "nanosecs": 4}})");
  CHECK(offset_of(outcome, "monotonic") == "-3 4");
}

CASE("time offsets: an offset that the kernel refuses is an error") {
  CITE(
      "config-linux.md#offset-for-time-namespace: secs (int64, OPTIONAL) - is the offset of clock "
      "(in seconds) in the container.");
  REQUIRES(time_namespaces());
  for (const std::string offset : {R"({"monotonic": {"secs": -9223372036854775808}})",
                                   R"({"boottime": {"secs": 9223372036854775807}})",
                                   R"({"boottime": {"nanosecs": 1000000000}})"}) {
    CAPTURE(offset);
    CHECK_FALSE(offsets(offset).ok());
  }
}

CASE("time offsets: an unknown clock or a value of another type is an error") {
  CITE("config-linux.md#offset-for-time-namespace: The name of the clock is the entry key.");
  REQUIRES(time_namespaces());
  for (const std::string offset :
       {R"({"realtime": {"secs": 1}})", R"({"monotonic": {"secs": "1"}})",
        R"({"monotonic": {"nanosecs": -1}})", R"({"monotonic": {"nanosecs": 4294967296}})",
        R"({"monotonic": 1})"}) {
    CAPTURE(offset);
    CHECK_FALSE(offsets(offset).ok());
  }
}

CASE("time offsets: an error without a time namespace") {
  CITE(
      "config-linux.md#offset-for-time-namespace: timeOffsets (object, OPTIONAL) sets the offset "
      "for Time Namespace.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 ignores them");
  DEVIATES("crun", "1.8.1 ignores them");
  Bundle bundle;
  CHECK_FALSE(create(bundle.set_json("/linux/timeOffsets", R"({"monotonic": {"secs": 1}})")).ok());
}

CASE("time offsets: an error with a namespace that exists already") {
  CITE(
      "config-linux.md#offset-for-time-namespace: timeOffsets (object, OPTIONAL) sets the offset "
      "for Time Namespace.");
  REQUIRES(time_namespaces());
  rivals_deviate();
  Bundle first_bundle;
  Container first(first_bundle.set_namespace("time"));
  REQUIRE(first.create().ok());
  Bundle bundle;
  bundle.set_namespace("time", "/proc/" + std::to_string(first.pid()) + "/ns/time")
      .set_json("/linux/timeOffsets", R"({"monotonic": {"secs": 1}})");
  CHECK_FALSE(create(bundle).ok());
}

TEST_SUITE_END();
